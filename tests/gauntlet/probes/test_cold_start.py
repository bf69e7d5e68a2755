"""budget.cold_start: one start, held against its bound."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Budget
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.probes.cold_start import cold_start
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop

COLD_START = check_named("budget.cold_start")


async def ask(shop: Shop, *bounds: float, core_share: float = 1.0) -> Finding:
    shop.handle = replace(shop.handle, started_in_s=3.0)
    budgets = tuple(Budget(kind="cold_start_s", bound=bound) for bound in bounds)
    check = replace(COLD_START, run=partial(cold_start, core_share=lambda: core_share))
    return (await shop.ask(check, budgets=budgets))["the app"]


async def test_a_start_within_its_bound_passes_and_says_that_it_was_seen_once(shop: Shop) -> None:
    found = await ask(shop, 3.0)
    assert found.verdict is Verdict.PASS
    assert (found.measures[0].estimate, found.measures[0].bound, found.measures[0].samples) == (3.0, 3.0, 1)
    assert "seen once" in found.title


async def test_a_start_over_the_tightest_bound_fails(shop: Shop) -> None:
    assert (await ask(shop, 5.0, 2.9)).verdict is Verdict.FAIL


async def test_a_start_beside_busy_others_does_not_fail_and_one_within_its_bound_passes(shop: Shop) -> None:
    found = await ask(shop, 2.9, core_share=0.4)
    assert (found.verdict, "got 40% of a core" in found.cause) == (Verdict.INCONCLUSIVE, True)
    assert (await ask(shop, 3.0, core_share=0.4)).verdict is Verdict.PASS


async def test_without_a_bound_the_start_is_told_and_not_judged(shop: Shop) -> None:
    found = await ask(shop)
    assert found.verdict is Verdict.NOT_MEASURED
    assert found.measures[0].estimate == 3.0
