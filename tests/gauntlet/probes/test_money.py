"""money.totals_exact: wrong arithmetic is caught, whatever way it is wrong, and right one passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Oracle
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.probes.money import body_of
from shipworthy.gauntlet.probes.money_cases import Case, Line
from tests.gauntlet.conftest import check_named
from tests.support.shop import Shop, shop_manifest

TOTALS = check_named("money.totals_exact")
INVOICES = "POST /invoices"


async def ask(shop: Shop, *defects: str) -> Finding:
    shop.defects.update(defects)
    return (await shop.ask(TOTALS))[INVOICES]


async def test_exact_totals_pass_and_say_how_many_were_compared(shop: Shop) -> None:
    found = await ask(shop)
    assert found.verdict is Verdict.PASS, found
    assert found.measures[0].samples == 39
    assert found.measures[1].estimate == 0


@pytest.mark.parametrize("engine", ["tax_by_line", "float_net"])  # test_money_cases has all of them
async def test_a_wrong_engine_is_caught_over_http_with_its_source(shop: Shop, engine: str) -> None:
    found = await ask(shop, engine)
    assert found.verdict is Verdict.FAIL
    assert found.source == "shop/web.py:1"
    assert found.measures[0].estimate > 0
    assert "answered  exact" in found.evidence[0].text


async def test_the_smallest_invoice_that_differs_is_shown_with_what_is_exact(shop: Shop) -> None:
    found = await ask(shop, "float_tax")
    assert found.title == "POST /invoices says tax_minor 66 where 67 is exact"
    assert '"price": "9.50"' in found.evidence[1].text
    assert "never floats" in found.fix


async def test_prices_an_app_does_not_take_are_left_out_and_counted(shop: Shop) -> None:
    found = await ask(shop, "refuses_fine_prices", "float_tax")
    assert found.verdict is Verdict.FAIL
    assert found.measures[1].estimate > 0
    shop.defects.discard("float_tax")
    undecided = await ask(shop)
    assert undecided.verdict is Verdict.INCONCLUSIVE
    assert "hardly seen" in undecided.cause


async def test_an_answer_without_totals_or_an_oracle_without_words_decides_nothing(shop: Shop) -> None:
    found = await ask(shop, "says_no_sums")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "holds no sums.net" in found.cause
    (oracle,) = shop_manifest().oracles
    mute = replace(oracle, fields={"lines": "lines"})
    found = (await shop.ask(TOTALS, oracles=(mute,)))[INVOICES]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "quantity, unit_price" in found.cause


async def test_an_oracle_may_name_an_address_that_no_route_declares(shop: Shop) -> None:
    routes = tuple(route for route in shop_manifest().routes if route.path != "/invoices")
    found = (await shop.ask(TOTALS, routes=routes))[INVOICES]
    assert found.verdict is Verdict.PASS
    assert found.source == ""


def test_a_discount_and_prices_with_tax_are_asked_in_the_apps_own_words() -> None:
    row = {"q": "1", "p": "1", "r": 700, "less": {"kind": "gift", "bp": 5}}
    words = {"quantity": "q", "unit_price": "p", "tax_rate_bp": "r", "discount_bp": "less.bp"}
    fields = {"lines": "rows", **words, "prices_include_tax": "gross"}
    oracle = Oracle(kind="invoice_totals", create="POST /x", body={"rows": [row]}, fields=fields)
    lines = tuple(Line(quantity="2", unit_price="3", rate_bp=700, discount_bp=bp) for bp in (0, 1000))
    body = body_of(oracle, Case(lines=lines, why="", prices_include_tax=True), oracle.body)
    plain = {"q": "2", "p": "3", "r": 700}
    assert body == {"rows": [plain, {**plain, "less": {"kind": "gift", "bp": 1000}}], "gross": True}
    assert oracle.body["rows"][0]["less"] == {"kind": "gift", "bp": 5}


@pytest.mark.parametrize(("example", "written"), [("1", "0.5"), (1, 0.5), (1.5, 0.5)])
def test_lines_are_written_as_the_oracles_own_line_is(example: object, written: object) -> None:
    body = {"currency": "EUR", "order": {"rows": [{"q": example, "p": "1", "r": "7", "unit": "h"}]}}
    fields = {"lines": "order.rows", "quantity": "q", "unit_price": "p", "tax_rate_bp": "r", "currency": "currency"}  # fmt: skip
    oracle = Oracle(kind="invoice_totals", create="POST /x", body=body, fields=fields)
    case = Case(lines=(Line(quantity="0.5", unit_price="2.50", rate_bp=700),), why="", currency="JPY")
    assert body_of(oracle, case, body) == {
        "currency": "JPY",
        "order": {"rows": [{"q": written, "p": "2.50", "r": "700", "unit": "h"}]},
    }
    assert body["currency"] == "EUR"
