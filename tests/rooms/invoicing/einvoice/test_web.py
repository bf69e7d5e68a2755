"""Electronic invoices over HTTP: out in each format, and a look into one that came."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shipworthy.rooms.invoicing.einvoice.issued import as_einvoice
from shipworthy.rooms.invoicing.einvoice.reading import read_einvoice
from shipworthy.rooms.invoicing.einvoice.ubl import write_ubl
from shipworthy.rooms.invoicing.einvoice.web import IMPORT_EXAMPLE_XML
from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.test_seller import SELLER
from tests.support.app import RunningApp
from tests.support.client import Answer
from tests.support.einvoices import random_invoice

CITY = {
    "name": "City <Works> & Söhne",
    "email": "in@city.example",
    "postal_code": "24534",
    "city": "Neumünster",
    "country": "DE",
    "buyer_reference": "04011000-12345-34",
}


async def issued_to(acme: Person, **changes: str) -> dict[str, Any]:
    made = await acme.post("/api/customers", {**CITY, **changes})
    return await acme.issued(made.json["customer_id"])


@pytest.mark.parametrize("wanted", ["ubl", "cii", "xrechnung", "peppol"])
async def test_an_issued_invoice_is_handed_out_in_each_format(acme: Person, wanted: str) -> None:
    await acme.send("PUT", "/api/seller", SELLER)
    issued = await issued_to(acme)
    for path in ("/api/invoices", "/invoices"):
        served = await acme.get(f"{path}/{issued['invoice_id']}/xml?format={wanted}")
        assert (served.status, served.header("content-type")) == (200, "application/xml")
        assert (
            served.header("content-disposition") == f'attachment; filename="{issued["number"]}-{wanted}.xml"'
        )
        told = read_einvoice(served.body)
        assert told.syntax == ("cii" if wanted == "cii" else "ubl")
        assert (told.invoice.number, told.invoice.buyer.name) == (issued["number"], CITY["name"])
        assert wanted in told.invoice.customization or "#" not in told.invoice.customization


async def test_what_is_missing_is_named_and_the_screen_says_it_before_the_issue(acme: Person) -> None:
    made = await acme.post("/api/customers", {**CITY, "buyer_reference": ""})
    draft = await acme.draft(made.json["customer_id"])
    assert "Lacks seller VAT number (BT-31)" in (await acme.get(f"/invoices/{draft['invoice_id']}")).text
    await acme.send("PUT", "/api/seller", SELLER)
    page = (await acme.get(f"/invoices/{draft['invoice_id']}")).text
    assert "Ready once issued" in page
    assert "Lacks buyer reference (BT-10)" in page
    issued = await acme.issued(made.json["customer_id"])
    refused = await acme.get(f"/api/invoices/{issued['invoice_id']}/xml?format=xrechnung")
    assert (refused.status, refused.json["code"]) == (409, "einvoice.field_missing")
    assert "buyer reference (BT-10)" in refused.json["detail"]
    page = (await acme.get(f"/invoices/{issued['invoice_id']}")).text
    assert "format=ubl" in page
    assert "format=xrechnung" not in page


async def test_a_draft_a_neighbours_invoice_and_an_unknown_format_are_refused(
    app: RunningApp, acme: Person
) -> None:
    draft = await acme.draft()
    refused = await acme.get(f"/api/invoices/{draft['invoice_id']}/xml")
    assert (refused.status, refused.json["code"]) == (409, "invoicing.not_issued")
    issued = await issued_to(acme)
    assert (await acme.get(f"/api/invoices/{issued['invoice_id']}/xml?format=edifact")).status == 422
    globex = await person(app, "Globex")
    assert (await globex.get(f"/api/invoices/{issued['invoice_id']}/xml")).status == 404


async def test_a_credit_note_is_one_in_the_file_too_and_names_its_invoice(
    app: RunningApp, acme: Person
) -> None:
    await acme.send("PUT", "/api/seller", {**SELLER, "iban": ""})
    issued = await issued_to(acme)
    credited = await acme.post(f"/api/invoices/{issued['invoice_id']}/credit-notes", {})
    assert credited.status in (200, 201), credited.text
    for wanted in ("xrechnung", "cii"):
        served = await acme.get(f"/api/invoices/{credited.json['invoice_id']}/xml?format={wanted}")
        told = read_einvoice(served.body).invoice
        assert (told.type_code, told.preceding[0].number) == ("381", issued["number"])
        assert told.totals.payable > 0


async def look_into(acme: Person, content: bytes) -> Answer:
    return await acme.post("/api/invoices/import/preview", {"content": base64.b64encode(content).decode()})


async def test_a_file_that_came_is_shown_in_the_model_and_nothing_is_written(
    app: RunningApp, acme: Person
) -> None:
    model = as_einvoice(random_invoice(1), "ubl", locale="en")
    shown = await look_into(acme, write_ubl(model))
    assert shown.status == 200, shown.text
    told = shown.json
    assert (told["syntax"], told["not_read"], told["remarks"]) == ("ubl", [], [])
    assert told["invoice"]["number"] == "2026-00001"
    assert told["invoice"]["totals"]["payable"] == str(model.totals.payable)
    example = (await look_into(acme, IMPORT_EXAMPLE_XML.encode())).json
    assert example["invoice"]["seller"]["name"] == "Mill Ltd"
    assert await app.admin("select from invoice") == []


async def test_a_file_that_lies_or_attacks_is_refused_with_its_place(acme: Person) -> None:
    lies = IMPORT_EXAMPLE_XML.replace('<cbc:PayableAmount currencyID="EUR">1.00', '<cbc:PayableAmount currencyID="EUR">2.00')  # fmt: skip
    refused = await look_into(acme, lies.encode())
    assert (refused.status, refused.json["code"]) == (422, "einvoice.sums_wrong")
    assert "BR-CO-16: the amount due should be 1.00, the file says 2.00" in refused.json["detail"]
    bomb = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "' + b"&a;" * 50 + b'">]><a>&b;</a>'
    assert (await look_into(acme, bomb)).json["code"] == "einvoice.forbidden_xml"
    assert (await look_into(acme, b"")).status == 422
    assert (await look_into(acme, b" " * 5_100_000)).status in (413, 422)
    assert (await acme.post("/api/invoices/import/preview", {"content": "not base64!"})).status == 422
