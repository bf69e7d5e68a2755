"""Cash rounding: what is due comes in whole coins, the tax never knows of it, and every cent is settled."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.money.currencies import currency_of
from shipworthy.rooms.invoicing.einvoice.reading import read_einvoice
from shipworthy.rooms.invoicing.pricing.rounding import rounding_of, step_of
from tests.rooms.invoicing.conftest import Person
from tests.rooms.invoicing.test_payments import pays, read, wrongly_settled
from tests.rooms.invoicing.test_seller import SELLER
from tests.support.app import RunningApp

amounts = st.integers(-(10**12), 10**12)
steps = st.sampled_from([1, 5, 10, 50, 100, 500])
# Net 7.42, tax 1.41 (19 %), gross 8.83: in francs 8.85 are due.
LINE = {"description": "Advice", "quantity": "1", "unit_price": "7.42", "tax_rate_bp": 1900}
ABROAD = {"name": "Kontor", "street": "Weg 1", "postal_code": "8001", "city": "Zürich", "country": "CH"}


@given(amounts, steps)
def test_what_is_due_is_the_nearest_whole_number_of_coins_and_a_tie_goes_away_from_nothing(
    gross: int, step: int
) -> None:
    coins = Fraction(abs(gross), step)
    nearest = min((coins.__floor__(), coins.__floor__() + 1), key=lambda n: (abs(coins - n), -n))
    due = gross + rounding_of(gross, step_minor=step)
    assert abs(due) == nearest * step
    assert due * gross >= 0


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), steps)
def test_steps_of_crediting_come_to_what_was_due(parts: list[int], step: int) -> None:
    before, credited = 0, 0
    for part in parts:
        due = part + rounding_of(part, step_minor=step, before_minor=before)
        assert due >= 0
        assert due % step == 0
        before, credited = before + part, credited + due
    assert credited == before + rounding_of(before, step_minor=step)


@pytest.mark.parametrize(
    ("rule", "currency", "step"),
    [
        ("usual", "CHF", 5),
        ("usual", "EUR", 1),
        ("usual", "SEK", 1),
        ("coin", "SEK", 100),
        ("coin", "EUR", 1),
        ("0.05", "EUR", 5),
        ("0.05", "KWD", 50),
        ("0.05", "JPY", 1),
        ("none", "CHF", 1),
    ],
)
def test_a_rule_means_a_step_of_the_currency(rule: str, currency: str, step: int) -> None:
    assert step_of(rule, currency_of(currency)) == step


async def test_francs_are_due_in_five_centimes_and_paid_whole(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued(currency="CHF", lines=[LINE])
    figures = [issued[f"{name}_minor"] for name in ("net", "tax", "gross", "rounding", "payable", "balance")]
    assert figures == [742, 141, 883, 2, 885, 885]
    euro = await acme.issued(lines=[LINE])
    assert (euro["rounding_minor"], euro["balance_minor"]) == (0, 883)
    page = (await acme.get(f"/invoices/{issued['invoice_id']}")).text
    for said in ("Total with tax", "CHF\N{NO-BREAK SPACE}8.83", "Rounding", "CHF\N{NO-BREAK SPACE}8.85"):
        assert said in page
    assert "Rounding" not in (await acme.get(f"/invoices/{euro['invoice_id']}")).text
    assert (await pays(acme, issued, 883))["invoice"]["status"] == "open"
    assert (await read(acme, issued))["balance_minor"] == 2
    paid = await pays(acme, issued, 10)
    assert (paid["invoice"]["status"], paid["rest_minor"]) == ("paid", 8)
    assert await wrongly_settled(app) == []


async def test_nothing_is_due_of_less_than_half_a_coin(app: RunningApp, acme: Person) -> None:
    tiny = await acme.issued(currency="CHF", lines=[{**LINE, "unit_price": "0.02", "tax_rate_bp": 0}])
    assert (tiny["status"], tiny["gross_minor"], tiny["payable_minor"]) == ("paid", 2, 0)
    back = await acme.post(f"/api/invoices/{tiny['invoice_id']}/credit-notes", {})
    assert (back.status, back.json["balance_minor"]) == (201, 0)
    assert await wrongly_settled(app) == []


async def test_credit_in_steps_takes_back_what_was_due_and_no_cent_more(
    app: RunningApp, acme: Person
) -> None:
    lines = [{**LINE, "quantity": "3"}, {**LINE, "unit_price": "1.01"}]
    issued = await acme.issued(currency="CHF", lines=lines)
    due = issued["payable_minor"]
    assert due % 5 == 0
    for line_no, quantity in ((1, "1"), (2, "1"), (1, "1"), (1, "1")):
        body = {"lines": [{"line_no": line_no, "quantity": quantity}]}
        note = await acme.post(f"/api/invoices/{issued['invoice_id']}/credit-notes", body)
        assert note.status == 201, note.text
        credited = (await read(acme, note.json))["payable_minor"]
        assert credited % 5 == 0
        due -= credited
        assert (await read(acme, issued))["balance_minor"] == due
    assert due == 0
    assert (await read(acme, issued))["status"] == "paid"
    assert await wrongly_settled(app) == []


async def test_a_customers_rule_goes_before_the_sellers_and_reaches_later_drafts_only(acme: Person) -> None:
    finn, dane = await acme.customer("Finn"), await acme.customer("Dane")
    before = await acme.draft(finn, lines=[LINE])
    await acme.send("PUT", f"/api/customers/{finn}", {"name": "Finn", "rounding": "0.05"})
    saved = await acme.send("PUT", "/api/seller", {**SELLER, "rounding": "coin"})
    assert saved.json["rounding"] == "coin"
    assert (await acme.get(f"/api/customers/{finn}")).json["rounding"] == "0.05"
    assert (await read(acme, before))["payable_minor"] == 883, "a draft says what it said until it is saved"
    assert (await acme.draft(finn, lines=[LINE]))["payable_minor"] == 885
    assert (await acme.draft(finn, currency="SEK", lines=[LINE]))["payable_minor"] == 885
    assert (await acme.draft(dane, lines=[LINE]))["payable_minor"] == 883
    assert (await acme.draft(dane, currency="SEK", lines=[LINE]))["payable_minor"] == 900
    for path, body in (
        ("/api/seller", {**SELLER, "rounding": ""}),
        (f"/api/customers/{finn}", {"name": "Finn", "rounding": "0.07"}),
    ):
        refused = await acme.send("PUT", path, body)
        assert (refused.status, list(refused.json["fields"])) == (422, ["rounding"])


async def test_the_form_shows_what_will_be_due(acme: Person) -> None:
    typed = {
        "currency": "CHF",
        "lines__0__description": "Advice",
        "lines__0__quantity": "1",
        "lines__0__unit_price": "7.42",
        "lines__0__tax": "S:1900",
    }
    shown = (await acme.submit("/invoices/preview", **typed)).text
    assert "CHF\N{NO-BREAK SPACE}8.85" in shown
    finn = (await acme.post("/api/customers", {"name": "Finn", "rounding": "none"})).json["customer_id"]
    assert "8.85" not in (await acme.submit("/invoices/preview", customer_id=finn, **typed)).text


async def test_twenty_payments_of_all_that_is_owed_settle_it_once(app: RunningApp, acme: Person) -> None:
    issued = await acme.issued(currency="CHF", lines=[LINE])
    path = f"/api/invoices/{issued['invoice_id']}/pay"
    answers = await asyncio.gather(*(acme.post(path) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19
    assert (await read(acme, issued))["paid_minor"] == 885
    assert await wrongly_settled(app) == []


async def test_the_file_says_the_rounding_and_comes_back_with_it(acme: Person) -> None:
    await acme.send("PUT", "/api/seller", SELLER)
    buyer = (await acme.post("/api/customers", ABROAD)).json["customer_id"]
    issued = await acme.issued(buyer, currency="CHF", lines=[LINE])
    for syntax in ("ubl", "cii"):
        xml = (await acme.get(f"/api/invoices/{issued['invoice_id']}/xml?format={syntax}")).body
        totals: Any = read_einvoice(xml).invoice.totals
        assert [str(part) for part in (totals.gross, totals.rounding, totals.payable)] == [
            "8.83",
            "0.02",
            "8.85",
        ]
