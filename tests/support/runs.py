"""A past for tests and screenshots: the runs of some weeks, in which one time and one count got worse."""

from __future__ import annotations

import random
from dataclasses import replace

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.history.record import BETWEEN, Kept, Record, record_of
from tests.support.results import failing_result, passing_result

STEP = 14  # the run from which on logins take longer
_TIMES = (("login", 143.0, 200.0), ("invoice_create", 96.0, 700.0), ("page", 31.0, 150.0))


def past_runs(count: int = 24) -> tuple[Record, ...]:
    """Return so many runs, the newest last; the fourth does not count, and the last is of changes not committed."""
    luck = random.Random(20260801)  # the same runs every time
    passed, failed = record_of(passing_result()), record_of(failing_result())
    runs = []
    for number in range(count):
        base = failed if number == STEP else passed
        measures = {
            f"slo.{name}:{name}{BETWEEN}p95": Kept(
                estimate=round(
                    ms * luck.lognormvariate(0, 0.05) * (1.28 if name == "login" and number >= STEP else 1), 1
                ),
                unit="ms",
                bound=bound,
            )
            for name, ms, bound in _TIMES
        }
        queries = f"budget.queries_per_route:GET /api/invoices{BETWEEN}queries"
        measures[queries] = Kept(estimate=4.0 if number < STEP + 3 else 6.0, unit="queries", bound=6.0)
        commit = f"{0xA673A2D + number * 7919:07x}"
        runs.append(
            replace(
                base,
                run_id=f"202608{number + 1:02d}-090000-{number:06x}",
                started_at=f"2026-08-{number + 1:02d}T09:00:00+00:00",
                commit=f"{commit}+" if number == count - 1 else commit,
                valid=number != 3,
                verdict=Verdict.FAIL if number == STEP else Verdict.PASS,
                measures={**base.measures, **measures},
            )
        )
    return tuple(runs)
