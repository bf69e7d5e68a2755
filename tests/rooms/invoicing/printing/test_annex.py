"""A long invoice: on paper what its lines come to, in the annex every one of them, and the press within its bounds.

Covers: paper.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import pikepdf
import pytest

from shipworthy.rooms.invoicing.printing.annex import COLUMNS, PRINTED_LINES_MAX
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.rooms.invoicing.test_payments import read
from tests.rooms.invoicing.test_pdf import text_of
from tests.rooms.invoicing.test_seller import SELLER
from tests.support.app import RunningApp

BUYER = {"name": "Hotel", "street": "Weg 1", "postal_code": "20457", "city": "Hamburg", "country": "DE"}
TENTH = {"kind": "discount", "percent_bp": 1000}
MANY = 10_000


def many(count: int) -> list[dict[str, Any]]:
    """Lines that no two of are alike, of two rates, some of them with a trick in their text."""
    return [
        {
            "description": "=1+1" if n == 7 else f'Cable "{n}", grey',
            "quantity": f"{n % 9 + 1}.25",
            "unit": "MTR",
            "unit_price": f"{n % 50}.99",
            "tax_rate_bp": 700 if n % 3 else 1900,
            **({"change": TENTH} if n == 9 else {}),
        }
        for n in range(1, count + 1)
    ]


async def test_ten_thousand_lines_are_a_summary_with_an_annex_and_a_whole_electronic_invoice(
    app: RunningApp, acme: Person
) -> None:
    await acme.send("PUT", "/api/seller", SELLER)
    buyer = (await acme.post("/api/customers", {**BUYER, "language": "en"})).json["customer_id"]
    issued = await acme.issued(buyer, lines=many(MANY))
    path = f"/api/invoices/{issued['invoice_id']}"
    await acme.run_jobs(issued["invoice_id"])
    printed = await acme.get(f"{path}/pdf")
    assert printed.status == 200, printed.text
    pages = text_of(printed.body)
    for said in ("6,667 lines, see the annex", "3,333 lines, see the annex", f"{issued['number']}-lines.csv"):
        assert said in pages
    assert "Cable" not in pages
    with pikepdf.open(io.BytesIO(printed.body)) as pdf:
        assert len(pdf.pages) == 1
        annex = pdf.attachments[f"{issued['number']}-lines.csv"].get_file().read_bytes()
        xml = pdf.attachments["factur-x.xml"].get_file().read_bytes()
    beside = await acme.get(f"{path}/lines")
    assert beside.body == annex
    assert beside.header("content-disposition") == f'attachment; filename="{issued["number"]}-lines.csv"'
    rows = list(csv.DictReader(io.StringIO(annex.decode(), newline="")))
    assert (len(rows), tuple(rows[0])) == (MANY, COLUMNS)
    assert (rows[6]["description"], rows[7]["description"]) == ("'=1+1", 'Cable "8", grey')
    assert [rows[8][name] for name in ("quantity", "unit", "unit_price", "discount_or_surcharge", "tax_rate")] == [
        "1.25", "MTR", "9.99", "-1.25", "19",
    ]  # fmt: skip
    assert sum(round(float(row["net"]) * 100) for row in rows) == issued["net_minor"]
    assert xml.count(b"<ram:IncludedSupplyChainTradeLineItem>") == MANY
    globex = await person(app, "Globex")
    assert (await globex.get(f"{path}/lines")).status == 404


async def test_a_long_draft_is_shown_in_part_and_not_in_a_form_and_credited_whole(acme: Person) -> None:
    draft = await acme.draft(lines=many(PRINTED_LINES_MAX + 1))
    path = f"/invoices/{draft['invoice_id']}"
    page = (await acme.get(path)).text
    assert "751 more lines are not shown here." in page
    assert f'href="/api{path}/lines"' in page
    refused = await acme.get(f"{path}/edit")
    assert (refused.status, "holds 250" in refused.text) == (409, True)
    assert (await acme.get(f"/api{path}/lines")).header(
        "content-disposition"
    ) == 'attachment; filename="draft-lines.csv"'
    issued = (await acme.post(f"/api{path}/finalise")).json
    assert "1001 lines left to credit" in (await acme.get(f"{path}/credit")).text
    sent = await acme.submit(f"{path}/credit", note="All of it", version=str(issued["version"]))
    assert sent.status == 303, sent.text
    assert (await read(acme, draft))["status"] == "paid"


@pytest.mark.parametrize("count", [PRINTED_LINES_MAX, 1])
async def test_what_is_not_too_long_is_printed_line_by_line(acme: Person, count: int) -> None:
    issued = await acme.issued(lines=[LINE] * count)
    await acme.run_jobs(issued["invoice_id"])
    body = (await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).body
    assert "annex" not in text_of(body)
    with pikepdf.open(io.BytesIO(body)) as pdf:
        assert not [name for name in pdf.attachments if name.endswith(".csv")]
