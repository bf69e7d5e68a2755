"""A few months of a business, lived through the API: the figures must be those of its invoices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.support.app import app_running

LAST_EVENING = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # already April in Berlin
FORMULA = '=HYPERLINK("http://evil.example")'
_LINES = [
    LINE,
    {**LINE, "tax_rate_bp": 700, "unit_price": "19.99"},
    {**LINE, "tax_rate_bp": 0, "unit_price": "5"},
]


@dataclass
class Books:
    """The business, and all that the API says of its invoices and payments."""

    person: Person
    invoices: list[dict[str, Any]]
    payments: list[dict[str, Any]]


@pytest.fixture
async def books(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[Books]:
    clock = {"now": LAST_EVENING}
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: clock["now"]) as app:
        acme = await person(app)
        await _live(acme, clock)
        yield Books(
            acme, await _all(acme, "invoices", "invoice_id"), await _all(acme, "payments", "payment_id")
        )


async def _live(acme: Person, clock: dict[str, datetime]) -> None:
    async def on(month: int, day: int, *, year: int = 2026) -> None:
        clock["now"] = datetime(year, month, day, 12, tzinfo=UTC)

    async def pays(invoice: dict[str, Any], amount_minor: int | None = None) -> dict[str, Any]:
        body = {"invoice_id": invoice["invoice_id"], "amount_minor": amount_minor}
        answer = await acme.post("/api/payments", {k: v for k, v in body.items() if v})
        assert answer.status == 201, answer.text
        paid: dict[str, Any] = answer.json
        return paid

    async def does(invoice: dict[str, Any], verb: str, body: Any = None) -> None:
        answer = await acme.post(f"/api/invoices/{invoice['invoice_id']}/{verb}", body)
        assert answer.status in (200, 201), answer.text

    first, second = await acme.customer(FORMULA), await acme.customer("Zoo")
    await on(11, 5, year=2025)
    november = await acme.issued(first, lines=_LINES)
    await on(12, 20, year=2025)
    december = await acme.issued(second, lines=_LINES)
    yen = await acme.issued(first, currency="JPY", payment_days=0)
    await on(1, 15)
    await pays(november, 1000)
    await on(2, 1)
    february = await acme.issued(first, payment_days=60)
    await does(december, "credit-notes", {"lines": [{"line_no": 1, "quantity": "0.5"}]})
    await on(2, 20)
    await pays(yen)
    voided = await acme.issued(second)
    await on(2, 25)
    await does(voided, "void")
    await on(3, 1)
    lost = await acme.issued(second)
    await on(3, 10)
    bounced = await pays(february)
    await pays(yen | {"invoice_id": november["invoice_id"]}, 500)
    await on(3, 20)
    await does(lost, "uncollectible")
    await on(3, 25)
    reversal = await acme.post(f"/api/payments/{bounced['payment_id']}/reverse", {"reason": "Bounced"})
    assert reversal.status == 200
    clock["now"] = LAST_EVENING
    await acme.issued(first, currency="KWD", lines=[{**LINE, "unit_price": "0.333"}])
    await acme.draft(second)


async def _all(acme: Person, what: str, key: str) -> list[dict[str, Any]]:
    listed = (await acme.get(f"/api/{what}")).json
    assert listed["next_cursor"] is None
    return [(await acme.get(f"/api/{what}/{row[key]}")).json for row in listed[what]]
