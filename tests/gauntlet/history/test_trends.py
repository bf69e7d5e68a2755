"""What changed from run to run is told, by the run it changed with; what only wavered is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shipworthy.gauntlet.history.record import BETWEEN, Kept, Record, record_of
from shipworthy.gauntlet.history.trends import Trend, trends
from tests.support.results import passing_result

P95 = f"slo.login:login{BETWEEN}p95"
QUERIES = f"budget.queries_per_route:GET /api/invoices{BETWEEN}queries"
NOISE = (0.0, 3.0, -2.0, 1.0, -1.0, 4.0, -3.0, 0.5, 2.0, 1.5, -1.0, -2.0)
BASE = record_of(passing_result())


def runs(values: Sequence[float], *, name: str = P95, unit: str = "ms", **changes: object) -> list[Record]:
    return [
        replace(
            BASE,
            run_id=f"{number:04d}",
            commit=f"c{number:04d}",
            measures={name: Kept(estimate=value, unit=unit, bound=200.0)},
            **changes,  # type: ignore[arg-type]
        )
        for number, value in enumerate(values)
    ]


def only(found: list[Trend]) -> Trend:
    [trend] = found
    return trend


def test_a_time_that_stepped_up_is_told_with_the_run_it_did_so_in() -> None:
    trend = only(trends(runs([*(100 + n for n in NOISE), *(140 + n for n in NOISE)])))
    assert trend.is_worse
    assert trend.since is not None
    assert trend.since.commit == "c0012"
    assert only(trends(runs([100 + n for n in NOISE * 2]))).change is None


def test_runs_that_do_not_count_or_are_of_no_commit_or_another_machine_change_nothing() -> None:
    level, high = [100 + n for n in NOISE], [140 + n for n in NOISE]
    for apart in ({"valid": False}, {"machine": {"cpu": "another"}}, {"mode": "full"}):
        mixed = [*runs(high, **apart), *runs(level)]
        assert only(trends(mixed)).change is None, apart
    dirty = [replace(record, commit=record.commit + "+") for record in runs(high)]
    assert only(trends([*runs(level), *dirty])).change is None


def test_a_count_that_differs_has_changed_at_once_and_one_that_never_did_is_not_shown() -> None:
    [worse, better] = trends(
        [
            replace(a, measures={**a.measures, **b.measures})
            for a, b in zip(
                runs([3, 3, 3, 9], name=QUERIES, unit="queries"),
                runs([9, 9, 3, 3], name=f"x:y{BETWEEN}bytes", unit="bytes"),
                strict=True,
            )
        ]
    )
    assert worse.is_worse and not better.is_worse
    assert (worse.since.commit, better.since.commit) == ("c0003", "c0002")  # type: ignore[union-attr]
    assert trends(runs([3, 3, 3, 3], name=QUERIES, unit="queries")) == []
    assert trends([]) == []


def test_of_many_series_that_only_waver_hardly_one_is_called_changed() -> None:
    import random

    luck = random.Random(7)
    many = [
        replace(
            BASE,
            run_id=f"{number:04d}",
            commit=f"c{number}",
            measures={
                f"slo.j{place}:j{place}{BETWEEN}p95": Kept(estimate=luck.lognormvariate(4, 0.2), unit="ms")
                for place in range(30)
            },
        )
        for number in range(24)
    ]
    assert sum(trend.change is not None for trend in trends(many)) == 0
