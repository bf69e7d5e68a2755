"""The tax of a period is what its invoices say less what its credit notes say."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from decimal import Decimal

from tests.rooms.invoicing.reports.conftest import Books

Sums = dict[tuple[str, str, str, int], list[int]]


async def test_every_rate_of_every_period_adds_up_to_the_invoices(books: Books) -> None:
    for per in ("month", "quarter", "year"):
        said = (await books.person.get(f"/api/reports/tax?first=2025-01-01&per={per}")).json
        got = {
            (row["currency"], row["label"], row["tax_category"], row["tax_rate_bp"]): [
                row["base_minor"],
                row["tax_minor"],
            ]
            for row in said["rows"]
        }
        assert got == taxes_of(books, per), per
        assert len(got) > 3
        for total in said["totals"]:
            rows = [
                r for r in said["rows"] if (r["currency"], r["label"]) == (total["currency"], total["label"])
            ]
            assert total["tax_minor"] == sum(row["tax_minor"] for row in rows)


def taxes_of(books: Books, per: str) -> Sums:
    sums: Sums = defaultdict(lambda: [0, 0])
    for i in books.invoices:
        if i["status"] in ("open", "paid", "uncollectible", "credited"):
            sign = -1 if i["kind"] == "credit_note" else 1
            year, month = i["issue_date"][:4], int(i["issue_date"][5:7])
            label = {"year": year, "quarter": f"{year} Q{(month + 2) // 3}", "month": f"{year}-{month:02d}"}[
                per
            ]
            for group in i["taxes"]:
                of = sums[i["currency"], label, group["tax_category"], group["tax_rate_bp"]]
                of[0] += sign * group["base_minor"]
                of[1] += sign * group["tax_minor"]
    return dict(sums)


async def test_closed_books_are_shown_and_the_file_says_the_same(books: Books) -> None:
    asked = "first=2025-10-01&last=2026-03-31&per=quarter"
    assert (
        await books.person.send("PUT", "/api/numbers/books", {"closed_until": "2025-12-31"})
    ).status == 200
    said = (await books.person.get(f"/api/reports/tax?{asked}")).json
    assert {row["label"]: row["is_closed"] for row in said["rows"]} == {"2025 Q4": True, "2026 Q1": False}
    assert said["closed_until"] == "2025-12-31"
    page = (await books.person.get(f"/reports/tax?{asked}")).text
    assert page.count("Books closed") == 2  # one a currency
    assert "Books open" in page
    rows = list(
        csv.DictReader(io.StringIO((await books.person.get(f"/reports/tax.csv?{asked}")).text, newline=""))
    )
    exponents = {"EUR": 2, "KWD": 3, "JPY": 0}
    assert [(r["period"], r["tax_category"], Decimal(r["tax"]), r["books_closed"]) for r in rows] == [
        (
            r["label"],
            r["tax_category"],
            Decimal(r["tax_minor"]).scaleb(-exponents[r["currency"]]),
            "yes" if r["is_closed"] else "no",
        )
        for r in said["rows"]
    ]


async def test_a_range_that_is_too_long_or_turned_round_is_refused(books: Books) -> None:
    for asked in ("first=2000-01-01", "first=2026-03-02&last=2026-03-01", "per=week"):
        refused = await books.person.get(f"/api/reports/tax?{asked}")
        assert (refused.status, refused.json["code"]) == (422, "invoicing.report_invalid"), asked
