"""P7: a crash between a request and its answer leaves neither nothing nor two.

Requests with ten different keys are in flight when the web process is killed. Once it is back,
each is sent again under its key: each must have exactly one effect, and one that was answered
before must be answered the same. First the kill comes at the first answer; then, twice, while a
table that the route writes is locked, so that all are certainly between two of their writes: an
app that keeps the key in another transaction than the effect has done half of it by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.call import Call, path_parameters, subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence, table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.kill_process import answering, kill_process, restarted
from shipworthy.gauntlet.faults.lock_table import lock_table
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.effects import Growth, beyond, effects, growth
from shipworthy.gauntlet.probes.keyed import (
    STILL_AT_IT,
    Keyed,
    Once,
    is_reachable,
    key_of,
    keyed_routes,
    said,
)
from shipworthy.gauntlet.subjects import ask_each

KEYS = 10
LEASE_S = 20.0  # the lock is held for about a second; the server ends it when we cannot
CAUGHT_WITHIN_S = 5.0  # for the first of ten requests to reach its write
AGAIN_TRIES, AGAIN_PAUSE_S = 20, 0.25  # a key that another process still holds is free within seconds
_KEY_WORDS = ("idempot", "request", "key")


@dataclass(frozen=True, kw_only=True)
class _Sent:
    """One key's story: the answer before the crash, if there was one, and the one after it."""

    call: Call
    before: Answer | None
    after: Answer | None


@dataclass
class _Round:
    """One kill. `caught` sessions of the database were between two writes."""

    when: str
    caught: int
    sent: list[_Sent] = field(default_factory=list)
    grown: Growth = field(default_factory=dict)


async def after_crash(exam: Exam) -> Sequence[Finding]:
    """Return one finding about the route that best shows it: one that creates under a key."""
    route = _best(exam)
    if route is None:
        why = "No route that creates under a key can be sent without ids of others."
        return [exam.finding("all", Verdict.NOT_MEASURED, "No route shows what a crash leaves", cause=why)]
    async with keyed_routes(exam) as keyed:

        async def ask(subject: str, route: Route) -> Finding:
            return await _ask(exam, subject, keyed(route))

        return await ask_each(exam, [(subject_of(route), route)], ask, source=lambda route: route.source)


def _best(exam: Exam) -> Route | None:
    able = [
        route
        for route in exam.manifest.routes
        if route.idempotency == "key" and is_reachable(exam, route) and not path_parameters(route)
    ]
    # One with an objective is one the app lives by; it usually writes more than one table, too.
    return min(
        able,
        key=lambda route: (route.effect != "create", route.media != "json", route.slo is None),
        default=None,
    )


async def _ask(exam: Exam, subject: str, route: Keyed) -> Finding:
    once = await route.once()
    if not once.grown:
        raise Undecided("It has no effect that can be counted in the rows of the tenant.")
    rounds = [
        await _crash(exam, route, once, table) for table in (None, *tables_to_lock(route.route, once.grown))
    ]
    return _judged(exam, subject, route, once, rounds)


async def _crash(exam: Exam, route: Keyed, once: Once, table: str | None) -> _Round:
    """Kill the web process amid requests, wait until it is back, and send each of them again."""
    calls = [await route.prepared() for _ in range(KEYS)]
    rows_before = await route.rows(once)
    lock = await lock_table(exam, table, lease_s=LEASE_S) if table else None
    sending = [asyncio.ensure_future(route.at_once([call])) for call in calls]
    try:
        if lock:
            waiting = await lock.waiters(at_least=1, timeout_s=CAUGHT_WITHIN_S)
            dead_pid = await kill_process(exam, "web")
            await lock.cut_off(waiting)
            await lock.release()
        else:
            waiting = []
            await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            dead_pid = await kill_process(exam, "web")
        answers = [(await one)[0] for one in sending]
    finally:
        for one in sending:
            one.cancel()
    if await restarted(exam, "web", dead_pid=dead_pid) is None or not await answering(exam):
        raise Undecided("The web process did not come back after it was killed.")
    round_ = _Round(when=f"while {table} was locked" if table else "at the first answer", caught=len(waiting))
    afterwards = await asyncio.gather(*(_again(route, call) for call in calls))
    for call, before, after in zip(calls, answers, afterwards, strict=True):
        round_.sent.append(_Sent(call=call, before=before, after=after))
    round_.grown = growth(rows_before, await route.rows(once))
    return round_


async def _again(route: Keyed, call: Call) -> Answer | None:
    """Send a request again until it is not told to wait. Sending again is what a key is for."""
    answer = None
    for _ in range(AGAIN_TRIES):
        answer = (await route.at_once([call]))[0]
        if answer is not None and answer.status not in STILL_AT_IT:
            return answer
        await asyncio.sleep(AGAIN_PAUSE_S)
    return answer


def tables_to_lock(route: Route, grown: Growth) -> list[str]:
    """Return the table that seems to keep the keys, and the one that seems to hold the effect."""

    def bare(table: str) -> str:
        return table.rpartition(".")[2].strip('"')

    keeps_keys = [table for table in grown if any(word in bare(table) for word in _KEY_WORDS)]
    others = [table for table in grown if table not in keeps_keys]
    named = [table for table in others if bare(table) in route.path]
    return [*keeps_keys[:1], *(named or others)[:1]]


def _judged(exam: Exam, subject: str, route: Keyed, once: Once, rounds: list[_Round]) -> Finding:
    sent = [one for round_ in rounds for one in round_.sent]
    doubled = sum(effects(once.grown, beyond(once.grown, round_.grown, times=KEYS)) for round_ in rounds)
    lost = sum(effects(once.grown, _missing(once.grown, round_.grown)) for round_ in rounds)
    had = len(sent) + doubled - lost
    facts: dict[str, Any] = {"source": route.route.source, "measures": _measures(rounds, had)}
    stuck = [one for one in sent if not route.succeeded(one.after)]
    changed = [one for one in sent if route.succeeded(one.before) and _differs(one)]
    if doubled:
        title = f"{subject} does {doubled:g} requests twice when the process dies in between"
        cause = "The effect was there before the crash, its key was not, so the second request did it again."
    elif lost:
        title = f"{subject} loses {lost:g} requests when the process dies in between"
        cause = "The key was there before the crash, its effect was not, so the second request did nothing."
    elif stuck:
        title = f"{subject} does not take {len(stuck)} of {len(sent)} requests again after a crash"
        cause = "A key that was taken before the crash stays taken, and nobody does what it was for."
    elif changed:
        title = f"{subject} answers {len(changed)} requests differently after a crash"
        cause = "What was answered before the crash is answered differently after it, under the same key."
    else:
        title = f"{subject} has one effect for each of {len(sent)} keys, through {len(rounds)} crashes"
        return exam.finding(subject, Verdict.PASS, title, evidence=(_table(rounds),), **facts)
    return exam.finding(
        subject,
        Verdict.FAIL,
        title,
        cause=cause,
        fix="Take the key, have the effect and keep the answer in one transaction: a crash then undoes all three.",
        evidence=(_table(rounds), *_shown([*stuck, *changed])),
        **facts,
    )


def _measures(rounds: list[_Round], had: float) -> tuple[Measure, ...]:
    keys = KEYS * len(rounds)
    caught = sum(round_.caught for round_ in rounds)
    return (
        Measure(name="effects", unit="effects", estimate=had, bound=keys, samples=keys),
        Measure(name="caught between two writes", unit="requests", estimate=caught),
    )


def _missing(single: Growth, grown: Growth) -> Growth:
    return {
        name: KEYS * number - grown.get(name, 0)
        for name, number in single.items()
        if grown.get(name, 0) < KEYS * number
    }


def _differs(one: _Sent) -> bool:
    return one.before is not None and one.after is not None and said(one.before) != said(one.after)


def _table(rounds: list[_Round]) -> Evidence:
    rows = [
        (
            round_.when,
            round_.caught,
            sum(one.before is not None for one in round_.sent),
            ", ".join(
                f"{name.rpartition('.')[2]} +{number}" for name, number in sorted(round_.grown.items())
            ),
        )
        for round_ in rounds
    ]
    header = ("killed", "between writes", "answered before", f"rows after all {KEYS} were sent again")
    return table_evidence("The crashes", header, rows)


def _shown(sent: list[_Sent]) -> tuple[Evidence, ...]:
    if not sent:
        return ()
    first = sent[0]
    answers = [
        answer_evidence(answer, title)
        for title, answer in (("Answered before the crash", first.before), ("Answered after it", first.after))
        if answer is not None
    ]
    return (
        request_evidence(first.call, f"Sent before and after the crash, key {key_of(first.call)}"),
        *answers,
    )
