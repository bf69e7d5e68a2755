"""Units: picked by name, kept as a code, said behind the number wherever the quantity is."""

from __future__ import annotations

import html
from dataclasses import replace

from shipworthy.kernel.language import speaking
from shipworthy.rooms.invoicing.einvoice.reading import read_einvoice
from shipworthy.rooms.invoicing.einvoice.writing import write_einvoice
from shipworthy.rooms.invoicing.units import NO_UNIT, UNITS, unit_choices, with_unit
from tests.rooms.invoicing.conftest import LINE, Person
from tests.rooms.invoicing.test_payments import read
from tests.rooms.invoicing.test_pdf import text_of
from tests.support.app import RunningApp
from tests.support.einvoices import Rules, needs_rules, random_invoice

NBSP = "\N{NO-BREAK SPACE}"


def test_the_norm_knows_every_unit_that_can_be_picked() -> None:
    needs_rules()
    invoice = next(i for i in map(random_invoice, range(1, 99)) if len(i.lines) == 1)
    lines = tuple(replace(line, unit=code) for code in UNITS for line in invoice.lines)
    rules = Rules()
    for syntax in ("ubl", "cii"):
        xml = write_einvoice(replace(invoice, lines=lines[:1]), syntax, locale="en")
        assert "BR-CL-23" not in rules.broken_by(xml)
        for line in lines:
            made = xml.replace(f'unitCode="{lines[0].unit}"'.encode(), f'unitCode="{line.unit}"'.encode())
            assert "BR-CL-23" not in rules.broken_by(made), line.unit
        wrong = xml.replace(f'unitCode="{lines[0].unit}"'.encode(), b'unitCode="NPR"')
        assert "BR-CL-23" in rules.broken_by(wrong)


def test_a_unit_is_named_in_the_readers_language_and_a_code_we_forgot_by_itself() -> None:
    assert with_unit("1.5", "HUR", locale="en") == f"1.5{NBSP}h"
    assert with_unit("1,5", "HUR", locale="de") == f"1,5{NBSP}Std."
    assert with_unit("3", NO_UNIT, locale="de") == "3"
    assert with_unit("3", "D64", locale="de") == f"3{NBSP}D64"
    with speaking("de"):
        assert dict(unit_choices())["KWH"] == "Kilowattstunde"


async def test_a_line_keeps_its_unit_to_the_credit_note_and_into_every_file(
    app: RunningApp, acme: Person
) -> None:
    issued = await acme.issued(lines=[{**LINE, "unit": "hur"}, LINE])
    assert [line["unit"] for line in issued["lines"]] == ["HUR", NO_UNIT]
    path = f"/invoices/{issued['invoice_id']}"
    assert f"1.5{NBSP}h" in (await acme.get(path)).text
    assert f"1.5{NBSP}h" in (await acme.get(f"{path}/credit")).text
    await acme.run_jobs(issued["invoice_id"])
    assert f"1.5{NBSP}h" in text_of((await acme.get(f"/api{path}/pdf")).body)
    note = await acme.post(f"/api{path}/credit-notes", {})
    assert [line["unit"] for line in (await read(acme, note.json))["lines"]] == ["HUR", NO_UNIT]


async def test_the_file_says_the_unit(acme: Person) -> None:
    await acme.send("PUT", "/api/seller", {"name": "Nordlicht", "country": "DE", "vat_id": "DE123456789"})
    buyer = (await acme.post("/api/customers", {"name": "Buyer", "country": "DE"})).json["customer_id"]
    issued = await acme.issued(buyer, lines=[{**LINE, "unit": "KWH"}])
    for syntax in ("ubl", "cii"):
        xml = (await acme.get(f"/api/invoices/{issued['invoice_id']}/xml?format={syntax}")).body
        assert read_einvoice(xml).invoice.lines[0].unit == "KWH"


async def test_a_product_carries_its_unit_to_the_line_that_is_picked(acme: Person) -> None:
    made = await acme.post("/api/products", {"name": "Cable", "unit_price": "2.40", "unit": "MTR"})
    assert made.json["unit"] == "MTR"
    assert f"2.40 EUR /{NBSP}m" in html.unescape((await acme.get("/products")).text)
    customer_id = await acme.customer()
    form = await acme.submit("/invoices/lines", currency="EUR", product_id=made.json["product_id"])
    assert 'value="MTR" selected' in form.text
    saved = await acme.submit(
        "/invoices",
        customer_id=customer_id,
        currency="EUR",
        payment_days="14",
        lines__0__description="Cable",
        lines__0__quantity="5",
        lines__0__unit="MTR",
        lines__0__unit_price="2.40",
        lines__0__tax="S:1900",
    )
    assert f"5{NBSP}m" in (await acme.get(saved.header("location") or "")).text
    edit = await acme.get(f"{saved.header('location')}/edit")
    assert 'value="MTR" selected' in edit.text


async def test_a_unit_nobody_knows_is_refused_by_name(acme: Person) -> None:
    body = {"customer_id": await acme.customer(), "currency": "EUR", "lines": [LINE, {**LINE, "unit": "XYZ"}]}
    refused = await acme.post("/api/invoices", body)
    assert (refused.status, list(refused.json["fields"])) == (422, ["lines[1].unit"])
    wrong = await acme.post("/api/products", {"name": "Cable", "unit_price": "2.40", "unit": "metre"})
    assert (wrong.status, list(wrong.json["fields"])) == (422, ["unit"])
