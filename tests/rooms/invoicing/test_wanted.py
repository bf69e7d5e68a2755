"""Looking for invoices: what a filter lists is what a reading of all invoices would pick, whichever way one pages.

Covers: list_screens.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import pytest

from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.test_listing import cost
from tests.support.app import RunningApp

NAMES = ("Müller & Söhne", "Sohn Film", "Depot 12", "Zoo an der Alster")
_INVOICES = """
insert into invoice (tenant_id, invoice_id, customer_id, status, currency, exponent, issue_date, due_date, payment_days,
  net_minor, tax_minor, gross_minor, paid_minor, series_id, period, seq, number, seller, buyer, created_at, issued_at, paid_at, voided_at)
select $1, gen_random_uuid(), ($2::uuid[])[1 + n % 4], status, currency, case currency when 'JPY' then 0 else 2 end,
  day, day + 14, 14, n * 100, 0, n * 100, case status when 'paid' then n * 100 else 0 end,
  'invoice', to_char(day, 'YYYY'), n, 'Inv-' || to_char(day, 'YYYY') || '-' || lpad(n::text, 5, '0'), '{}', '{}', now(), now(),
  case status when 'paid' then now() end, case status when 'void' then now() end
from (
  select n, current_date - n % 40 as day, (array['open', 'open', 'paid', 'void'])[1 + n % 4] as status,
    (array['EUR', 'JPY', 'EUR'])[1 + n % 3] as currency
  from generate_series(1, 120) as n
) as planned
"""


@pytest.fixture
async def filled(app: RunningApp, acme: Person) -> list[dict[str, Any]]:
    """120 invoices of four customers and three drafts; returns every row, newest first."""
    ids = [await acme.customer(name) for name in NAMES]
    await app.admin(_INVOICES, acme.tenant_id, ids)
    await asyncio.gather(*(acme.draft(ids[0]) for _ in range(3)))
    rows = await app.admin(
        "select i.*, c.name from invoice i join customer c using (tenant_id, customer_id)"
        " order by issue_date desc, invoice_id desc"
    )
    return [dict(row) for row in rows]


FILTERS: list[tuple[dict[str, str], Callable[[dict[str, Any]], bool]]] = [
    ({"q": "sohn"}, lambda i: i["name"] in NAMES[:2]),
    ({"q": "MULLER soh"}, lambda i: i["name"] == NAMES[0]),
    ({"q": "müll"}, lambda i: i["name"] == NAMES[0]),
    ({"q": "ohn"}, lambda i: False),  # words are found by how they begin
    ({"q": "17"}, lambda i: i["seq"] == 17),
    ({"q": "00017"}, lambda i: i["seq"] == 17),
    ({"q": "inv-20"}, lambda i: i["number"] is not None),
    ({"q": "12"}, lambda i: i["name"] == NAMES[2] or i["seq"] == 12),
    ({"q": "%"}, lambda i: False),
    ({"q": "\U0010ffff"}, lambda i: False),
    ({"q": "'; --"}, lambda i: False),
    ({"status": "overdue"}, lambda i: i["status"] == "open" and i["due_date"] < _today()),
    ({"status": "overdue", "q": "zoo"}, lambda i: i["status"] == "open" and i["due_date"] < _today() and i["name"] == NAMES[3]),
    ({"status": "draft", "q": "mull"}, lambda i: i["status"] == "draft"),
    ({"amount_min": "50", "amount_max": "60.01"}, lambda i: 50 <= _major(i) <= 60.01),
    ({"amount_min": "5000", "currency": "jpy"}, lambda i: i["currency"] == "JPY" and _major(i) >= 5000),
    ({"status": "paid", "currency": "EUR", "q": "inv-"}, lambda i: i["status"] == "paid" and i["currency"] == "EUR"),
]  # fmt: skip


def _today() -> date:
    return datetime.now(ZoneInfo("Europe/Berlin")).date()  # where a tenant is unless it says otherwise


def _major(invoice: dict[str, Any]) -> float:
    return float(invoice["gross_minor"] / 10 ** invoice["exponent"])


async def test_a_filter_lists_what_a_reading_of_all_would_both_ways(
    acme: Person, filled: list[dict[str, Any]]
) -> None:
    days = sorted({i["issue_date"] for i in filled})
    first, last, zoo = days[5], days[20], next(i["customer_id"] for i in filled if i["name"] == NAMES[3])
    between = {"issued_from": first.isoformat(), "issued_to": last.isoformat()}
    more = [
        (between, lambda i: first <= i["issue_date"] <= last),
        ({"customer_id": str(zoo)}, lambda i: i["name"] == NAMES[3]),
        ({"customer_id": str(zoo), "q": "sohn"}, lambda i: False),
        ({"customer_id": str(zoo), "q": "inv-"}, lambda i: i["name"] == NAMES[3]),
        ({**between, "q": "film"}, lambda i: first <= i["issue_date"] <= last and i["name"] == NAMES[1]),
    ]
    longest = 0
    for asked, fits in [*FILTERS, *more]:
        expected = [str(i["invoice_id"]) for i in filled if fits(i)]
        pages = await walked(acme, asked)
        assert [i["invoice_id"] for page in pages for i in page["invoices"]] == expected, asked
        back = [pages[-1]]
        while back[-1]["previous_cursor"]:
            back.append(await listed(acme, {**asked, "cursor": back[-1]["previous_cursor"]}))
        assert [p["invoices"] for p in reversed(back)] == [p["invoices"] for p in pages], asked
        longest = max(longest, len(pages))
    assert longest > 2


async def walked(acme: Person, asked: dict[str, str]) -> list[dict[str, Any]]:
    pages = [await listed(acme, asked)]
    while pages[-1]["next_cursor"]:
        pages.append(await listed(acme, {**asked, "cursor": pages[-1]["next_cursor"]}))
    return pages


async def listed(acme: Person, asked: dict[str, str]) -> dict[str, Any]:
    answer = await acme.get(f"/api/invoices?{urlencode(asked)}")
    assert answer.status == 200, answer.text
    page: dict[str, Any] = answer.json
    assert page["is_partial"] is False
    return page


async def test_what_cannot_be_read_is_named_and_the_page_keeps_it(acme: Person) -> None:
    wrong = {
        "issued_from": "2026-02-30", "issued_to": "soon", "amount_min": "1,50", "amount_max": "NaN",
        "currency": "XYZ", "customer_id": "7",
    }  # fmt: skip
    refused = await acme.get(f"/api/invoices?{urlencode(wrong)}")
    assert (refused.status, refused.json["code"]) == (422, "invoicing.filter_invalid")
    assert set(refused.json["fields"]) == set(wrong)
    page = await acme.get(f"/invoices?{urlencode({**wrong, 'q': '<b>Zoo'})}")
    assert page.status == 422
    for kept in ('value="1,50"', "There is no such day", "&lt;b&gt;Zoo", "Please check the filters"):
        assert kept in page.text, kept
    assert (await acme.get(f"/invoices?q={'x' * 101}")).status == 422
    assert (await acme.get("/invoices?q=a%00")).status == 400


async def test_every_filter_is_a_chip_that_takes_it_off_and_tabs_keep_the_others(acme: Person) -> None:
    zoo = await acme.customer("Zoo")
    await acme.issued(zoo)
    asked = {
        "q": "zoo",
        "customer_id": zoo,
        "issued_from": "2020-01-31",
        "amount_min": "1.5",
        "currency": "EUR",
    }
    page = (await acme.get(f"/invoices?{urlencode({**asked, 'status': 'open'})}")).text.replace("&#x2f;", "/")
    for label in ("“zoo”", "Zoo", "From 31 Jan 2020", "At least 1.50", "EUR"):
        assert f'aria-label="Take off: {label}"' in page, label
    without = urlencode({"status": "open", **{k: v for k, v in asked.items() if k != "amount_min"}})
    assert f"/invoices?{without}".replace("&", "&amp;") in page.replace("&amp;amp;", "&amp;")
    assert f"status=paid&amp;{urlencode(asked).replace('&', '&amp;')}" in page or "status=paid" in page
    assert "No invoice fits" in (await acme.get("/invoices?q=nobody")).text
    assert "No customer fits" in (await acme.get("/customers?q=nobody")).text
    assert "Zoo" in (await acme.get("/customers?q=ZO")).text


async def test_a_renamed_customer_is_found_by_the_new_name_only(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer("Hafenkontor Brandt")
    globex = await person(app, "Globex")
    theirs = await globex.customer("Hafenkontor von nebenan")

    async def found(who: Person, text: str) -> list[str]:
        rows = (await who.get(f"/api/customers?q={quote(text)}")).json["customers"]
        return [row["customer_id"] for row in rows]

    assert await found(acme, "hafen") == [customer_id]
    renamed = {"name": "Kontor Čapek", "email": "rechnung@capek.example", "city": "Kiel"}
    assert (await acme.send("PUT", f"/api/customers/{customer_id}", renamed)).status == 200
    assert await found(acme, "hafen") == []
    for text in ("kontor", "cape", unicodedata.normalize("NFD", "čapek"), "kiel kontor", "rechnung"):
        assert await found(acme, text) == [customer_id], text
    assert await found(globex, "hafen") == [theirs]
    assert await found(globex, "kontor") == []


async def test_customers_found_page_both_ways(acme: Person) -> None:
    names = [f"{'aB'[n % 2]}{n:03d} Werft" for n in range(60)]
    await asyncio.gather(*(acme.customer(name) for name in [*names, "Zoo"]))
    first = (await acme.get("/api/customers?q=werft")).json
    second = (await acme.get(f"/api/customers?q=werft&cursor={first['next_cursor']}")).json
    shown = [row["name"] for row in first["customers"] + second["customers"]]
    assert shown == sorted(names, key=str.lower)
    back = (await acme.get(f"/api/customers?q=werft&cursor={second['previous_cursor']}")).json
    assert back["customers"] == first["customers"]


async def test_a_filtered_list_of_one_and_of_many_costs_the_same(app: RunningApp, acme: Person) -> None:
    customer_id = await acme.customer("Zoo")
    await acme.draft(customer_id)
    paths = ("/invoices?q=zoo", "/invoices?currency=EUR", "/invoices?status=overdue", "/customers?q=z",
             f"/invoices?customer_id={customer_id}")  # fmt: skip
    few = [await cost(app, acme, path) for path in paths]
    await asyncio.gather(
        *(acme.draft(customer_id) for _ in range(30)), *(acme.customer(f"Zoo {n}") for n in range(30))
    )
    more = [await cost(app, acme, path) for path in paths]
    assert few == more
    assert all(few)
