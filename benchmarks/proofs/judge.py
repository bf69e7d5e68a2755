"""`make proof NAME=judge`: R2 on real servers, identical ones and one seeded to be a fifth slower.

Each duet starts two server processes, loads both at once through the gauntlet's engine, and
judges 30 one-second blocks; identical pairs and slower ones take turns. 20 of each take about
24 minutes (36 seconds a duet); `--pairs` takes fewer. A duet with more than a fifth of its
blocks void is repeated once (R5). Loopback only.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.judge.server import running_server
from benchmarks.report import Report, publish, show_table
from shipworthy.contract.manifest import Journey, Slo, Step
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.process import run_duet_in_process
from shipworthy.judge.regression import DUET, Pair, RegressionJudgement, blocks_needed, judge_regression
from shipworthy.judge.validity import is_run_valid

PAIRS = 20
SLOWER = 1.20
QUANTILE = 0.95
BLOCKS = 30  # the rule takes 24, and a fifth may be void
BLOCK_S = 1.0
# A second of it holds the hundred requests a block needs, with room for the luck of arrivals.
RATE_PER_S = 140.0
_SLO = Slo(name="any", quantile=QUANTILE, threshold_ms=200)
_BOUNDS = {
    "false_alarm_share": "0.06 owed, as r2_false_alarm",
    "detection_share": "0.8 owed, as r2_power_20pct",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One duet: how much slower the head really was, and what was said of it."""

    slower: float
    judgement: RegressionJudgement
    repeated: bool
    failures: int


def main() -> None:
    """Run the duets, print each, and publish the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="duets of each kind; 36 seconds each")
    pairs = parser.parse_args().pairs
    began = time.monotonic()
    outcomes = [
        _outcome(seed=1 + 2 * number + (slower > 1.0), slower=slower)
        for number in range(pairs)
        for slower in (1.0, SLOWER)
    ]
    _show(outcomes)
    publish(_report(outcomes, pairs=pairs, minutes=(time.monotonic() - began) / 60), bounds=_BOUNDS)


def _outcome(*, seed: int, slower: float) -> Outcome:
    blocks, failures = _measured(seed=seed, slower=slower)
    repeated = not is_run_valid([block.void for block in blocks])
    if repeated:
        blocks, failures = _measured(seed=seed, slower=slower)
    judgement = judge_regression(blocks, quantile=QUANTILE)
    return Outcome(slower=slower, judgement=judgement, repeated=repeated, failures=failures)


def _measured(*, seed: int, slower: float) -> tuple[tuple[Pair, ...], int]:
    with running_server(seed=seed) as base, running_server(seed=seed + 1_000, slower=slower) as head:
        plan = LoadPlan(
            name="proof-judge",
            base_url=base,
            head_url=head,
            journeys=(
                Journey(
                    name="ask",
                    slo=_SLO.name,
                    rate_per_s=RATE_PER_S,
                    steps=(Step(method="GET", path="/", expect=(200,)),),
                    login=False,
                ),
            ),
            slos=(_SLO,),
            blocks=BLOCKS,
            block_s=BLOCK_S,
            warmup_s=2.0,
            seed=seed,
        )
        result = run_duet_in_process(plan)
    if result.aborted:
        raise RuntimeError(f"the duet was not measured: {result.aborted}")
    failures = sum(sum(arm.journey("ask").failures.values()) for arm in (result.base, result.head))
    return result.blocks("ask"), failures


def _report(outcomes: list[Outcome], *, pairs: int, minutes: float) -> Report:
    said = {
        slower: Counter(o.judgement.verdict for o in outcomes if o.slower == slower)
        for slower in (1.0, SLOWER)
    }
    spreads = sorted(o.judgement.spread for o in outcomes if o.judgement.spread > 0)
    spread = spreads[len(spreads) // 2] if spreads else math.nan
    failures, repeated = sum(o.failures for o in outcomes), sum(o.repeated for o in outcomes)
    return Report(
        name="proof-judge",
        figures={
            "pairs": pairs,
            "false_alarms": said[1.0][Verdict.FAIL],
            "false_alarm_share": round(said[1.0][Verdict.FAIL] / pairs, 4),
            "identical_passed": said[1.0][Verdict.PASS],
            "identical_inconclusive": said[1.0][Verdict.INCONCLUSIVE],
            "detected": said[SLOWER][Verdict.FAIL],
            "detection_share": round(said[SLOWER][Verdict.FAIL] / pairs, 4),
            "slower_passed": said[SLOWER][Verdict.PASS],
            "spread_median": round(spread, 4) if spreads else None,
            "minutes_for_10pct": round(blocks_needed(spread) * BLOCK_S / 60, 2) if spreads else None,
            "repeated": repeated,
            "minutes": round(minutes, 1),
        },
        valid=pairs >= PAIRS and failures == 0 and repeated <= pairs // 5,
        notes=[
            *([f"{pairs} pairs are fewer than the {PAIRS} a claim takes"] if pairs < PAIRS else []),
            *([f"{failures} requests failed"] if failures else []),
            *([f"{repeated} duets were repeated: the generator was late or busy"] if repeated else []),
        ],
    )


def _show(outcomes: list[Outcome]) -> None:
    show_table(
        f"{DUET.name}, p95, {BLOCKS} blocks of {BLOCK_S:g} s at {RATE_PER_S:g} requests/s in each arm",
        ("head", "verdict", "ratio", "low", "high", "base ms", "spread", "void blocks"),
        (
            (
                "identical" if o.slower == 1.0 else f"{o.slower - 1:.0%} slower",
                str(o.judgement.verdict),
                o.judgement.ratio,
                o.judgement.low,
                o.judgement.high,
                o.judgement.base_ms,
                o.judgement.spread,
                o.judgement.blocks_void,
            )
            for o in outcomes
        ),
    )


if __name__ == "__main__":
    main()
