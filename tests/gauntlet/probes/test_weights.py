"""budget.bundle_bytes and budget.page_bytes: bytes as they come over the wire."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Budget
from shipworthy.contract.verdict import Verdict
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop

BUNDLE, PAGE = check_named("budget.bundle_bytes"), check_named("budget.page_bytes")
LINKED_BYTES = 1_000 + 500 + 2_000  # the stylesheet, what it imports, the script compressed


async def bundle(shop: Shop, bound: float) -> Finding:
    return (await shop.ask(BUNDLE, budgets=(Budget(kind="bundle_bytes", bound=bound),)))["/"]


async def test_the_bundle_is_weighed_compressed_behind_the_redirect_of_the_signed_in_page(shop: Shop) -> None:
    found = await bundle(shop, 4_000)
    assert found.verdict is Verdict.PASS, found
    assert found.measures[0].estimate == LINKED_BYTES
    assert "/more.css" in found.evidence[0].text
    assert "/i.png" not in found.evidence[0].text


async def test_a_bundle_over_its_bound_names_the_heaviest(shop: Shop) -> None:
    found = await bundle(shop, LINKED_BYTES - 1)
    assert found.verdict is Verdict.FAIL
    assert "costs 3,500 bytes of scripts and stylesheets, where 3,499 are allowed" in found.title
    assert "/b.js with 2,000 bytes" in found.cause


async def test_a_page_counts_its_html_as_well(shop: Shop) -> None:
    shop.handle = replace(shop.handle, site_url=shop.handle.base_url)
    budget = Budget(kind="page_bytes", bound=60_000, subject="/desk")
    found = (await shop.ask(PAGE, budgets=(budget,)))["/desk"]
    assert found.verdict is Verdict.PASS
    assert found.measures[0].estimate > LINKED_BYTES
    over = (await shop.ask(PAGE, budgets=(replace(budget, bound=10),)))["/desk"]
    assert over.verdict is Verdict.FAIL


async def test_what_is_loaded_from_elsewhere_or_missing_leaves_the_sum_unknown(shop: Shop) -> None:
    shop.defects.add("loads_elsewhere")
    elsewhere = await bundle(shop, 4_000)
    assert elsewhere.verdict is Verdict.INCONCLUSIVE
    assert "https://cdn.example/x.js" in elsewhere.cause
    assert (await bundle(shop, 10)).verdict is Verdict.FAIL
    shop.defects.add("lost_script")
    lost = await bundle(shop, 4_000)
    assert lost.verdict is Verdict.INCONCLUSIVE
    assert "/b.js, which answered 404" in lost.cause


async def test_without_a_budget_nothing_is_held_against_one(shop: Shop) -> None:
    (found,) = (await shop.ask(BUNDLE, budgets=())).values()
    assert found.verdict is Verdict.NOT_MEASURED
