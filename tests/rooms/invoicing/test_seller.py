"""The seller's details: read, checked, shown, and frozen into what is issued.

Covers: seller_web, parties, countries.
"""

from __future__ import annotations

import io

import pikepdf
import pytest

from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.test_pdf import text_of
from tests.support.app import RunningApp

SELLER = {
    "name": "Nordlicht Studio GmbH",
    "street": "Lindenstraße 12",
    "postal_code": "20099",
    "city": "Hamburg",
    "country": "de",
    "vat_id": "DE 123 456 789",
    "contact_name": "Ada Winter",
    "email": "invoices@nordlicht.example",
    "phone": "+49 40 1234567",
    "iban": "de02 1203 0000 0000 2020 51",
    "bic": "BYLADEM1001",
}


async def test_a_tenant_that_said_nothing_yet_has_its_name_and_country(acme: Person) -> None:
    told = (await acme.get("/api/seller")).json
    assert (told["name"], told["country"], told["iban"]) == ("Acme", "DE", "")


async def test_details_are_kept_as_people_write_them_but_without_spacing(acme: Person) -> None:
    saved = await acme.send("PUT", "/api/seller", SELLER)
    assert saved.status == 200, saved.text
    told = (await acme.get("/api/seller")).json
    assert told == saved.json
    assert (told["country"], told["vat_id"], told["iban"]) == ("DE", "DE123456789", "DE02120300000000202051")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("country", "XX"),
        ("country", ""),
        ("vat_id", "123456789"),
        ("vat_id", "ZZ123456789"),
        ("iban", "DE02120300000000202052"),
        ("bic", "BANK"),
        ("email", "nobody"),
        ("street", "a\nb"),
        ("phone", "\x01"),
    ],
)
async def test_what_will_not_do_is_named_and_nothing_is_saved(acme: Person, field: str, value: str) -> None:
    refused = await acme.submit("/seller", **{**SELLER, field: value})
    assert refused.status == 422
    if value.isprintable():
        assert f'id="f-{field}-error"' in refused.text
    assert (await acme.get("/api/seller")).json["name"] == "Acme"


async def test_an_invoice_keeps_the_seller_it_was_issued_with_and_prints_it(acme: Person) -> None:
    assert (await acme.submit("/seller", **SELLER)).status == 303
    old = await acme.issued()
    await acme.send("PUT", "/api/seller", {**SELLER, "name": "Südlicht", "iban": ""})
    page = (await acme.get(f"/invoices/{old['invoice_id']}")).text
    assert "Nordlicht Studio GmbH" in page
    assert "Südlicht" not in page
    await acme.run_jobs(old["invoice_id"])
    text = text_of((await acme.get(f"/api/invoices/{old['invoice_id']}/pdf")).body)
    for printed in (
        "Lindenstraße 12",
        "20099 Hamburg",
        "VAT ID DE123456789",
        "BYLADEM1001",
        "+49 40 1234567",
    ):
        assert printed in text, printed


async def test_a_customers_reference_is_frozen_and_printed(acme: Person) -> None:
    made = await acme.post("/api/customers", {"name": "City", "buyer_reference": "04011000-12345-34"})
    issued = await acme.issued(made.json["customer_id"])
    await acme.run_jobs(issued["invoice_id"])
    body = (await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).body
    assert "04011000-12345-34" in text_of(body)
    with pikepdf.open(io.BytesIO(body)) as pdf:
        assert pdf.Root.Lang == "en"


async def test_only_an_owner_changes_them_and_neighbours_see_nothing(app: RunningApp, acme: Person) -> None:
    member = await person(app, role="member", tenant_id=acme.tenant_id)
    assert (await member.send("PUT", "/api/seller", SELLER)).status == 403
    page = (await member.get("/seller")).text
    assert "Only an owner can change these" in page
    assert "Save details" not in page
    await acme.send("PUT", "/api/seller", SELLER)
    globex = await person(app, "Globex")
    assert (await globex.get("/api/seller")).json["name"] == "Globex"
