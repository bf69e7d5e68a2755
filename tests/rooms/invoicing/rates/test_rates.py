"""Tax rates: the country's list until it is the tenant's own, days that never overlap, the tax point that decides,
and why.

Covers: seeded, applied, why, told, choices, web.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.rates.choices import read_tax_value, tax_choices
from shipworthy.rooms.invoicing.rates.rates import Rates
from shipworthy.rooms.invoicing.rates.seeded import seeded_rates
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.test_frozen import as_app
from tests.support.app import RunningApp, app_running

LINE = {"description": "Work", "quantity": "1", "unit_price": "100.00", "tax_code": "standard"}
ACME = uuid.UUID(int=7)
BOOKS = {"code": "books", "name": "Books", "rate": "7", "valid_from": "2026-01-01"}


def test_every_country_begins_with_rates_that_hold_once_on_any_day() -> None:
    for country in ("AT", "BE", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "SE", ""):
        rates = Rates(rows=tuple(seeded_rates(country, tenant_id=ACME)), is_own=False)
        assert len({rate.tax_rate_id for rate in rates.rows}) == len(rates.rows)
        for day in (
            date(2018, 6, 1),
            date(2020, 6, 30),
            date(2020, 7, 1),
            date(2021, 1, 1),
            date(2026, 11, 28),
        ):
            codes = [rate.code for rate in rates.on(day)]
            assert len(codes) == len(set(codes)), (country, day)
            assert codes[0] in ("standard", "rate-25")
    germany = Rates(rows=tuple(seeded_rates("DE", tenant_id=ACME)), is_own=False)
    assert [germany.of("standard", date(2020, m, 1)).rate_bp for m in (6, 7, 12)] == [1900, 1600, 1600]  # type: ignore[union-attr]


def test_a_form_offers_what_holds_on_the_tax_point_and_keeps_what_was_chosen() -> None:
    germany = Rates(rows=tuple(seeded_rates("DE", tenant_id=ACME)), is_own=False)
    offered = tax_choices(germany, date(2020, 8, 1), locale="en", also=("S:550", "gone", "standard"))
    assert offered[:2] == [("standard", "16%"), ("reduced", "5%")]
    assert offered[-2:] == [("S:550", "5.5%"), ("gone", "gone (not on this day)")]
    assert ("reverse-charge", "Reverse charge") in offered
    assert (read_tax_value("S:1900"), read_tax_value("standard"), read_tax_value("X:1")) == (
        ("S", 1900),
        None,
        None,
    )


async def test_the_date_of_supply_says_what_a_code_means_and_the_invoice_says_why(acme: Person) -> None:
    then = await acme.draft(lines=[LINE], supply_date="2020-08-01")
    assert (then["tax_minor"], then["lines"][0]["tax_code"]) == (1600, "standard")
    (why,) = then["tax_reasons"]
    assert (why["valid_from"], why["valid_until"], why["tax_point_is"]) == (
        "2020-07-01",
        "2020-12-31",
        "supply",
    )
    now = await acme.draft(lines=[LINE, {**LINE, "tax_code": None, "tax_rate_bp": 550}])
    assert [line["tax_rate_bp"] for line in now["lines"]] == [1900, 550]
    assert [reason["code"] for reason in now["tax_reasons"]] == ["standard", None]
    await acme.post(f"/api/invoices/{then['invoice_id']}/finalise")
    page = (await acme.get(f"/invoices/{then['invoice_id']}")).text
    assert "Why this tax?" in page
    assert "Standard rate, which holds from 1 Jul 2020 to 31 Dec 2020." in page
    assert "The tax point is the date of supply, 1 Aug 2020." in page
    assert "Written on the line itself." in (await acme.get(f"/invoices/{now['invoice_id']}")).text
    note = await acme.post(f"/api/invoices/{then['invoice_id']}/credit-notes", {})
    credited = (await acme.get(f"/api/invoices/{note.json['invoice_id']}")).json
    assert (credited["tax_reasons"], credited["lines"][0]["tax_code"]) == (then["tax_reasons"], "standard")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"tax_code": "nothing"}, "lines[0].tax_code"),
    ({"tax_code": "standard", "tax_rate_bp": 700}, "lines[0].tax_rate_bp"),
    ({"tax_code": "standard", "tax_category": "E"}, "lines[0].tax_category"),
    ({"tax_code": None}, "lines[0].tax_rate_bp"),
]


async def test_a_code_that_means_nothing_or_something_else_is_named(acme: Person) -> None:
    right = {"customer_id": await acme.customer(), "currency": "EUR"}
    for change, field in WRONG:
        refused = await acme.post("/api/invoices", {**right, "lines": [{**LINE, **change}]})
        assert (refused.status, list(refused.json["fields"])) == (422, [field]), refused.text
    change = {"kind": "charge", "amount_minor": 500, "tax_code": "nothing"}
    refused = await acme.post("/api/invoices", {**right, "lines": [LINE], "changes": [change]})
    assert list(refused.json["fields"]) == ["changes[0].tax_code"]
    taken = await acme.post(
        "/api/invoices", {**right, "lines": [LINE], "changes": [{**change, "tax_code": "reduced"}]}
    )
    assert [tax["tax_rate_bp"] for tax in taken.json["taxes"]] == [1900, 700]


async def test_a_rate_that_changes_before_the_day_of_issue_is_asked_about(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    clock = [datetime(2020, 12, 31, 12, tzinfo=UTC)]
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: clock[0]) as app:
        acme = await person(app)
        draft = await acme.draft(lines=[LINE])
        path = f"/api/invoices/{draft['invoice_id']}"
        clock[0] = datetime(2021, 1, 1, 12, tzinfo=UTC)
        refused = await acme.post(f"{path}/finalise")
        assert (refused.status, refused.json["code"]) == (409, "invoicing.rate_changed")
        body = {"customer_id": draft["customer_id"], "currency": "EUR", "lines": [LINE]}
        assert (await acme.send("PUT", path, body, if_match='"1"')).json["tax_minor"] == 1900
        assert (await acme.post(f"{path}/finalise")).status == 200
        old = await acme.draft(lines=[LINE])
        backdated = await acme.post(f"/api/invoices/{old['invoice_id']}/finalise?issue_date=2020-12-31")
        assert backdated.json["code"] == "invoicing.rate_changed"


async def test_the_list_becomes_the_tenants_own_and_days_never_overlap(app: RunningApp, acme: Person) -> None:
    assert (await acme.get("/api/tax-rates")).json["is_own"] is False
    added = await acme.post("/api/tax-rates", BOOKS)
    assert (added.status, added.json["rate_bp"]) == (201, 700)
    listed = (await acme.get("/api/tax-rates")).json
    assert listed["is_own"] is True
    assert {"standard", "books"} <= {rate["code"] for rate in listed["tax_rates"]}
    for change, field in (
        ({"valid_from": "2026-06-01"}, "valid_from"),
        ({"valid_from": "2025-01-01"}, "valid_from"),
        ({"code": "Bü cher"}, "code"),
        ({"rate": "101"}, "rate"),
        ({"rate": "1e1"}, "rate"),
        ({"rate": "NaN"}, "rate"),
        ({"rate": "-7"}, "rate"),
        ({"rate": "7.1234567"}, "rate"),
        ({"rate": "0"}, "rate"),
        ({"code": "free", "tax_category": "E", "rate": "7"}, "rate"),
        ({"code": "late", "valid_until": "2025-12-31"}, "valid_until"),
        ({"exemption_code": "VATEX-EU-132"}, "exemption_code"),
        ({"code": "art", "tax_category": "E", "rate": "0", "exemption_code": "132"}, "exemption_code"),
        ({"name": " "}, "name"),
    ):
        refused = await acme.post("/api/tax-rates", {**BOOKS, **change})
        assert (refused.status, list(refused.json["fields"])) == (422, [field]), (change, refused.text)
    with pytest.raises(Exception, match="tax_rate_holds_once"):
        await as_app(
            app, acme, "update tax_rate set valid_from = '2026-02-01', code = 'standard' where code = 'books'"
        )
    rate_id = added.json["tax_rate_id"]
    ended = await acme.send("PUT", f"/api/tax-rates/{rate_id}", {**BOOKS, "valid_until": "2026-06-30"})
    assert ended.json["valid_until"] == "2026-06-30"
    assert (
        await acme.post("/api/tax-rates", {**BOOKS, "rate": "5", "valid_from": "2026-07-01"})
    ).status == 201
    globex = await person(app, "Globex")
    assert (await globex.send("PUT", f"/api/tax-rates/{rate_id}", BOOKS)).status == 404
    assert (await globex.send("DELETE", f"/api/tax-rates/{rate_id}")).status == 404
    assert (await globex.get("/api/tax-rates")).json["is_own"] is False
    assert (await acme.send("DELETE", f"/api/tax-rates/{rate_id}")).status == 204
    member = await person(app, role="member", tenant_id=acme.tenant_id)
    assert (await member.post("/api/tax-rates", BOOKS)).status == 403


async def test_twenty_at_once_add_a_code_once(acme: Person) -> None:
    answers = await asyncio.gather(*(acme.post("/api/tax-rates", BOOKS) for _ in range(20)))
    assert {answer.status for answer in answers} == {201}, "the same row written again is the same row"
    rows = (await acme.get("/api/tax-rates")).json["tax_rates"]
    assert [rate["code"] for rate in rows].count("books") == 1
    assert len({rate["tax_rate_id"] for rate in rows}) == len(rows)


async def test_the_tenants_own_exemption_is_printed_and_told(acme: Person) -> None:
    exempt = {
        "code": "lessons",
        "name": "Lessons",
        "tax_category": "E",
        "rate": "0",
        "valid_from": "2020-01-01",
    }
    said = {"exemption_reason": "Exempt under § 4 Nr. 21 UStG", "exemption_code": "VATEX-EU-132-1I"}
    assert (await acme.post("/api/tax-rates", {**exempt, **said})).status == 201
    issued = await acme.issued(lines=[{**LINE, "tax_code": "lessons"}])
    read = (await acme.get(f"/api/invoices/{issued['invoice_id']}")).json
    assert read["tax_reasons"][0]["exemption_reason"] == "Exempt under § 4 Nr. 21 UStG"
    assert "VATEX-EU-132-1I" in (await acme.get(f"/invoices/{issued['invoice_id']}")).text
    await acme.run_jobs(issued["invoice_id"])
    assert (await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).status == 200


FORM = {"code": "maps", "name": "Maps", "tax_category": "S", "rate": "7", "valid_from": "2026-01-01"}


async def test_the_pages_list_add_refuse_change_and_delete(acme: Person) -> None:
    assert "These are the rates of your country." in (await acme.get("/tax-rates")).text
    assert (await acme.get("/tax-rates/new")).status == 200
    refused = await acme.submit("/tax-rates", **{**FORM, "valid_from": "soon", "name": "Kept"})
    assert refused.status == 422
    assert "There is no such day" in refused.text
    assert 'value="Kept"' in refused.text
    assert (await acme.submit("/tax-rates", **FORM)).status == 303
    page = (await acme.get("/tax-rates")).text
    assert "Maps" in page
    assert "These are the rates of your country." not in page
    rows = (await acme.get("/api/tax-rates")).json["tax_rates"]
    rate_id = next(rate["tax_rate_id"] for rate in rows if rate["code"] == "maps")
    assert 'value="7"' in (await acme.get(f"/tax-rates/{rate_id}/edit")).text
    assert (await acme.submit(f"/tax-rates/{rate_id}", **{**FORM, "valid_until": "2026-12-31"})).status == 303
    assert (await acme.submit(f"/tax-rates/{rate_id}/delete")).status == 303
    assert (await acme.get(f"/tax-rates/{rate_id}/edit")).status == 404


async def test_the_invoice_form_takes_codes_and_the_sums_follow_the_date_of_supply(acme: Person) -> None:
    form = {
        "customer_id": await acme.customer(),
        "currency": "EUR",
        "payment_days": "14",
        "lines__0__description": "Work",
        "lines__0__quantity": "1",
        "lines__0__unit_price": "100",
        "lines__0__tax": "standard",
        "supply_date": "2020-08-01",
    }
    assert "€116.00" in (await acme.submit("/invoices/preview", **form)).text
    saved = await acme.submit("/invoices", **form)
    assert saved.status == 303
    edit = (await acme.get(f"{saved.header('location')}/edit")).text
    assert '<option value="standard" selected>16%</option>' in edit
    wrong = await acme.submit("/invoices", **{**form, "lines__0__tax": "unheard-of"})
    assert wrong.status == 422
    assert 'href="#f-lines-0-tax"' in wrong.text
