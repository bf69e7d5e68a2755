"""The plan: the whole list of what will be asked, in order, before anything is started.

Pure: from a target and the known checks to a tuple that can be printed. It refuses faults the
target does not allow and keeps what cannot be measured, with the reason: nothing is dropped
in silence.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.contract.finding import Finding
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.capabilities import expected, fault_refused, lack
from shipworthy.gauntlet.check import Check, Mode

# The playbook numbers the stages of a delivery; here they are called by what they look at.
DELIVERY = {
    "s1": ("code",),
    "s2": ("contract",),
    "s3": ("migrations",),
    "s4": ("build", "budgets"),
    "s5": ("preview",),
    "s6": ("canary",),
}
_RANGE = re.compile(r"(s\d)-(s\d)")  # --stage s1-s6


class UnknownName(ValueError):
    """`--only` or `--stage` names nothing there is; the message says the nearest."""


@dataclass(frozen=True, kw_only=True)
class PlannedCheck:
    """A check in its place. With `obstacle` set it will not run and yields NOT MEASURED."""

    check: Check
    subject: str | None = None  # --only CHECK:SUBJECT asks about this one subject
    obstacle: str = ""
    remedy: str = ""

    def not_measured(self) -> Finding:
        """Return the finding that stands in for this check."""
        return self.check.finding(
            self.subject or "all",
            Verdict.NOT_MEASURED,
            f"{self.check.title}: not measured",
            cause=self.obstacle,
            fix=self.remedy,
        )


def plan(
    target: Target,
    checks: Sequence[Check],
    *,
    mode: Mode = "quick",
    only: str | None = None,
    stages: Sequence[str] = (),
) -> tuple[PlannedCheck, ...]:
    """Return the checks of a run in order: by stage, those that disturb others after them, and those
    that lock people out last.

    Errors:  UnknownName for an `only` or a stage that fits no check.
    Example: plan(target, ALL_CHECKS, only="plans.index_used:invoicing.invoice_list")
    """
    chosen, subject = _chosen(checks, mode, only, stages)
    offered = expected(target)
    # Stable: keeps the order of stages among equals.
    in_order = sorted(chosen, key=lambda check: (check.disturbs, check.locks_out))
    return tuple(_planned(check, subject, target, offered) for check in in_order)


def still_possible(planned: PlannedCheck, offered: frozenset[str]) -> PlannedCheck:
    """Return the planned check with the obstacle that the running instance turned out to have."""
    obstacle, remedy = _lacking(planned.check, offered)
    if planned.obstacle or not obstacle:
        return planned
    return PlannedCheck(check=planned.check, subject=planned.subject, obstacle=obstacle, remedy=remedy)


def _chosen(
    checks: Sequence[Check], mode: Mode, only: str | None, stages: Sequence[str]
) -> tuple[list[Check], str | None]:
    if only is not None:
        name, _, subject = only.partition(":")
        found = [check for check in checks if check.answers(name) or name == check.stage]
        if not found:
            raise _unknown("check", name, [check.name for check in checks])
        return found, subject or None
    known = list(dict.fromkeys(check.stage for check in checks))
    stages = [name for named in stages for stage in _spread(named) for name in DELIVERY.get(stage, (stage,))]
    for stage in stages:
        if stage not in known:
            raise _unknown("stage", stage, known)
    if stages:
        return [c for c in checks if c.stage in stages and {mode, "stage"} & set(c.modes)], None
    return [c for c in checks if mode in c.modes], None


def _spread(stage: str) -> list[str]:
    """Return the stages a range like "s1-s6" names, in order; any other name as it is."""
    ends = _RANGE.fullmatch(stage)
    if ends is None:
        return [stage]
    first, last = ends.groups()
    if first > last:
        raise UnknownName(f"the stages {stage} go backwards; say {last}-{first}")
    within = [f"s{number}" for number in range(int(first[1]), int(last[1]) + 1)]
    if unknown := [name for name in within if name not in DELIVERY]:
        raise _unknown("stage", unknown[0], list(DELIVERY))
    return within


def _planned(check: Check, subject: str | None, target: Target, offered: frozenset[str]) -> PlannedCheck:
    obstacle, remedy = _lacking(check, offered, target.other_store)
    refused = [why for fault in check.faults if (why := fault_refused(target, fault))]
    if not obstacle and refused:
        obstacle = " ".join(refused)
        remedy = "Set target.allow_faults = true if this instance may be harmed."
    return PlannedCheck(check=check, subject=subject, obstacle=obstacle, remedy=remedy)


def _lacking(check: Check, offered: frozenset[str], other_store: str = "") -> tuple[str, str]:
    missing = [lack(need, other_store=other_store) for need in check.needs if need not in offered]
    whys, fixes = dict.fromkeys(why for why, _ in missing), dict.fromkeys(fix for _, fix in missing if fix)
    return " ".join(whys), " ".join(fixes)


def _unknown(kind: str, name: str, known: list[str]) -> UnknownName:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return UnknownName(f"there is no {kind} {name!r}; {hint}")
