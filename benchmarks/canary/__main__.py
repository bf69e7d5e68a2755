"""`make bench NAME=canary`: thousands of simulated deploys, then real ones under 300 requests a second.

About twelve minutes. `--rounds 1 --healthy 1 --runs 200` looks whether it works.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import numpy as np

from benchmarks.canary import real
from benchmarks.canary.real import HEALTHY, KINDS, Deployed
from benchmarks.judge import traffic
from benchmarks.judge.noise import SEED
from benchmarks.judge.r4 import CanaryCell, played, show
from benchmarks.report import Report, publish, show_table

RUNS = 2_000  # simulated deploys a kind
# Healthy ones of every noise, and those whose failures are bounded.
_SIMULATED = {**traffic.HEALTHY, **{name: traffic.BROKEN[name] for name in ("dead", "30 % bad", "3 % errors", "one tenant dead")}}  # fmt: skip
_BOUNDS = {
    "false_rollback_rate": "0.01 owed",
    "outage_requests_median": "10 owed",
    "bad30_requests_median": "50 owed",
    "dropped_requests": "0 owed",
    "weight_zero_s": "2 owed",
    "kinds_rolled_back": "4 owed",
}


def main() -> None:
    """Simulate, deploy, and print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument(
        "--rounds", type=int, default=4, help="of the four kinds; dead and 30 % half as often"
    )
    parser.add_argument("--healthy", type=int, default=2, help="healthy versions deployed")
    chosen = parser.parse_args()
    cells = [
        played(name, *drawn(np.random.default_rng([SEED, 6, place]), chosen.runs))
        for place, (name, drawn) in enumerate(_SIMULATED.items())
    ]
    show(cells)
    done, visitors = asyncio.run(real.deploys(rounds=chosen.rounds, healthy=chosen.healthy, told=_told))
    _show(done)
    figures = {**_simulated(cells, runs=chosen.runs), **_real(done)}
    figures["dropped_requests"] = len(visitors.dropped)
    figures["visitors_lag_s_max"] = round(visitors.lag_s_max, 3)
    notes = [f"dropped: {', '.join(sorted(set(visitors.dropped))[:5])}"] if visitors.dropped else []
    whole = chosen.runs >= RUNS and len(done) >= 20
    if not whole:
        notes.append("too few deploys to claim anything")
    publish(
        Report(name="canary", figures=figures, valid=whole and visitors.lag_s_max < 1.0, notes=notes),
        bounds=_BOUNDS,
    )


def _simulated(cells: list[CanaryCell], *, runs: int) -> dict[str, float | int | None]:
    by = {cell.noise: cell for cell in cells}
    return {
        "simulated": runs * len(cells),
        "false_rollback_rate": max(by[name].rolled_back for name in traffic.HEALTHY),
        "outage_requests_median": by["dead"].requests_median,
        "outage_requests_p95": by["dead"].requests_p95,
        "bad30_requests_median": by["30 % bad"].requests_median,
        "bad30_requests_p95": by["30 % bad"].requests_p95,
        "bad3_requests_median": by["3 % errors"].requests_median,
    }


def _real(done: list[Deployed]) -> dict[str, float | int | None]:
    faulty = [one for one in done if one.kind != HEALTHY]
    zeros = [one.weight_zero_s for one in done if one.weight_zero_s is not None]

    def requests(kind: str) -> float | None:
        found = [one.requests for one in done if one.kind == kind and one.decision == "rolled back"]
        return float(np.median(found)) if found else None

    return {
        "real_deploys": len(done),
        "kinds_rolled_back": sum(
            all(one.decision == "rolled back" for one in faulty if one.kind == kind) for kind in KINDS
        ),
        "weight_zero_s": round(max(zeros), 3) if zeros else None,
        "canary_answers_after_zero": sum(one.after_zero for one in done),
        "real_false_rollbacks": sum(one.kind == HEALTHY and one.decision != "promoted" for one in done),
        "real_outage_requests_median": requests("dead"),
        "real_bad30_requests_median": requests("30 % errors"),
    }


def _told(one: Deployed) -> None:
    sys.stderr.write(
        f"{one.kind}: {one.decision} after {one.requests} requests, {one.took_s:.0f} s. {one.reason}\n"
    )


def _show(done: list[Deployed]) -> None:
    show_table(
        "real deploys (requests are the canary's until it was decided)",
        ("kind", "decision", "requests", "seconds", "weight 0 after s", "dropped"),
        (
            (
                one.kind,
                one.decision,
                one.requests,
                one.took_s,
                one.weight_zero_s if one.weight_zero_s is not None else "-",
                one.dropped,
            )
            for one in done
        ),
    )


if __name__ == "__main__":
    main()
