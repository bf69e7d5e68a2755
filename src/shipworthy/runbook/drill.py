"""A drill: a page's own steps, run as they stand there, with the page's fault injected.

1. before the fault no check holds (a check that always holds detects nothing)
2. the fault is injected; every check comes to hold: detected
3. not every verify holds yet (a verify that cannot fail proves nothing)
4. the acts are done; every verify comes to hold: repaired
5. what undoes the acts works, too

A page without a fault is a procedure: its checks are what must be given, and there is nothing to detect.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, Protocol

from shipworthy.runbook.page import Page, Stamp, Step

_AGAIN_S = 0.5
_SAID_CHARS_MAX = 4000


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came of running a step once. `code` is the exit code, the status, the number of rows; None: not done."""

    code: int | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A step as the drill saw it last."""

    stage: str  # before | fault | check | unrepaired | act | verify | undo | heal
    title: str
    held: bool
    code: int | None
    said: str
    took_s: float


@dataclass(kw_only=True)
class Report:
    """What a drill found. `why` is empty when it passed."""

    page: str
    page_sha256: str
    why: str = ""
    detected_s: float | None = None
    repaired_s: float | None = None
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def result(self) -> Literal["passed", "failed"]:
        return "failed" if self.why else "passed"

    @property
    def evidence(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def stamp(self, *, date: str, commit: str) -> Stamp:
        return Stamp(
            date=date,
            commit=commit,
            result=self.result,
            page=self.page_sha256,
            evidence=hashlib.sha256(self.evidence.encode()).hexdigest(),
            detected_s=None if self.detected_s is None else round(self.detected_s, 1),
            repaired_s=None if self.repaired_s is None else round(self.repaired_s, 1),
        )


class Hands(Protocol):
    """Who can do what a step says, on an app that may be broken."""

    async def do(self, step: Step) -> Said:
        """Do it once. Whatever fails is said, not raised."""

    def filled(self, text: str) -> str:
        """Return a text with what stands for its $NAMES."""

    async def begin_load(self, steps: Sequence[Step]) -> None:
        """Ask the app for something, over and over, until `end`."""

    async def end(self) -> None:
        """End the load and take every fault back, whatever happened."""


def holds(step: Step, said: Said) -> bool:
    """Say whether a step's answer is what its page expects."""
    if said.code is None or (step.says and step.says not in said.text):
        return False
    low, dots, high = step.expect.partition("..")
    if dots:
        return int(low or 0) <= said.code <= (int(high) if high else 10**9)
    if step.expect:
        return said.code == int(step.expect)
    return {"sh": said.code == 0, "http": 200 <= said.code < 400, "provider": 200 <= said.code < 400}.get(
        step.language, True
    )


async def drill(page: Page, hands: Hands) -> Report:
    """Run a page's steps. Whatever happens, the faults are taken back before this returns."""
    report = Report(page=page.name, page_sha256=page.sha256)
    try:
        await _drilled(page, hands, report)
    except _Failed as failed:
        report.why = failed.args[0]
    finally:
        try:
            for step in page.of("heal"):
                await _once(hands, step, "heal", report)
        finally:
            await hands.end()
    return report


class _Failed(Exception):
    """The drill ends here; the sentence says why."""


async def _drilled(page: Page, hands: Hands, report: Report) -> None:
    if not page.of("act") or not page.of("verify"):
        raise _Failed("The page has no act, or no verify step: nothing would be proven.")
    await _quiet_before(page, hands, report)
    await hands.begin_load(page.of("load"))
    await _each(page, "fault", hands, report, why="The fault could not be injected")
    broken_at = time.monotonic()
    is_broken = bool(page.of("fault"))
    await _each(page, "check", hands, report, why="Not detected" if is_broken else "Not given", waits=True)
    if is_broken:
        report.detected_s = time.monotonic() - broken_at
    if all([await _once(hands, step, "unrepaired", report) for step in page.of("verify")]):
        raise _Failed("Every verify step holds before anything was done, so they prove nothing.")
    await _each(page, "act", hands, report, why="This act failed")
    await _each(page, "verify", hands, report, why="Not repaired", waits=True)
    report.repaired_s = time.monotonic() - broken_at
    await _each(page, "undo", hands, report, why="This cannot be undone")


async def _quiet_before(page: Page, hands: Hands, report: Report) -> None:
    """Before anything is broken no check holds."""
    if page.of("fault") and not page.of("check"):
        raise _Failed("The page has a fault and no check that would detect it.")
    for step in page.of("check") if page.of("fault") else ():
        if await _once(hands, step, "before", report):
            raise _Failed(f"This check holds before anything is broken, so it detects nothing: {step.title}")


async def _each(
    page: Page, kind: str, hands: Hands, report: Report, *, why: str, waits: bool = False
) -> None:
    for step in page.of(kind):
        held = await (_until_held if waits else _once)(hands, step, kind, report)
        if not held:
            raise _Failed(f"{why}: {step.title}. {report.outcomes[-1].said[:300]}")


async def _once(hands: Hands, step: Step, stage: str, report: Report) -> bool:
    began = time.monotonic()
    said = await hands.do(step)
    held = holds(replace(step, says=hands.filled(step.says)), said)
    report.outcomes.append(
        Outcome(
            stage=stage,
            title=step.title,
            held=held,
            code=said.code,
            said=said.text[:_SAID_CHARS_MAX],
            took_s=round(time.monotonic() - began, 2),
        )
    )
    return held


async def _until_held(hands: Hands, step: Step, stage: str, report: Report) -> bool:
    """Do a step until it holds or its time is over; of all the tries the last is kept."""
    deadline = time.monotonic() + step.within_s
    while True:
        held = await _once(hands, step, stage, report)
        if held or time.monotonic() > deadline:
            return held
        report.outcomes.pop()
        await asyncio.sleep(_AGAIN_S)
