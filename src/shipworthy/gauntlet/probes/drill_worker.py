"""L4, P7: the worker is killed under load; nothing is lost, nothing doubled, and it recovers in time.

Jobs are triggered all the while. The first kill is certain to hit a job in the middle: the table
it writes to is locked until the worker waits for it, then the worker dies and the lock is lifted.
Two more kills come at random moments. Meanwhile whoever triggers jobs must notice nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Job
from shipworthy.contract.target import Credential
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.call import subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import answer_evidence, request_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.kill_process import kill_process, restarted
from shipworthy.gauntlet.faults.lock_table import lock_table
from shipworthy.gauntlet.http import Answer, Unanswered
from shipworthy.gauntlet.probes.drill_account import Account, Rows, Timeline, rows_of
from shipworthy.gauntlet.probes.drill_sources import NotDrillable, Sources, Trigger
from shipworthy.gauntlet.subjects import ask_each

CAUGHT_WITHIN_S = 15.0  # for the worker to take a job and reach its write
GATHER_S = 0.5  # after the first, others of its batch reach the lock too
LEASE_S = 30.0
RANDOM_DELAY_S_MAX = 0.6
PROGRESS_WITHIN_S = 10.0  # for a restarted worker to finish something, so that it dies at work
_SEED = 4_711
_POLL_S = 0.1
_SHOWN = 5  # lost ids named in the finding
_FIX = (
    "Acknowledge a job after the transaction of its work has committed, and let a job whose worker fell silent be "
    "given out again; a unique row for each source makes twice once."
)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How much is asked of the app, and how long it may take.

    A job in the hands of a worker that died is given out again after a silence of seconds (ours:
    4). What that does twice shows only then, so the account is closed `redelivery_s` after the
    last kill and no earlier.
    """

    steady_jobs: int = 5
    steady_within_s: float = 30.0
    load_jobs: int = 40  # over four seconds
    load_per_s: float = 10.0
    random_kills: int = 2
    recovery_s_max: float = 30.0
    redelivery_s: float = 8.0


@dataclass
class _Drill:
    """One drill under way."""

    exam: Exam
    job: Job
    person: Credential
    pace: Pace
    sources: Sources
    rows: Rows
    timeline: Timeline = field(default_factory=Timeline)
    account: Account = field(default_factory=Account)
    sent: int = 0
    refused: list[tuple[Trigger, Answer | None]] = field(default_factory=list)
    caught: int = 0
    dead_pid: int = 0
    last_kill_s: float = 0.0
    recovered_s: float | None = None  # when the last row was there

    @property
    def recovery_s(self) -> float | None:
        """Seconds from the last kill to the last missing row; None when some never came."""
        return None if self.recovered_s is None else max(0.0, self.recovered_s - self.last_kill_s)

    def measures(self) -> tuple[Measure, ...]:
        recovery_s = self.recovery_s
        found = [
            Measure(name="lost", unit="jobs", estimate=len(self.account.lost), bound=0, samples=self.sent),
            Measure(name="doubled", unit="jobs", estimate=len(self.account.doubled), bound=0, samples=self.sent),
            Measure(name="failed triggers", unit="requests", estimate=len(self.refused), bound=0, samples=self.sent),
            Measure(name="caught in the middle", unit="jobs", estimate=self.caught),
        ]  # fmt: skip
        if recovery_s is not None:
            name = "recovery after the last kill"
            found.append(
                Measure(name=name, unit="s", estimate=round(recovery_s, 1), bound=self.pace.recovery_s_max)
            )
        return tuple(found)


async def worker_killed(exam: Exam, *, pace: Pace = Pace()) -> Sequence[Finding]:
    """Return one finding for each kind of job that says what triggers it and what it writes."""

    async def ask(kind: str, job: Job) -> Finding:
        try:
            return await _ask(exam, job, pace)
        except NotDrillable as lacking:
            return exam.finding(
                kind,
                Verdict.NOT_MEASURED,
                f"{kind}: not measured",
                cause=lacking.why,
                fix=lacking.fix,
                source=job.source,
            )

    return await ask_each(
        exam, [(job.kind, job) for job in exam.manifest.jobs], ask, source=lambda j: j.source
    )


async def _ask(exam: Exam, job: Job, pace: Pace) -> Finding:
    if missing := [name for name in ("writes", "source_column", "triggered_by") if not getattr(job, name)]:
        raise NotDrillable(
            f"The job does not say {', '.join(missing)}, so what it has done cannot be counted.",
            fix="Declare which route triggers it and which table holds one row for each source.",
        )
    person = exam.people[0]
    async with exam.database("admin").connection() as connection:
        drill = _Drill(
            exam=exam,
            job=job,
            person=person,
            pace=pace,
            sources=Sources(exam, job, person),
            rows=await rows_of(connection, job),
        )
        return await _drilled(drill)


async def _drilled(drill: _Drill) -> Finding:
    steady = await drill.sources.make(drill.pace.steady_jobs)
    for trigger in steady:
        await _trigger(drill, trigger)
    drill.timeline.mark(f"{drill.sent} jobs triggered, nothing broken")
    if drill.refused:
        trigger, answer = drill.refused[0]
        raise Undecided(
            f"{subject_of(drill.sources.route)} did not succeed before anything was broken.",
            fix="Let what the room creates be something the job can be triggered for.",
            evidence=_shown(trigger, answer),
        )
    if not await _all_done(drill, within_s=drill.pace.steady_within_s):
        return _not_steady(drill)
    drill.timeline.mark("all done: the steady state")
    waiting = await drill.sources.make(drill.pace.load_jobs)
    load = asyncio.create_task(_offer(drill, waiting))
    try:
        await _kill_in_the_middle(drill)
        await _kill_at_random(drill)
        await load
    finally:
        load.cancel()
    await _recovered(drill)
    return _judged(drill)


async def _offer(drill: _Drill, triggers: list[Trigger]) -> None:
    """Trigger the jobs at an even pace, whatever happens to the worker."""
    async with asyncio.TaskGroup() as group:
        for trigger in triggers:
            group.create_task(_trigger(drill, trigger))
            await asyncio.sleep(1 / drill.pace.load_per_s)
    drill.timeline.mark(f"{drill.sent} jobs triggered, {len(drill.refused)} triggers failed")


async def _trigger(drill: _Drill, trigger: Trigger) -> None:
    drill.sent += 1
    is_public = drill.sources.route.auth == "public"
    session = drill.exam.anonymous() if is_public else await drill.exam.session(drill.person)
    try:
        answer = await trigger.call.send(session)
    except Unanswered:
        drill.refused.append((trigger, None))
        return
    if answer.status in drill.sources.route.statuses:
        drill.account.triggered.append(drill.sources.source_of(trigger, answer))
    else:
        drill.refused.append((trigger, answer))


async def _kill_in_the_middle(drill: _Drill) -> None:
    """Kill the worker while it waits, in the middle of jobs, for the lock we hold."""
    exam, timeline = drill.exam, drill.timeline
    lock = await lock_table(exam, drill.rows.table, lease_s=LEASE_S)
    timeline.mark(f"{drill.rows.table} locked")
    try:
        await lock.waiters(at_least=1, timeout_s=CAUGHT_WITHIN_S)
        await asyncio.sleep(GATHER_S)
        waiting = await lock.waiters(at_least=0, timeout_s=0)
        drill.caught = len(waiting)
        await _kill(drill, f"in the middle of {drill.caught} jobs")
        await lock.cut_off(waiting)
    finally:
        await lock.release()
    timeline.mark(f"{drill.rows.table} released")


async def _kill_at_random(drill: _Drill) -> None:
    """Kill each restarted worker once it is at work again, after a random moment."""
    dice = random.Random(_SEED)  # noqa: S311 - moments, the same every time; not a secret
    for _ in range(drill.pace.random_kills):
        await _at_work(drill)
        await asyncio.sleep(dice.uniform(0, RANDOM_DELAY_S_MAX))
        await _kill(drill, "at a random moment")


async def _kill(drill: _Drill, when: str) -> None:
    drill.dead_pid = await kill_process(drill.exam, "worker")
    drill.last_kill_s = drill.timeline.mark(f"worker (pid {drill.dead_pid}) killed {when}")


async def _started_again(drill: _Drill) -> None:
    if await restarted(drill.exam, "worker", dead_pid=drill.dead_pid) is None:
        raise Undecided(
            "The worker was not started again after it was killed, so nothing can recover.",
            fix="Run the worker under a supervisor that starts it again.",
            evidence=(drill.timeline.evidence(),),
        )
    drill.timeline.mark("worker started again")


async def _at_work(drill: _Drill) -> None:
    """Wait until the restarted worker has written a row, so that it dies at work; not for ever."""
    await _started_again(drill)
    had = len(await _done(drill))
    deadline_s = drill.timeline.now_s + PROGRESS_WITHIN_S
    while drill.timeline.now_s < deadline_s:
        done = len(await _done(drill))
        is_idle = drill.sent == drill.pace.steady_jobs + drill.pace.load_jobs and done == len(
            drill.account.triggered
        )
        if done > had or is_idle:
            return
        await asyncio.sleep(_POLL_S)


async def _recovered(drill: _Drill) -> None:
    """Wait until every triggered job has its row, or the time is over; then see what comes twice."""
    await _started_again(drill)
    within_s = drill.last_kill_s + drill.pace.recovery_s_max - drill.timeline.now_s
    if await _all_done(drill, within_s=within_s):
        drill.recovered_s = drill.timeline.mark("every triggered job has its row")
    else:
        drill.timeline.mark(f"{len(drill.account.lost)} triggered jobs have no row")
    await asyncio.sleep(max(0.0, drill.last_kill_s + drill.pace.redelivery_s - drill.timeline.now_s))
    drill.account.rows = await drill.rows.of(drill.account.triggered)
    drill.timeline.mark(
        f"account closed: {len(drill.account.lost)} lost, {len(drill.account.doubled)} doubled"
    )


async def _all_done(drill: _Drill, *, within_s: float) -> bool:
    deadline_s = drill.timeline.now_s + within_s
    while len(await _done(drill)) < len(set(drill.account.triggered)):
        if drill.timeline.now_s > deadline_s:
            return False
        await asyncio.sleep(_POLL_S)
    return True


async def _done(drill: _Drill) -> dict[str, int]:
    found = await drill.rows.of(drill.account.triggered)
    drill.account.rows = found
    return found


def _judged(drill: _Drill) -> Finding:
    account, kind = drill.account, drill.job.kind
    wrong = []
    if account.lost:
        wrong.append(f"loses {_jobs(account.lost)} of {drill.sent}")
    if account.doubled:
        wrong.append(f"does {_jobs(account.doubled)} twice")
    if drill.refused:
        wrong.append(f"keeps {len(drill.refused)} of {drill.sent} requests from being taken")
    if wrong:
        return _failed(drill, f"{kind} {' and '.join(wrong)} when its worker is killed")
    if not drill.caught:
        raise Undecided(
            f"The worker was never caught in the middle of a job: it did not wait for {drill.rows.table} "
            f"within {CAUGHT_WITHIN_S:g} s. Nothing was lost, but little was proven.",
            evidence=(drill.timeline.evidence(),),
        )
    recovery_s = drill.recovery_s
    assert recovery_s is not None, "nothing is lost, so the last row was seen"
    return _finding(
        drill,
        Verdict.PASS,
        f"{kind} loses nothing and does nothing twice when its worker is killed {1 + drill.pace.random_kills} times; "
        f"it catches up in {recovery_s:.1f} s",
        evidence=(drill.timeline.evidence(),),
    )


def _failed(drill: _Drill, title: str) -> Finding:
    account, table = drill.account, drill.rows.table
    causes = []
    if account.lost:
        named = ", ".join(account.lost[:_SHOWN]) + (" …" if len(account.lost) > _SHOWN else "")
        causes.append(
            f"No row in {table} {drill.pace.recovery_s_max:g} s after the last kill for {drill.job.source_column} {named}. "
            f"{drill.caught} jobs were in the middle when the worker died: they were acknowledged, or forgotten, "
            "before they were done."
        )
    if account.doubled:
        named = ", ".join(account.doubled[:_SHOWN])
        causes.append(f"More than one row in {table} for {drill.job.source_column} {named}.")
    shown: tuple[Evidence, ...] = ()
    if drill.refused:
        causes.append("Requests that only queue a job did not succeed while the worker was away.")
        shown = _shown(*drill.refused[0])
    return _finding(
        drill,
        Verdict.FAIL,
        title,
        severity=Severity.CRITICAL if account.lost else Severity.HIGH,
        cause=" ".join(causes),
        fix=_FIX,
        evidence=(drill.timeline.evidence(), *shown),
    )


def _not_steady(drill: _Drill) -> Finding:
    lost = drill.account.lost
    return _finding(
        drill,
        Verdict.FAIL,
        f"{drill.job.kind} was not done for {_jobs(lost)} of {drill.sent}, before anything was broken",
        cause=f"No row in {drill.rows.table} {drill.pace.steady_within_s:g} s after it was triggered, for "
        f"{drill.job.source_column} {', '.join(lost[:_SHOWN])}. The worker was not killed at all.",
        fix="Read the worker's log: the job fails, or nobody takes it.",
        evidence=(drill.timeline.evidence(),),
    )


def _finding(drill: _Drill, verdict: Verdict, title: str, **facts: Any) -> Finding:
    known = {"source": drill.job.source, "measures": drill.measures()}
    return drill.exam.finding(drill.job.kind, verdict, title, **known, **facts)


def _jobs(sources: list[str]) -> str:
    return f"{len(sources)} {'job' if len(sources) == 1 else 'jobs'}"


def _shown(trigger: Trigger, answer: Answer | None) -> tuple[Evidence, ...]:
    asked = request_evidence(trigger.call, "A trigger that failed")
    return (asked, answer_evidence(answer)) if answer is not None else (asked,)
