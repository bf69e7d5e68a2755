"""Drafts through the API: written, totalled, rewritten, refused.

Covers: lines, invoice, bodies, versions.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.support.app import RunningApp, app_running


async def test_a_draft_is_totalled_once_per_rate_and_read_back_the_same(acme: Person) -> None:
    lines = [
        {**LINE, "quantity": "3", "unit_price": "0.333333"},
        {**LINE, "quantity": "1", "unit_price": "10.005"},
        {**LINE, "tax_rate_bp": 700, "unit_price": "19.99"},
        {**LINE, "tax_rate_bp": 0, "quantity": "-1", "unit_price": "5"},
    ]
    created = await acme.draft(lines=lines, note="Thanks", payment_days=30, supply_date="2026-02-28")
    assert [line["net_minor"] for line in created["lines"]] == [100, 1001, 2999, -500]
    assert created["taxes"] == [
        {"tax_category": "S", "tax_rate_bp": 1900, "base_minor": 1101, "tax_minor": 209},
        {"tax_category": "S", "tax_rate_bp": 700, "base_minor": 2999, "tax_minor": 210},
        {"tax_category": "Z", "tax_rate_bp": 0, "base_minor": -500, "tax_minor": 0},
    ]
    assert (created["net_minor"], created["tax_minor"], created["gross_minor"]) == (3600, 419, 4019)
    read = await acme.get(f"/api/invoices/{created['invoice_id']}")
    assert read.json == created
    assert read.header("etag") == '"1"'
    assert (created["status"], created["number"], created["supply_date"]) == ("draft", None, "2026-02-28")


@pytest.mark.parametrize(
    ("currency", "net"), [("JPY", 150), ("EUR", 15000), ("KWD", 150000), ("CLF", 1500000)]
)
async def test_amounts_are_in_the_minor_unit_of_the_currency(acme: Person, currency: str, net: int) -> None:
    draft = await acme.draft(currency=currency, lines=[{**LINE, "quantity": "1.5", "unit_price": "100"}])
    assert draft["net_minor"] == net


async def test_a_draft_is_dated_today_where_the_tenant_is(cluster: PostgresAddress, tmp_path: Path) -> None:
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # already April in Berlin
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: late) as app:
        draft = await (await person(app)).draft(payment_days=30)
    assert (draft["issue_date"], draft["due_date"]) == ("2026-04-01", "2026-05-01")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lines": []}, "lines"),
    ({"lines": [LINE] * 10_001}, "lines"),
    ({"lines": [{**LINE, "unit_price": "-1"}]}, "lines[0].unit_price"),
    ({"lines": [LINE, {**LINE, "unit_price": "1,50"}]}, "lines[1].unit_price"),
    ({"lines": [{**LINE, "unit_price": 1.5}]}, "lines[0].unit_price"),
    ({"lines": [{**LINE, "quantity": 1}]}, "lines[0].quantity"),
    ({"lines": [{**LINE, "quantity": "NaN"}]}, "lines[0].quantity"),
    ({"lines": [{**LINE, "quantity": "9999999999999"}]}, "lines[0].quantity"),
    ({"lines": [{**LINE, "quantity": "999999999999", "unit_price": "999999999999"}]}, "lines"),
    ({"lines": [{**LINE, "description": "  "}]}, "lines[0].description"),
    ({"lines": [{**LINE, "description": "bell \x1b"}]}, "lines[0].description"),
    ({"lines": [{**LINE, "tax_rate_bp": 10_001}]}, "lines[0].tax_rate_bp"),
    ({"lines": [{**LINE, "tax_rate_bp": 19.0}]}, "lines[0].tax_rate_bp"),
    ({"lines": [LINE, {**LINE, "tax_category": "AE"}]}, "lines[1].tax_rate_bp"),
    ({"lines": [{**LINE, "tax_category": "X"}]}, "lines[0].tax_category"),
    ({"currency": "EURO"}, "currency"),
    ({"currency": "XYZ"}, "currency"),
    ({"supply_date": "2026-02-30"}, "supply_date"),
    ({"supply_date": "1926-02-01"}, "supply_date"),
    ({"payment_days": 366}, "payment_days"),
    ({"note": "x" * 2001}, "note"),
    ({"note": "\x07"}, "note"),
    ({"customer_id": str(uuid.UUID(int=1))}, "customer_id"),
    ({"customer_id": "1"}, "customer_id"),
    ({"colour": "red"}, "colour"),
]


async def test_every_wrong_field_is_named_and_nothing_is_written(acme: Person) -> None:
    right = {"customer_id": await acme.customer(), "currency": "EUR", "lines": [LINE]}
    for change, field in WRONG:
        refused = await acme.post("/api/invoices", {**right, **change})
        assert refused.status == 422, (field, refused.text)
        assert list(refused.json["fields"]) == [field], refused.text
    assert (await acme.get("/api/invoices")).json["invoices"] == []
    assert (await acme.post("/api/invoices", right)).status == 201


async def test_all_that_is_wrong_is_said_at_once(acme: Person) -> None:
    lines = [{**LINE, "unit_price": "x"}, {**LINE, "quantity": "y", "description": " "}]
    body = {"customer_id": str(uuid.uuid4()), "currency": "XYZ", "lines": lines}
    refused = await acme.post("/api/invoices", body)
    assert refused.json["code"] == "invoicing.draft_invalid"
    assert set(refused.json["fields"]) == {
        "customer_id", "currency", "lines[0].unit_price", "lines[1].quantity", "lines[1].description",
    }  # fmt: skip


async def test_a_neighbours_customer_cannot_be_billed(app: RunningApp, acme: Person) -> None:
    globex = await person(app, "Globex")
    foreign = {"customer_id": await acme.customer(), "currency": "EUR", "lines": [LINE]}
    missing = {**foreign, "customer_id": str(uuid.uuid4())}
    answers = [await globex.post("/api/invoices", body) for body in (foreign, missing)]
    assert [a.status for a in answers] == [422, 422]
    assert answers[0].body == answers[1].body


async def test_a_create_sent_twenty_times_with_one_key_makes_one_draft(acme: Person) -> None:
    body = {"customer_id": await acme.customer(), "currency": "EUR", "lines": [LINE]}
    sends = [acme.post("/api/invoices", body, idempotency_key="same") for _ in range(20)]
    answers = await asyncio.gather(*sends)
    assert {a.status for a in answers} == {201}
    assert len({a.body for a in answers}) == 1
    assert len((await acme.get("/api/invoices")).json["invoices"]) == 1


async def test_a_draft_is_replaced_under_its_version_only(acme: Person) -> None:
    draft = await acme.draft()
    path = f"/api/invoices/{draft['invoice_id']}"
    body = {
        "customer_id": draft["customer_id"],
        "currency": "EUR",
        "lines": [{**LINE, "quantity": "2"}, LINE],
    }
    blind = await acme.send("PUT", path, body)
    assert (blind.status, blind.json["code"]) == (428, "invoicing.version_needed")
    first = await acme.send("PUT", path, body, if_match='"1"')
    assert (first.status, first.header("etag"), first.json["version"]) == (200, '"2"', 2)
    stale = await acme.send("PUT", path, body, if_match='"1"')
    assert (stale.status, stale.json["code"]) == (412, "invoicing.stale")
    assert (await acme.send("PUT", path, body, if_match="W/2")).status == 412
    read = (await acme.get(path)).json
    assert read == first.json
    assert (len(read["lines"]), read["net_minor"]) == (2, 33250)
    assert (await acme.send("PUT", path, body, if_match="*")).json["version"] == 3


async def test_of_two_edits_of_one_version_at_once_one_wins(acme: Person) -> None:
    draft = await acme.draft()
    path = f"/api/invoices/{draft['invoice_id']}"
    bodies = [
        {"customer_id": draft["customer_id"], "currency": "EUR", "lines": [{**LINE, "quantity": str(n)}]}
        for n in range(1, 9)
    ]
    answers = await asyncio.gather(*(acme.send("PUT", path, body, if_match='"1"') for body in bodies))
    assert sorted(a.status for a in answers) == [200] + [412] * 7
    winner = next(a for a in answers if a.status == 200)
    assert (await acme.get(path)).json == winner.json


async def test_a_draft_is_deleted_with_its_lines_and_an_issued_invoice_is_not(
    app: RunningApp, acme: Person
) -> None:
    draft, issued = await acme.draft(), await acme.issued()
    stale = await acme.send("DELETE", f"/api/invoices/{draft['invoice_id']}", if_match='"7"')
    assert stale.status == 412
    assert (await acme.send("DELETE", f"/api/invoices/{draft['invoice_id']}")).status == 204
    assert (await acme.get(f"/api/invoices/{draft['invoice_id']}")).status == 404
    left = await app.admin(
        "select count(*) as rows from invoice_line where invoice_id = $1", draft["invoice_id"]
    )
    assert left[0]["rows"] == 0
    refused = await acme.send("DELETE", f"/api/invoices/{issued['invoice_id']}")
    assert (refused.status, refused.json["code"]) == (409, "invoicing.not_draft")


async def test_another_tenants_draft_answers_every_verb_like_none_at_all(
    app: RunningApp, acme: Person
) -> None:
    globex = await person(app, "Globex")
    draft = await acme.draft()
    body = {"customer_id": await globex.customer(), "currency": "EUR", "lines": [LINE]}
    for method, suffix, sent in (
        ("GET", "", None),
        ("PUT", "", body),
        ("DELETE", "", None),
        ("POST", "/finalise", None),
        ("POST", "/pay", None),
        ("POST", "/void", None),
        ("GET", "/pdf", None),
    ):
        foreign = await globex.send(
            method, f"/api/invoices/{draft['invoice_id']}{suffix}", sent, if_match='"1"'
        )
        missing = await globex.send(method, f"/api/invoices/{uuid.uuid4()}{suffix}", sent, if_match='"1"')
        assert (foreign.status, foreign.body) == (404, missing.body), (method, suffix)
    assert (await acme.get(f"/api/invoices/{draft['invoice_id']}")).json == draft


async def test_a_thousand_lines_are_taken_in_the_same_number_of_statements(
    app: RunningApp, acme: Person
) -> None:
    customer_id = await acme.customer()
    one = await statements(app, acme, customer_id, [LINE])
    many = await statements(app, acme, customer_id, [LINE] * 1000)
    assert one == many


async def statements(app: RunningApp, acme: Person, customer_id: str, lines: list[Any]) -> float:
    before = queries_counted(app, "POST /api/invoices")
    await acme.draft(customer_id, lines=lines)
    return queries_counted(app, "POST /api/invoices") - before


def queries_counted(app: RunningApp, route: str) -> float:
    """What the metrics say of a route so far."""
    value = app.asgi._metrics.registry.get_sample_value("http_server_queries_total", {"route": route})
    return float(value or 0)
