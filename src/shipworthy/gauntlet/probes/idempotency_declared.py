"""T1: a route that creates something must let its caller send twice and get one.

Judged by declaration, confirmed by sending: a route that creates and declares no key is sent its
example twice under one Idempotency-Key. Where that shows one effect after all, it passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.manifest import Route
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.call import subject_of
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.effects import effects, growth
from shipworthy.gauntlet.probes.keyed import Keyed, is_reachable, keyed_routes, said
from shipworthy.gauntlet.subjects import ask_each

_FIX = (
    'Declare idempotency = "key" with the route: take the Idempotency-Key in the transaction that creates, and '
    "answer a second request with the first one's answer."
)


async def creates_once(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each route that creates, and for each whose effect nobody declared."""
    async with keyed_routes(exam) as keyed:

        async def ask(subject: str, route: Route) -> Finding:
            if route.effect != "create":
                return _effect_unknown(exam, subject, route)
            if route.idempotency == "key":
                title = f"{subject} creates, and declares a key"
                return exam.finding(subject, Verdict.PASS, title, severity=Severity.LOW, source=route.source)
            return await _undeclared(exam, subject, keyed(route))

        routes = [(subject_of(route), route) for route in exam.manifest.routes if _is_asked(exam, route)]
        if not routes:
            raise Unmeasurable("No route is declared that may create something.", fix="Declare the POST routes as [[route]].")  # fmt: skip
        return await ask_each(exam, routes, ask, source=lambda route: route.source)


def _is_asked(exam: Exam, route: Route) -> bool:
    # Only our own apps say what a POST does; of a stranger's it is not known whether it creates.
    is_strangers = exam.target.kind != "shipworthy" and route.effect == "change" and route.method == "POST"
    return route.effect == "create" or (is_strangers and route.idempotency == "none")


async def _undeclared(exam: Exam, subject: str, route: Keyed) -> Finding:
    facts: dict[str, Any] = {"source": route.route.source, "fix": _FIX}
    title = f"{subject} creates something and takes no idempotency key"
    if not is_reachable(exam, route.route):
        why = "It declares effect create and idempotency none; it could not be sent to see two effects."
        return exam.finding(subject, Verdict.FAIL, title, cause=why, **facts)
    try:
        once = await route.once()
    except Undecided as undecided:
        why = f"It declares effect create and idempotency none. Sending it showed nothing: {undecided.why}"
        return exam.finding(subject, Verdict.FAIL, title, cause=why, evidence=undecided.evidence, **facts)
    before = await route.rows(once)
    second = await route.send(once.call)
    more = effects(once.grown, growth(before, await route.rows(once)))
    evidence = (
        request_evidence(once.call, "Sent twice under one key"),
        answer_evidence(once.answer, "The first answer"),
        answer_evidence(second, "The second answer"),
    )
    if once.grown and not more:
        measure = Measure(name="effects of two sends", unit="effects", estimate=1, bound=1)
        says = f"{subject} declares no key, yet has one effect when it is sent twice"
        return exam.finding(
            subject, Verdict.PASS, says, severity=Severity.LOW, source=route.route.source, measures=(measure,)
        )
    seen = more or (not once.grown and route.succeeded(second) and said(second) != said(once.answer))
    measures = (Measure(name="effects of two sends", unit="effects", estimate=2, bound=1),) if seen else ()
    how = "had two effects" if seen else f"was answered {once.answer.status} and {second.status}"
    return exam.finding(
        subject,
        Verdict.FAIL,
        title,
        cause=f"It declares idempotency none, and sent twice under one Idempotency-Key it {how}. A browser or a "
        "queue that tries again after a lost answer makes a second one.",
        measures=measures,
        evidence=evidence,
        **facts,
    )


def _effect_unknown(exam: Exam, subject: str, route: Route) -> Finding:
    return exam.finding(
        subject,
        Verdict.NOT_MEASURED,
        f"{subject}: not measured",
        cause="It is not known whether this route creates something, so whether it needs a key is not judged.",
        fix='Set idempotency = "key" on its [[route]] if it takes an Idempotency-Key; it is then examined.',
        source=route.source,
    )
