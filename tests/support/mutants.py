"""Planted defects and harmless changes: what each changes, who must notice, and whether it was noticed.

A mutant is a file of tests/product/mutants/. Judging is pure: from what the gauntlet concluded to
sentences about what it missed and what it said in vain.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shipworthy.contract.finding import Finding, RunResult
from shipworthy.contract.strict import decode
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.shipworthy import describe
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages import ALL_CHECKS
from tests.support.product import Patch, Templates, Written, copied, folder_with

FOLDER = Path(__file__).parent.parent / "product" / "mutants"
# What these stages ask takes its time whatever the machine: they offer load and wait for recovery.
LOAD_STAGES = ("drills", "load")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A finding that must fail: of this check, about this subject, naming all of `names` in its
    title, cause or evidence, and in `source` the file (and line) to look at."""

    check: str
    subject: str
    names: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class MutantFile:
    """One file of tests/product/mutants/."""

    kind: Literal["planted", "harmless"]
    title: str
    checks: tuple[str, ...]  # names as --only takes them; with a subject only where it is one check
    rooms: Literal["invoicing", "site"] = "invoicing"
    sql: tuple[str, ...] = ()
    patch: tuple[Patch, ...] = ()
    written: tuple[Written, ...] = ()
    found: tuple[Found, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mutant:
    name: str
    file: MutantFile

    @property
    def is_planted(self) -> bool:
        return self.file.kind == "planted"

    @property
    def needs_load(self) -> bool:
        return any(check.stage in LOAD_STAGES for check in self.asked)

    @property
    def asked(self) -> list[Check]:
        names = {check.partition(":")[0] for check in self.file.checks}
        return [check for check in ALL_CHECKS if check.name in names]

    @property
    def only(self) -> str | None:
        """The one check, with its subject, when there is one."""
        return self.file.checks[0] if len(self.file.checks) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a mutant. Units: seconds from the template database to the conclusion."""

    mutant: Mutant
    result: RunResult
    seconds: float
    missed: tuple[str, ...]
    alarms: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return not self.missed and not self.alarms

    @property
    def said(self) -> str:
        """One line for a person: what was found, or what is wrong with what was found."""
        if not self.is_right:
            return " ".join([*self.missed, *self.alarms])
        failed = [finding for finding in self.result.findings if finding.verdict is Verdict.FAIL]
        if failed:
            return "; ".join(f"{finding.id}: {finding.title}" for finding in failed)
        return f"green: {len(self.result.findings)} findings of {len(self.mutant.asked)} checks"


def load_mutants(folder: Path = FOLDER) -> list[Mutant]:
    """Read every mutant of a folder, the planted ones first.

    Errors:  Undecodable for what a file may not say; AssertionError for a check nobody knows.
    """
    mutants = []
    for path in sorted(folder.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        file = decode(MutantFile, tomllib.loads(text), source=path.name, text=text)
        mutant = Mutant(name=path.stem, file=file)
        _must_make_sense(mutant)
        mutants.append(mutant)
    return sorted(mutants, key=lambda mutant: not mutant.is_planted)


async def examine(templates: Templates, mutant: Mutant) -> Outcome:
    """Put a copy of the mutant's template with its changes through the mutant's checks."""
    template = templates.of(mutant.file.rooms)
    began = time.monotonic()
    with (
        copied(template, sql=mutant.file.sql, patches=mutant.file.patch) as command,
        folder_with(template, mutant.file.written) as home,
    ):
        target = await describe(home, command=command)
        result = await run(target, mutant.asked, only=mutant.only)
    seconds = time.monotonic() - began
    return Outcome(
        mutant=mutant,
        result=result,
        seconds=seconds,
        missed=tuple(missed(mutant, result)),
        alarms=tuple(alarms(mutant, result)),
    )


def _must_make_sense(mutant: Mutant) -> None:
    file, known = mutant.file, {check.name for check in ALL_CHECKS}
    unknown = {check.partition(":")[0] for check in file.checks} - known
    assert file.checks and not unknown, f"{mutant.name}: there is no check {unknown or 'named'}"
    assert len(file.checks) == 1 or not any(":" in check for check in file.checks), (
        f"{mutant.name}: a subject can be named for a single check only"
    )
    assert bool(file.found) == mutant.is_planted, f"{mutant.name}: what must be found fits no {file.kind} one"
    assert file.sql or file.patch or file.written, f"{mutant.name} changes nothing"


def missed(mutant: Mutant, result: RunResult) -> Iterator[str]:
    """Yield what should have been said and was not: a defect, or (harmless) that all is well."""
    if not result.valid:
        yield f"The run is not valid: {'; '.join(result.notes)}."
    for wanted in mutant.file.found:
        if not any(_is(finding, wanted) for finding in result.findings):
            seen = [f for f in result.findings if (f.check, f.subject) == (wanted.check, wanted.subject)]
            told = "; ".join(f"{f.verdict}: {f.title}. {f.cause} ({f.source})" for f in seen) or "nothing"
            yield f"{wanted.check}:{wanted.subject} did not fail naming {wanted.names}; said was {told}."
    for finding in result.findings:
        if finding.verdict is Verdict.FAIL and not finding.fix:
            yield f"{finding.id} fails and does not say what to do."
    for check in mutant.asked if not mutant.is_planted else ():
        if not any(check.answers(f.check) and f.verdict is Verdict.PASS for f in result.findings):
            yield f"{check.name} passed nothing."


def alarms(mutant: Mutant, result: RunResult) -> Iterator[str]:
    """Yield what was said in vain: beside a planted defect every failure that is not about it."""
    for finding in result.findings:
        is_undecided = finding.verdict is Verdict.INCONCLUSIVE and not mutant.is_planted
        if not is_undecided and finding.verdict is not Verdict.FAIL:
            continue
        if not any(finding.check == wanted.check and _names(finding, wanted) for wanted in mutant.file.found):
            yield f"{finding.verdict} in vain: {finding.id}: {finding.title}. {finding.cause}"


def _is(finding: Finding, wanted: Found) -> bool:
    return (
        (finding.check, finding.subject, finding.verdict) == (wanted.check, wanted.subject, Verdict.FAIL)
        and _names(finding, wanted)
        and wanted.source in finding.source
    )


def _names(finding: Finding, wanted: Found) -> bool:
    text = "\n".join([finding.title, finding.cause, *(evidence.text for evidence in finding.evidence)])
    return all(name in text for name in wanted.names)
