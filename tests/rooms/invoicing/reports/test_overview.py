"""The first page's figures are those of the invoices, one currency at a time, on the business's own days.

Covers: web, period.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date

from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.reports.conftest import FORMULA, Books
from tests.rooms.invoicing.test_listing import cost
from tests.support.app import RunningApp

TODAY = date(2026, 4, 1)  # in Berlin
COUNTED = ("open", "paid", "uncollectible", "credited")


async def test_the_figures_add_up_to_the_invoices(books: Books) -> None:
    for currency in ("EUR", "JPY", "KWD", "USD"):
        said = (await books.person.get(f"/api/reports/overview?currency={currency}")).json
        mine = [i for i in books.invoices if i["currency"] == currency]
        invoiced: dict[str, int] = defaultdict(int)
        by_customer: dict[str, int] = defaultdict(int)
        paid: dict[str, int] = defaultdict(int)
        for i in mine:
            if i["status"] in COUNTED:
                amount = -i["gross_minor"] if i["kind"] == "credit_note" else i["gross_minor"]
                invoiced[i["issue_date"][:7]] += amount
                by_customer[i["customer_name"]] += amount
        for p in books.payments:
            if p["currency"] == currency and not p["reversed_at"]:
                paid[p["paid_on"][:7]] += p["amount_minor"]
        months = {m["month"][:7]: (m["invoiced_minor"], m["paid_minor"]) for m in said["months"]}
        assert min(months) == "2025-05"
        assert max(months) == "2026-04"
        assert months == {m: (invoiced[m], paid[m]) for m in months}
        owed = [i for i in mine if i["status"] == "open"]
        late = [i for i in owed if date.fromisoformat(i["due_date"]) < TODAY]
        assert said["outstanding_minor"] == sum(i["balance_minor"] for i in owed)
        assert (said["overdue_minor"], said["overdue_count"]) == (
            sum(i["balance_minor"] for i in late),
            len(late),
        )
        assert sum(b["owed_minor"] for b in said["ageing"]) == said["outstanding_minor"]
        drafts = [i["gross_minor"] for i in mine if i["status"] == "draft"]
        assert (said["draft_count"], said["draft_minor"]) == (len(drafts), sum(drafts))
        assert said["paid_this_month_minor"] == paid["2026-04"]
        top = {row["customer_name"]: row["invoiced_minor"] for row in said["top_customers"]}
        assert top == {name: amount for name, amount in by_customer.items() if amount > 0}
    assert said["outstanding_minor"] == 0
    assert said["currencies"][0] == "EUR"  # in which most was written


async def test_the_page_says_them_and_draws_them_without_script(books: Books) -> None:
    text = (await books.person.get("/overview")).text
    (named,) = re.findall(r'role="img" aria-labelledby="([^"]+)"', text)
    assert set(named.split()) <= set(re.findall(r'\bid="([^"]+)"', text))
    assert len(re.findall(r'<rect class="months-(?:invoiced|paid)"', text)) == 24
    assert "<script>" not in text
    assert "style=" not in text
    said = (await books.person.get("/api/reports/overview")).json
    assert f"€{said['outstanding_minor'] / 100:,.2f}" in text
    assert FORMULA.replace('"', "&quot;").replace("/", "&#x2f;") in text
    refused = await books.person.get("/overview?currency=EURO")
    assert (refused.status, "Write the code of a currency" in refused.text) == (422, True)


async def test_a_new_business_sees_nothing_owed_and_a_neighbour_sees_its_own(
    app: RunningApp, acme: Person
) -> None:
    globex = await person(app, "Globex")
    await globex.issued()
    empty = (await acme.get("/api/reports/overview")).json
    assert (empty["outstanding_minor"], empty["currencies"], empty["top_customers"]) == (0, ["EUR"], [])
    page = await acme.get("/overview")
    assert page.status == 200
    assert "No invoices yet" in page.text
    assert (await globex.get("/api/reports/overview")).json["outstanding_count"] == 1


async def test_the_figures_of_many_invoices_cost_as_many_queries_as_those_of_one(
    app: RunningApp, acme: Person
) -> None:
    paths = ("/overview", "/reports/ageing", "/reports/tax", "/reports/ageing.csv")
    await acme.issued()
    few = [await cost(app, acme, path) for path in paths]
    for _ in range(4):
        await acme.issued()
    assert few == [await cost(app, acme, path) for path in paths]
    assert all(few)
