"""`make bench NAME=judge`: every rule on every kind of noise, 10,000 runs a cell, in about five minutes.

`python -m benchmarks.judge --write` also renews the table that the product prints beside its
verdicts (src/shipworthy/judge/error_rates.json).
"""

from __future__ import annotations

import argparse
import json

from benchmarks.judge import r1, r2, r4
from benchmarks.judge.noise import SEED
from benchmarks.report import Report, publish
from shipworthy.judge import error_rates

RUNS = 10_000

_BOUNDS = {
    **{
        f"r1_false_{side}_{kind}": "0.06 owed"
        for side in ("pass", "fail")
        for kind in ("quiet", "overdispersed")
    },
    "r1_false_pass_bursty": "0.06 aimed",
    "r1_false_fail_bursty": "0.06 aimed",
    "r2_false_alarm": "0.06 owed",
    "r2_power_20pct": "0.8 owed",
    "r4_false_rollback_quiet": "0.01 owed",
    "r4_false_rollback_clustered": "0.01 owed",
    "r4_false_rollback_tenants": "0.01 owed",
    "r4_outage_requests_median": "10 aimed",
    "r4_bad30_requests_median": "50 aimed",
    "naive_threshold_wrong": "beside r1_wrong_same_truth",
    "naive_window_wrong": "beside r2_wrong_same_truth",
    "mann_whitney_wrong": "beside r2_wrong_same_truth",
}


def main() -> None:
    """Simulate, print the tables, and renew the product's table when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--write", action="store_true", help="renew src/shipworthy/judge/error_rates.json")
    chosen = parser.parse_args()
    proportions = sorted(r1.simulated(runs=chosen.runs), key=lambda cell: cell.rule, reverse=True)
    r1.show(proportions)
    duets = list(r2.simulated(runs=chosen.runs))
    r2.show(duets)
    canaries = list(r4.simulated(runs=chosen.runs))
    r4.show(canaries)
    if chosen.write:
        gates = [*r1.gates(proportions), *r2.gates(duets), *r4.gates(canaries)]
        error_rates.PATH.write_text(
            json.dumps(document(gates, runs=chosen.runs), indent=1) + "\n", encoding="utf-8"
        )
    figures = {**r1.figures(proportions), **r2.figures(duets), **r4.figures(canaries)}
    publish(Report(name="judge", figures=figures, valid=chosen.runs >= RUNS), bounds=_BOUNDS)


def document(gates: list[dict[str, object]], *, runs: int) -> dict[str, object]:
    """Return the committed table, with the constants it was made under."""
    return {
        "source": "python -m benchmarks.judge",
        "runs": runs,
        "seed": SEED,
        "rules": error_rates.fingerprint(),
        "gates": gates,
    }


if __name__ == "__main__":
    main()
