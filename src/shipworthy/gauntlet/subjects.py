"""Asking the same question about many subjects, none able to silence the others."""

from __future__ import annotations

import asyncio
import itertools
import traceback
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.exam import Exam

T = TypeVar("T")


async def ask_each(
    exam: Exam,
    subjects: Iterable[tuple[str, T]],
    ask: Callable[[str, T], Awaitable[Finding]],
    *,
    source: Callable[[T], str] = lambda _: "",
    at_once: int = 1,
) -> list[Finding]:
    """Return one finding for each named subject that the run wants, in their order.

    A subject that cannot be decided, or whose question crashes, is INCONCLUSIVE with the
    reason; the others are still asked. Findings are told as they come. More `at_once` than one
    is for questions whose answer a busy machine cannot change.
    """
    wanted = [(name, subject) for name, subject in subjects if exam.wants(name)]
    gate, asked = asyncio.Semaphore(at_once), itertools.count()

    async def one(name: str, subject: T) -> Finding:
        async with gate:
            exam.view.progress(next(asked), len(wanted), name)
            try:
                if exam.is_silent and await exam.silence():
                    raise Undecided(
                        "The app had stopped answering, so it was not asked.",
                        fix="See the finding about the app itself.",
                    )
                finding = await ask(name, subject)
            except Undecided as undecided:
                finding = undecided_finding(exam, name, undecided, source=source(subject))
            except Exception as crash:  # one subject's crash must not hide what the others would show
                finding = crashed_finding(exam, name, crash, source=source(subject))
            exam.tell(finding)
            return finding

    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(one(name, subject)) for name, subject in wanted]
    return [task.result() for task in asking]


def undecided_finding(exam: Exam, subject: str, undecided: Undecided, *, source: str = "") -> Finding:
    """Return the INCONCLUSIVE, or the NOT MEASURED of what is not there, that says why."""
    is_missing = isinstance(undecided, Unmeasurable)
    return exam.finding(
        subject,
        Verdict.NOT_MEASURED if is_missing else Verdict.INCONCLUSIVE,
        f"{subject} could not be {'measured' if is_missing else 'decided'}",
        cause=undecided.why,
        fix=undecided.fix,
        evidence=undecided.evidence,
        source=source,
    )


def crashed_finding(exam: Exam, subject: str, crash: BaseException, *, source: str = "") -> Finding:
    """Return the INCONCLUSIVE of a question that crashed: an error of the examiner, not of the app."""
    return exam.finding(
        subject,
        Verdict.INCONCLUSIVE,
        f"{subject} could not be decided: the check crashed",
        cause=f"{type(crash).__name__}: {crash}",
        fix="This is an error of the gauntlet. Please report it with the evidence below.",
        evidence=(Evidence(kind="log", title="Where it crashed", text=_summary(crash)),),
        source=source,
    )


def _summary(crash: BaseException) -> str:
    """The last frames are the ones that tell; paths are kept as they are, values are not shown."""
    frames = traceback.extract_tb(crash.__traceback__)[-8:]
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames]
    return "\n".join([*lines, f"{type(crash).__name__}: {crash}"])
