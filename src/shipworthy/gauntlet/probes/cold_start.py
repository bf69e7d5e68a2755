"""P4: how long the instance took from its start to its first answer, held against its budget.

The start is seen once a run, by whoever started the instance, so this is one sample and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.machine import core_share

# Of a core that a busy loop gets here; with less, a start says more of the others than of the app.
CORE_SHARE_MIN = 0.7


async def cold_start(exam: Exam, *, core_share: Callable[[], float] = core_share) -> Sequence[Finding]:
    """Return one finding; NOT MEASURED when no bound is declared, INCONCLUSIVE when others keep the cores busy."""
    took_s = exam.handle.started_in_s
    assert took_s is not None, "the check needs the capability 'started'"
    bounds = [budget.bound for budget in exam.manifest.budgets if budget.kind == "cold_start_s"]
    measure = Measure(
        name="cold start",
        unit="s",
        estimate=took_s,
        bound=min(bounds, default=None),
        samples=1,
        method="one start, from the process to its first answer",
    )
    if not bounds:
        return [
            exam.finding(
                "the app",
                Verdict.NOT_MEASURED,
                f"The app started in {took_s:.1f} s; no bound is declared",
                cause="No budget of this kind is declared.",
                fix='Declare [[budget]] kind = "cold_start_s" with its bound in seconds.',
                measures=(measure,),
            )
        ]
    if took_s > min(bounds):
        share = core_share()
        if share < CORE_SHARE_MIN:
            return [
                exam.finding(
                    "the app",
                    Verdict.INCONCLUSIVE,
                    f"The app took {took_s:.1f} s to start, of at most {min(bounds):g} s, on a machine that others keep busy",
                    severity=Severity.MEDIUM,
                    cause=f"A loop that only computes got {share:.0%} of a core here; {CORE_SHARE_MIN:.0%} are needed to judge.",
                    fix="Run it again on a quieter machine: shipworthy gauntlet --only budget.cold_start",
                    measures=(measure,),
                )
            ]
        return [
            exam.finding(
                "the app",
                Verdict.FAIL,
                f"The app took {took_s:.1f} s to start, where {min(bounds):g} s are allowed",
                severity=Severity.MEDIUM,
                cause="From the start of its process to its first answer; seen once.",
                fix="Profile its imports (python -X importtime), and put off what no request needs at once.",
                measures=(measure,),
            )
        ]
    title = f"The app started in {took_s:.1f} s, of at most {min(bounds):g} s (seen once)"
    return [exam.finding("the app", Verdict.PASS, title, severity=Severity.LOW, measures=(measure,))]
