"""Does the gauntlet catch what is planted, and keep quiet about what harms nobody?

The mutants of tests/product/mutants/, each on a copy of a filled database, with the seconds it took from
there to its conclusion. Caught means: by name, with the line, query or route it is about. Here are those
that need no load; `make proof NAME=mutants` takes all of them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from tests.support.mutants import Mutant, Outcome, examine, load_mutants
from tests.support.product import Templates

from benchmarks.report import Figure, Report, publish, show_table
from shipworthy.contract.verdict import Verdict

# What needs no load must be over within this, or nobody asks while they work.
QUICK_SECONDS_MAX = 25.0
# Of the cores, in the minute before: beyond it the same mutants took twice as long (measured 2026-11).
LOAD_BEFORE_MAX = 0.75
_BOUNDS = {
    "planted": "24",
    "caught": "all",
    "harmless": "8",
    "false_alarms": "0",
    "quick_s": "180 for 24 and 8",
    "quick_s_max": f"{QUICK_SECONDS_MAX:g}",
    "full_s": "1500",
}


def main() -> int:
    """Examine every mutant that needs no load."""
    return show([mutant for mutant in load_mutants() if not mutant.needs_load])


def show(mutants: Sequence[Mutant]) -> int:
    """Examine mutants, print one row for each, and the figures; 1 when one was not as it must be."""
    is_quiet = os.getloadavg()[0] < LOAD_BEFORE_MAX * (os.cpu_count() or 1)
    with ExitStack() as kept:
        templates = Templates(kept)
        outcomes = [_told(asyncio.run(examine(templates, mutant))) for mutant in mutants]
    show_table(
        "mutants (seconds from the filled database to the conclusion)",
        ("mutant", "kind", "right", "seconds", "what was said"),
        (
            (o.mutant.name, o.mutant.file.kind, "yes" if o.is_right else "NO", o.seconds, _short(o))
            for o in outcomes
        ),
    )
    wrong = [f"{outcome.mutant.name}: {outcome.said}" for outcome in outcomes if not outcome.is_right]
    noise = (
        [] if is_quiet else ["Others used this machine when it began: the seconds are shown, not claimed."]
    )
    publish(
        Report(
            name="mutants",
            figures=figures(outcomes),
            valid=is_quiet and all(outcome.result.valid for outcome in outcomes),
            notes=[*wrong, *_slow(outcomes), *noise],
        ),
        bounds=_BOUNDS,
    )
    return 1 if wrong else 0


def _told(outcome: Outcome) -> Outcome:
    """Say that one more is done: all of them take minutes."""
    mark = "yes" if outcome.is_right else "NO "
    print(f"{mark} {outcome.seconds:5.1f} s  {outcome.mutant.name}", file=sys.stderr, flush=True)
    return outcome


def figures(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Return the promised keys, and the seconds of each mutant; `full_s` only where load was among them.

    A false alarm is a failure that is not about what was planted, beside a planted defect or alone;
    on a harmless change it is also a check that could no longer decide.
    """
    planted = [outcome for outcome in outcomes if outcome.mutant.is_planted]
    quick = [outcome.seconds for outcome in outcomes if not outcome.mutant.needs_load]
    return {
        "planted": len(planted),
        "caught": sum(not outcome.missed for outcome in planted),
        "harmless": len(outcomes) - len(planted),
        "harmless_green": sum(outcome.is_right for outcome in outcomes if not outcome.mutant.is_planted),
        "false_alarms": sum(len(outcome.alarms) for outcome in outcomes),
        "quick_s": round(sum(quick), 1),
        "quick_s_max": round(max(quick), 1),
        "full_s": round(sum(outcome.seconds for outcome in outcomes), 1)
        if len(quick) < len(outcomes)
        else None,
        **{f"{outcome.mutant.name}_s": round(outcome.seconds, 1) for outcome in outcomes},
    }


def _short(outcome: Outcome) -> str:
    """Say the first finding whole; how many more there are is enough."""
    failed = [finding for finding in outcome.result.findings if finding.verdict is Verdict.FAIL]
    if not outcome.is_right or not failed:
        return outcome.said
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return failed[0].title + more


def _slow(outcomes: Sequence[Outcome]) -> list[str]:
    return [
        f"{outcome.mutant.name} took {outcome.seconds:.0f} s; {QUICK_SECONDS_MAX:g} s are owed on a quiet machine."
        for outcome in outcomes
        if not outcome.mutant.needs_load and outcome.seconds > QUICK_SECONDS_MAX
    ]


if __name__ == "__main__":
    sys.exit(main())
