"""`Check`: one question the gauntlet can ask, declared; `Undecided`: how a check says it cannot tell.

A check is data, so that the plan can be printed without starting anything. Its `run` gets the
`Exam` and returns findings, passes included: what it does not return was not looked at.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Severity, Verdict

if TYPE_CHECKING:
    from shipworthy.gauntlet.exam import Exam

Mode = Literal["quick", "full"]
When = Literal["quick", "full", "stage"]  # "stage": also in a quick run that names its stage
Run = Callable[["Exam"], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question: its name, what it needs, what it disturbs, and the code that asks it.

    `name` is the `check` of its findings, or their family: a check named "slo" may answer
    "slo.login" and "slo.page". `needs` are capabilities (see capabilities.py); one that is
    missing makes the check NOT MEASURED, with the reason. `faults` are what it inflicts, in
    the words of `Manifest.faults_allowed`. One that `disturbs` leaves the instance in a state
    in which others would measure wrongly (restarted processes, work in the queue): it runs after
    those that do not. One that `locks_out` keeps this address from signing in: it runs last of all.
    One `of_files` looks at the app's files, or at an instance of its own that it starts and stops: it is
    asked before anything else is started.

    Units:   `timeout_s` seconds; a check that takes longer is INCONCLUSIVE.
    """

    name: str
    title: str
    stage: str
    run: Run
    needs: tuple[str, ...] = ()
    playbook: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    disturbs: bool = False
    locks_out: bool = False
    of_files: bool = False
    modes: tuple[When, ...] = ("quick", "full")
    timeout_s: float = 120.0
    severity: Severity = Severity.HIGH

    def answers(self, finding_check: str) -> bool:
        """Say whether a finding of this `check` would come from here."""
        return finding_check == self.name or finding_check.startswith(f"{self.name}.")

    def finding(self, subject: str, verdict: Verdict, title: str, **facts: Any) -> Finding:
        """Return a finding of this check: stage, severity and playbook ids are filled in."""
        known = {
            "check": self.name,
            "stage": self.stage,
            "severity": self.severity,
            "playbook": self.playbook,
        }
        return Finding(**{**known, "subject": subject, "verdict": verdict, "title": title, **facts})


class Undecided(Exception):
    """A check cannot decide: the message says why, `fix` how it could. Becomes INCONCLUSIVE."""

    def __init__(self, why: str, *, fix: str = "", evidence: tuple[Evidence, ...] = ()) -> None:
        self.why, self.fix, self.evidence = why, fix, evidence
        super().__init__(why)


class Unmeasurable(Undecided):
    """What a check needs is not there (an extension, a right). Becomes NOT MEASURED, with `fix`."""
