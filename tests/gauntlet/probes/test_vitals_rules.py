"""When enough was seen, which bound counts, and what a median is: numbers in, verdicts out."""

from __future__ import annotations

import itertools
import statistics

import pytest

from shipworthy.contract.manifest import Budget, Slo
from shipworthy.gauntlet.probes.vitals_rules import VITALS, bounds_of, broken, is_settled, measures_of
from shipworthy.gauntlet.visit import Vitals

BOUNDS = {vital.key: vital.good for vital in VITALS}


def seen(lcp_ms: float, cls: float = 0.0) -> Vitals:
    return Vitals(url="", status=200, lcp_ms=lcp_ms, cls=cls, fcp_ms=0, ttfb_ms=0, tbt_ms=0)


@pytest.mark.parametrize("lcps", list(itertools.product((1_000.0, 4_000.0), repeat=5)))
def test_the_verdict_of_all_visits_is_known_when_no_more_are_made(lcps: tuple[float, ...]) -> None:
    visits = [seen(lcp_ms) for lcp_ms in lcps]
    stop = next(n for n in range(6) if is_settled(visits[:n], BOUNDS, visits_max=5))
    assert stop >= 3
    early = broken(measures_of(visits[:stop], BOUNDS, method=""))
    assert bool(early) == (statistics.median(lcps) > BOUNDS["lcp_ms"])


def test_a_page_has_its_own_budget_before_everyones_and_its_objective() -> None:
    budgets = (
        Budget(kind="lcp_ms", bound=1_200),
        Budget(kind="lcp_ms", bound=900, subject="/fast"),
        Budget(kind="page_bytes", bound=1),
    )
    slos = (Slo(name="page", quantile=0.95, threshold_ms=150),)
    fast = bounds_of("/fast", slo="page", slos=slos, budgets=budgets)
    assert fast == {**BOUNDS, "lcp_ms": 900, "ttfb_ms": 150}
    assert bounds_of("/other", slo=None, slos=slos, budgets=budgets) == {**BOUNDS, "lcp_ms": 1_200}


def test_a_measure_holds_the_median_between_the_extremes() -> None:
    lcp, cls, *_ = measures_of([seen(100, 0.3), seen(300), seen(200, 0.2)], BOUNDS, method="m")
    assert (lcp.low, lcp.estimate, lcp.high, lcp.bound, lcp.samples) == (100, 200, 300, 2_500, 3)
    assert cls.estimate == 0.2
    assert [vital.name for vital in broken([lcp, cls])] == ["CLS"]
