"""What was owed as of any day is what the payments and credit notes of the API leave."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from shipworthy.rooms.invoicing.reports.overview import BUCKETS
from tests.rooms.invoicing.reports.conftest import FORMULA, Books

DAYS = ("2025-10-31", "2025-11-05", "2025-12-31", "2026-01-14", "2026-01-15", "2026-02-01", "2026-02-24", "2026-02-25",
        "2026-03-09", "2026-03-15", "2026-03-24", "2026-03-25", "2026-03-31", "2026-04-01")  # fmt: skip


async def test_each_day_is_what_invoices_payments_and_credit_notes_leave(books: Books) -> None:
    for text in DAYS:
        said = (await books.person.get(f"/api/reports/ageing?as_of={text}")).json
        got = {
            (row["customer_name"], row["currency"]): {name: row[name] for name in BUCKETS if row[name]}
            for row in said["rows"]
        }
        assert got == owed_on(books, date.fromisoformat(text)), text
        for total in said["totals"]:
            rows = [row for row in said["rows"] if row["currency"] == total["currency"]]
            for name in (*BUCKETS, "total_minor"):
                assert total[name] == sum(row[name] for row in rows)
    assert said == (await books.person.get("/api/reports/ageing")).json  # the last day is today


def owed_on(books: Books, day: date) -> dict[tuple[str, str], dict[str, int]]:
    settled: dict[str, int] = defaultdict(int)
    for p in books.payments:
        for part in p["allocations"]:
            if date.fromisoformat(p["paid_on"]) <= day and not _is_over(part["undone_at"], day):
                settled[part["invoice_id"]] += part["amount_minor"]
    for note in books.invoices:
        if note["kind"] == "credit_note" and date.fromisoformat(note["issue_date"]) <= day:
            settled[note["credits_invoice_id"]] += note["credited_minor"]
    owed: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for i in books.invoices:
        if i["kind"] != "invoice" or not i["number"] or date.fromisoformat(i["issue_date"]) > day:
            continue
        rest = i["gross_minor"] - settled[i["invoice_id"]]
        if rest > 0 and not _is_over(i["voided_at"], day) and not _is_over(i["uncollectible_at"], day):
            late = (day - date.fromisoformat(i["due_date"])).days
            bucket = BUCKETS[0 if late <= 0 else min(4, (late + 29) // 30)]
            of = owed[i["customer_name"], i["currency"]]
            of[bucket] = of.get(bucket, 0) + rest
    return dict(owed)


def _is_over(moment: str | None, day: date) -> bool:
    return (
        moment is not None
        and datetime.fromisoformat(moment).astimezone(ZoneInfo("Europe/Berlin")).date() <= day
    )


async def test_the_file_and_the_page_say_the_same_and_no_cell_is_a_formula(books: Books) -> None:
    said = (await books.person.get("/api/reports/ageing")).json
    file = await books.person.get("/reports/ageing.csv")
    assert file.header("content-type") == "text/csv; charset=utf-8; header=present"
    assert 'filename="ageing-2026-04-01.csv"' in str(file.header("content-disposition"))
    rows = list(csv.DictReader(io.StringIO(file.body.decode(), newline="")))
    assert [row["currency"] for row in rows] == [row["currency"] for row in said["rows"]]
    exponents = {"EUR": 2, "KWD": 3, "JPY": 0}
    for row, line in zip(said["rows"], rows, strict=True):
        assert line["customer"] == (
            "'" + FORMULA if row["customer_name"] == FORMULA else row["customer_name"]
        )
        assert (
            line["total"]
            == f"{row['total_minor'] / 10 ** exponents[row['currency']]:.{exponents[row['currency']]}f}"
        )
    page = (await books.person.get("/reports/ageing?as_of=2026-03-15")).text
    assert "Ageing in EUR" in page
    assert 'value="2026-03-15"' in page


@pytest.mark.parametrize("path", ["/reports/ageing?as_of=", "/reports/tax?last="])
async def test_a_day_that_is_none_or_still_to_come_is_refused_on_the_page(books: Books, path: str) -> None:
    for day, said in (("2026-02-30", "There is no such day"), ("2026-04-02", "still to come")):
        page = await books.person.get(path + day)
        assert (page.status, said in page.text) == (422, True)
        refused = await books.person.get(f"/api{path}{day}")
        assert (refused.status, refused.json["code"]) == (422, "invoicing.report_invalid")
