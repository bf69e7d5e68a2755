"""The run: the only control flow. Start the target, ask every planned check, heal, stop, conclude.

Whatever happens (a crash, a timeout, Ctrl-C, SIGTERM, the app's own death) becomes a finding or
makes the run invalid; what was started is stopped and what was broken is healed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from shipworthy import __version__
from shipworthy.contract.finding import Finding, RunResult
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.adapters.instance import NOT_STARTED, StartFailed
from shipworthy.gauntlet.adapters.shipworthy import STATE
from shipworthy.gauntlet.adapters.start import started
from shipworthy.gauntlet.check import Check, Mode, Undecided
from shipworthy.gauntlet.evidence import log_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.idp.beside import welcome, with_provider
from shipworthy.gauntlet.machine import commit_of, machine_facts
from shipworthy.gauntlet.plan import PlannedCheck, plan, still_possible
from shipworthy.gauntlet.proxy.beside import outlive_us, with_proxies
from shipworthy.gauntlet.subjects import crashed_finding, undecided_finding
from shipworthy.gauntlet.view import QUIET, View

HEAL_TIMEOUT_S = 60.0


async def run(
    target: Target,
    checks: Sequence[Check],
    *,
    mode: Mode = "quick",
    only: str | None = None,
    stages: Sequence[str] = (),
    view: View = QUIET,
    folder: Path | None = None,
) -> RunResult:
    """Examine `target` and return what was concluded; checks may leave files in `folder`.

    Errors:  UnknownName for an `only` or stage that fits nothing. Nothing else: a target that
             does not start, or a run that is interrupted, is an invalid result.
    Example: asyncio.run(run(load_target_file(path), ALL_CHECKS, view=LiveView()))
    """
    planned = plan(target, checks, mode=mode, only=only, stages=stages)
    course = _Course(target, planned, mode, view, folder)
    view.planned(planned)
    with _interruptible() as interruption:
        walking = asyncio.create_task(course.walk())
        interruption.task = walking
        try:
            await walking
        except asyncio.CancelledError:
            if not interruption.signal_name:
                raise  # somebody else's wish, not a signal to us
            course.interrupted_by(interruption.signal_name)
    return course.result("partial" if only or stages else mode)


class _Course:
    """One run under way: what was concluded so far."""

    def __init__(
        self, target: Target, planned: tuple[PlannedCheck, ...], mode: Mode, view: View, folder: Path | None
    ) -> None:
        self._target, self._planned, self._mode, self._view = target, planned, mode, view
        self._folder = folder
        self._findings: dict[int, list[Finding]] = {}
        self._exam: Exam | None = None
        self._of_files: Exam | None = None
        self._invalid: list[str] = []
        self._facts = machine_facts()
        self._began_at, self._began = datetime.now(UTC), time.monotonic()

    async def walk(self) -> None:
        if all(item.obstacle or item.check.of_files for item in self._planned):
            await self._look_at_files()
            return  # nothing could be asked: no need to start anything
        scratch = scratch_directory()
        looking = asyncio.create_task(self._look_at_files())  # meanwhile the app starts
        try:
            self._view.note(f"starting {self._target.name}")
            async with (
                with_proxies(self._target, self._planned, state=scratch / STATE) as (behind, proxies),
                with_provider(behind, proxies.get("oidc") if proxies else None) as (target, provider),
                started(target, scratch) as instance,
            ):
                await outlive_us(proxies, instance.handle)
                welcome(target, provider, instance.handle)
                self._exam = Exam(
                    target, instance, mode=self._mode, view=self._view, provider=provider, proxies=proxies
                )
                try:
                    await looking
                    await self._ask_all(self._exam, of_files=False)
                finally:
                    await self._exam.close()
                    self._view.note(f"stopping {self._target.name}")
        except StartFailed as failed:
            self._invalid.append(f"{self._target.name} did not start. {failed}")
        finally:
            await _given_up(looking)
            shutil.rmtree(scratch, ignore_errors=True)

    async def _look_at_files(self) -> None:
        if not any(item.check.of_files and not item.obstacle for item in self._planned):
            return
        exam = Exam(self._target, NOT_STARTED, mode=self._mode, view=self._view, folder=self._folder)
        self._of_files = exam
        try:
            await self._ask_all(exam, of_files=True)
        finally:
            await exam.close()

    def interrupted_by(self, signal_name: str) -> None:
        self._invalid.append(f"it was interrupted ({signal_name}) before it was through")

    def result(self, mode: str) -> RunResult:
        """Return the conclusion. Every planned check has an answer in it."""
        exam = self._exam
        invalid = [*self._invalid, *(exam.invalid_because if exam else ())]
        unreached = invalid[0] if invalid else "The check was not reached."
        findings = [
            finding
            for number, item in enumerate(self._planned)
            for finding in self._findings.get(number) or [_unreached(item, unreached)]
        ]
        return RunResult(
            run_id=f"{self._began_at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            target=self._target.name,
            mode=mode,
            started_at=self._began_at.isoformat(timespec="seconds"),
            duration_s=round(time.monotonic() - self._began, 3),
            version=__version__,
            commit=commit_of(Path(self._target.workdir)),
            machine=self._facts,
            findings=tuple(findings),
            series=tuple(exam.series) if exam else (),
            distributions=tuple(exam.distributions) if exam else (),
            error_rates=tuple(
                {rates.rule: rates for one in self._exams() for rates in one.error_rates}.values()
            ),
            snapshot=dict(sorted(exam.seen.items())) if exam else {},
            valid=not invalid,
            notes=(*invalid, *(exam.notes if exam else ())),
        )

    def _exams(self) -> list[Exam]:
        return [exam for exam in (self._of_files, self._exam) if exam is not None]

    async def _ask_all(self, exam: Exam, *, of_files: bool) -> None:
        for number, item in enumerate(self._planned):
            if item.check.of_files is not of_files:
                continue
            possible = still_possible(item, exam.capabilities)
            exam.begin(possible)
            self._findings[number] = exam.told  # grows while the check answers
            self._view.check_begins(possible)
            try:
                await _ask(exam, possible)
            finally:
                await self._clean_up(exam)
            self._view.check_ends(possible)
            if loss := exam.proxies.died() if exam.proxies else "":
                self._invalid.append(f"{loss} The app was cut off from what it needs")
                return
            if death := exam.instance.died():
                exam.tell(_died(exam, death))
                return
            if not of_files and (silence := await exam.silence()):
                exam.tell(_died(exam, silence, title="The app stopped answering while it was examined"))
                return

    async def _clean_up(self, exam: Exam) -> None:
        try:
            async with asyncio.timeout(HEAL_TIMEOUT_S):
                self._invalid += await exam.heal()
                await exam.forget()
        except TimeoutError:
            self._invalid.append(f"healing took more than {HEAL_TIMEOUT_S:g} s and was given up")


async def _given_up(task: asyncio.Task[None]) -> None:
    """See a task end: by itself where the run goes on without it, at once where the run was cancelled."""
    current = asyncio.current_task()
    if current is not None and current.cancelling():
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _ask(exam: Exam, planned: PlannedCheck) -> None:
    """Run one check; whatever it does, at least one finding has been told afterwards."""
    if planned.obstacle:
        exam.tell(planned.not_measured())
        return
    check, subject = planned.check, planned.subject or "all"
    deadline = asyncio.timeout(check.timeout_s)
    try:
        async with deadline:
            for finding in await check.run(exam):
                if finding not in exam.told and exam.wants(finding.subject):
                    exam.tell(finding)
    except Undecided as undecided:
        exam.tell(undecided_finding(exam, subject, undecided))
    except Exception as crash:  # the stage edge: a crash is an answer nobody can rely on
        if deadline.expired():
            late = Undecided(
                f"It took longer than {check.timeout_s:g} s and was stopped.",
                fix="Run it alone on a quieter machine: shipworthy gauntlet --only " + check.name,
            )
            exam.tell(undecided_finding(exam, subject, late))
        else:
            exam.tell(crashed_finding(exam, subject, crash))
    if not exam.told:
        exam.tell(_nothing_to_see(planned))


def _nothing_to_see(planned: PlannedCheck) -> Finding:
    why = "There was nothing to look at."
    if planned.subject:
        why = f"The check knows no subject {planned.subject!r} on this target."
    title = f"{planned.check.title}: not measured"
    return planned.check.finding(planned.subject or "all", Verdict.NOT_MEASURED, title, cause=why)


def _unreached(planned: PlannedCheck, why: str) -> Finding:
    if planned.obstacle:
        return planned.not_measured()
    title = f"{planned.check.title}: not measured"
    return planned.check.finding(planned.subject or "all", Verdict.NOT_MEASURED, title, cause=why)


def _died(exam: Exam, death: str, *, title: str = "The app ended while it was examined") -> Finding:
    """An app that ends, or falls silent, while it is examined has failed, whatever was being asked."""
    assert exam.planned is not None
    check = exam.planned.check
    logs = (log_evidence(path) for path in exam.handle.log_files)
    return check.finding(
        "the app itself",
        Verdict.FAIL,
        title,
        severity=Severity.CRITICAL,
        cause=f"{death} That was during: {check.title}.",
        fix=f"Repeat with: shipworthy gauntlet --only {check.name}, and read the end of its log.",
        evidence=tuple(log for log in logs if log),
    )


def scratch_directory() -> Path:
    """Return a new directory for logs and state. Root's must be passable for the database's own user."""
    scratch = Path(tempfile.mkdtemp(prefix="shipworthy-gauntlet-"))
    if os.geteuid() == 0:
        scratch.chmod(0o711)
    return scratch


class _Interruption:
    """The first SIGINT or SIGTERM: it cancels the walk once; later ones must not cut the healing short."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.signal_name = ""

    def arrived(self, number: signal.Signals) -> None:
        if not self.signal_name and self.task is not None:
            self.signal_name = number.name
            self.task.cancel()


@contextlib.contextmanager
def _interruptible() -> Iterator[_Interruption]:
    interruption, loop = _Interruption(), asyncio.get_running_loop()
    handled = []
    # Only the main thread may handle signals; a run in another one is stopped by cancelling it.
    with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interruption.arrived, number)
            handled.append(number)
    try:
        yield interruption
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
