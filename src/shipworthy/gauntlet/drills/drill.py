"""One drill, from its declaration: steady state -> fault under load -> heal -> recovery -> account.

The hypothesis is the objective itself: while nothing is broken every journey keeps it; while the fault
lasts a journey may be refused, in a way programs understand, and those that do not need what is broken
go on; after the healing all keep it again within the budget. What was acknowledged is there, once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Journey
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.drills.phases import Reading, Window, read
from shipworthy.gauntlet.drills.writes import Account, lost_ids, person_of_load, writer
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.load.plan import LoadPlan, LoadUser, PlanRefused
from shipworthy.gauntlet.load.process import LoadProcessFailed, run_in_process
from shipworthy.gauntlet.load.result import LoadResult, Progress
from shipworthy.gauntlet.probes.drill_account import Timeline
from shipworthy.gauntlet.probes.under_load import SEED

Inflict = Callable[[Exam, float], Awaitable[str]]
SUBJECT = "service"
LOAD_TIMEOUT_S = 12.0  # an answer that takes longer is a hang; the app's own bounds lie below
_START_TIMEOUT_S = 90.0  # for the generator's process to begin, on a busy machine
_RATE_PER_S_MAX = 12.0  # a drill asks whether it works, not how fast


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What is broken, for how long, and what must hold meanwhile.

    `inflict` (exam, lease) breaks it and says what it did; unless it `is_instant` (a kill), it is healed
    after `fault_s`. `holds` are the hosts whose journeys must not notice: "site" pages are served from memory.
    `may_cut`: requests in flight may be cut off, because who held them is dead.

    Units:   seconds; recovery counts from the healing, of a kill from the kill.
    """

    name: str
    inflict: Inflict
    fault_s: float = 8.0
    steady_s: float = 4.0
    recovery_s_max: float = 30.0
    after_s: float = 14.0
    holds: tuple[str, ...] = ()
    may_cut: bool = False
    is_instant: bool = False
    fix: str = ""

    @property
    def load_s(self) -> int:
        return round(self.steady_s + (0 if self.is_instant else self.fault_s) + self.after_s)


async def drilled(exam: Exam, drill: Drill) -> Sequence[Finding]:
    """Run one drill and return its finding. Everything broken is healed, whatever happens."""
    timeline, writing = Timeline(), await writer(exam)
    load = _Load(exam, await _plan(exam, drill))
    load.start()
    try:
        await load.reach(0.0)
        if writing is not None:
            writing.start()
        timeline.mark(f"steady: {', '.join(j.name for j in load.plan.journeys)} at their rates")
        window = await _broken(exam, drill, load, timeline)
        result = await load.ended()
    finally:
        load.give_up()
        if writing is not None:
            await writing.stop()
    account = await writing.close() if writing is not None else None
    timeline.mark("account closed")
    return [_judged(exam, drill, window, result, account, timeline)]


async def _broken(exam: Exam, drill: Drill, load: _Load, timeline: Timeline) -> Window:
    await load.reach(drill.steady_s)
    broken_s = load.now_s
    what = await drill.inflict(exam, drill.fault_s + LOAD_TIMEOUT_S)
    timeline.mark(what)
    exam.view.note(what)
    if drill.is_instant:
        return Window(broken_s=broken_s, healed_s=broken_s)
    await load.reach(broken_s + drill.fault_s)
    if failed := await exam.heal():
        exam.invalidate("; ".join(failed))
    healed_s = load.now_s
    timeline.mark("healed")
    return Window(broken_s=broken_s, healed_s=healed_s)


async def _plan(exam: Exam, drill: Drill) -> LoadPlan:
    manifest = exam.manifest
    if not manifest.journeys:
        raise Undecided("No journey is declared, so nothing shows what a fault does.")
    users = [LoadUser(credential=p, samples=await exam.samples_for(p)) for p in person_of_load(exam)]
    return LoadPlan(
        name=f"{exam.target.name}: {drill.name}",
        base_url=exam.handle.base_url,
        site_url=exam.handle.site_url,
        journeys=tuple(replace(j, rate_per_s=min(j.rate_per_s, _RATE_PER_S_MAX)) for j in manifest.journeys),
        slos=manifest.slos,
        users=tuple(users),
        login=manifest.login,
        code_folder=exam.target.folder,
        blocks=drill.load_s,
        block_s=1.0,
        warmup_s=2.0,
        timeout_s=LOAD_TIMEOUT_S,
        seed=SEED,
    )


class _Load:
    """The load of a drill, in its process, with the moment it began."""

    def __init__(self, exam: Exam, plan: LoadPlan) -> None:
        self._exam, self.plan = exam, plan
        self._loop, self._given_up = asyncio.get_running_loop(), threading.Event()
        self._began = asyncio.Event()
        self._zero = 0.0
        self._running: asyncio.Task[LoadResult] | None = None

    @property
    def now_s(self) -> float:
        """Seconds since the first measured one began."""
        return time.monotonic() - self._zero

    def start(self) -> None:
        self._running = asyncio.create_task(asyncio.to_thread(run_in_process, self.plan, self._on_second))

    async def reach(self, moment_s: float) -> None:
        """Wait for a moment of the measured time. Errors: Undecided when the load does not begin or ends."""
        assert self._running is not None
        beginning = asyncio.create_task(self._began.wait())
        done, _ = await asyncio.wait(
            {beginning, self._running}, timeout=_START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        beginning.cancel()
        if self._running in done:
            await self.ended()  # says why
        if not self._began.is_set():
            raise Undecided("The load did not begin.", fix="Run it on a quieter machine.")
        await asyncio.sleep(max(0.0, moment_s - self.now_s))

    async def ended(self) -> LoadResult:
        """Return the result. Errors: Undecided when there is none."""
        assert self._running is not None
        try:
            result = await self._running
        except (PlanRefused, LoadProcessFailed) as failed:
            raise Undecided(f"The load could not be offered: {failed}") from failed
        if result.aborted:
            raise Undecided(f"The load was given up: {result.aborted}")
        return result

    def give_up(self) -> None:
        self._given_up.set()

    def _on_second(self, progress: Progress) -> None:
        if self._given_up.is_set():
            raise LoadProcessFailed("the drill was stopped")
        self._loop.call_soon_threadsafe(self._told, progress)

    def _told(self, progress: Progress) -> None:
        if not self._began.is_set():  # told at the end of its second
            self._zero = time.monotonic() - (progress.second + 1)
            self._began.set()
        self._exam.view.progress(progress.second + 1, progress.seconds)


def _judged(
    exam: Exam,
    drill: Drill,
    window: Window,
    result: LoadResult,
    account: Account | None,
    timeline: Timeline,
) -> Finding:
    readings = [read(j, window, may_cut=drill.may_cut) for j in result.journeys]
    held = {j.name for j in exam.manifest.journeys if drill.holds and _hosts(j) <= set(drill.holds)}
    wrong = [*_wrong(drill, readings, held), *_wrong_account(account)]
    marks = ((window.broken_s, drill.name), (window.healed_s, "healed"))
    exam.series += [
        replace(j.series, journey=f"{j.journey}, {drill.name}", marks=marks) for j in result.journeys
    ]
    recovery_s = max((r.recovery_s for r in readings if r.recovery_s is not None), default=0.0)
    facts = {
        "measures": _measures(drill, readings, recovery_s, account),
        "evidence": (_table(readings), timeline.evidence(), *(account.evidence() if account else ())),
    }
    before = sum(reading.before for reading in readings)
    if before:
        raise Undecided(
            f"{before} requests failed before anything was broken.",
            fix="Look at the objectives under load first: shipworthy gauntlet --only slo",
            evidence=(_table(readings),),
        )
    if wrong:
        is_lost = account is not None and bool(account.lost or account.missing)
        return exam.finding(
            SUBJECT,
            Verdict.FAIL,
            wrong[0],
            severity=Severity.CRITICAL if is_lost else Severity.HIGH,
            cause=" ".join(f"{sentence}." for sentence in wrong),
            fix=drill.fix,
            **facts,
        )
    refused = sum(reading.typed for reading in readings)
    kept = f"{account.acknowledged} acknowledged writes are there, once; " if account else ""
    title = f"Degrades and recovers in {recovery_s:.0f} s: {kept}{refused} requests were refused in words programs understand"
    return exam.finding(SUBJECT, Verdict.PASS, title, **facts)


def _wrong(drill: Drill, readings: Sequence[Reading], held: set[str]) -> list[str]:
    found = []
    for reading in readings:
        if reading.untyped:
            code = max(reading.untyped, key=lambda code: reading.untyped[code])
            found.append(f"{reading.journey} answered {reading.untyped[code]} requests with {code}")
        if reading.recovery_s is None:
            found.append(f"{reading.journey} did not recover within {drill.after_s:g} s of the healing")
        elif reading.recovery_s > drill.recovery_s_max:
            found.append(f"{reading.journey} took {reading.recovery_s:.0f} s to recover")
        if reading.journey in held and (reading.during or reading.bad_during_s > 1):
            found.append(
                f"{reading.journey} needs nothing that was broken and yet was bad in {reading.bad_during_s} seconds"
            )
    return found


def _wrong_account(account: Account | None) -> list[str]:
    if account is None:
        return []
    found = []
    if account.lost:
        found.append(
            f"{len(account.lost)} of {len(account.writes)} writes to {account.route} are not what was acknowledged "
            f"(lost, or answered otherwise): {lost_ids(account.lost)}"
        )
    if account.missing:
        found.append(
            f"{account.missing} keys of {account.route} are answered and what they made is not there"
        )
    if account.doubled:
        found.append(
            f"{account.route} left {account.doubled:.0f} rows too many: a request sent again was done again"
        )
    if account.untyped:
        statuses = {write.first.status for write in account.untyped if write.first}
        found.append(
            f"{account.route} refused {len(account.untyped)} writes with {', '.join(map(str, sorted(statuses)))} "
            "and without saying when to come back"
        )
    return found


def _measures(
    drill: Drill, readings: Sequence[Reading], recovery_s: float, account: Account | None
) -> tuple[Measure, ...]:
    untyped = sum(sum(reading.untyped.values()) for reading in readings)
    found = [
        Measure(name="recovery", unit="s", estimate=round(recovery_s, 1), bound=drill.recovery_s_max),
        Measure(name="refused in known words", unit="requests", estimate=sum(r.typed for r in readings)),
        Measure(name="untyped errors", unit="requests", estimate=untyped, bound=0),
    ]
    if account is not None:
        found += [
            Measure(name="lost", unit="writes", estimate=len(account.lost) + account.missing, bound=0, samples=len(account.writes)),
            Measure(name="doubled", unit="rows", estimate=account.doubled, bound=0),
            Measure(name="slowest answer to a write", unit="s", estimate=round(account.slowest_s, 1)),
        ]  # fmt: skip
    return tuple(found)


def _table(readings: Sequence[Reading]) -> Evidence:
    from shipworthy.gauntlet.evidence import table_evidence

    rows = [
        (
            r.journey,
            r.typed,
            ", ".join(f"{n} {code}" for code, n in r.untyped.items()) or "0",
            r.bad_during_s,
            "no" if r.recovery_s is None else f"{r.recovery_s:.0f} s",
        )
        for r in readings
    ]
    return table_evidence(
        "What each journey went through",
        ("journey", "refused", "untyped", "bad seconds", "recovered in"),
        rows,
    )


def _hosts(journey: Journey) -> set[str]:
    return {step.host for step in journey.steps}
