"""Whatever people write into any field is kept as they wrote it or refused by name, and is a text wherever it goes.

On the pages it is no markup, in the XML no element, on paper no code.
"""

from __future__ import annotations

import asyncio
import html
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.einvoice.model import EInvoice
from shipworthy.rooms.invoicing.einvoice.reading import read_einvoice
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import LINE, Person, person
from tests.rooms.invoicing.test_pdf import text_of
from tests.rooms.invoicing.test_seller import SELLER
from tests.support.app import app_running
from tests.support.deeper import lean

HOSTILE = {
    "a tag": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a quote": "\"'><b onmouseover=alert(1)>&amp;&#60;",
    "a template": "{{ 7*7 }}{% set x = 1 %}{# gone #}",
    "typst code": '#eval("1+1") #panic() $x^2$ *bold* _it_ @ref <label> `raw` \\ // /* [x] = H',
    "typst import": '#import "/etc/passwd": * #read("/etc/hostname") #include "x.typ"',
    "an XML trick": "]]> <!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]> &y; <?php ?> <!--",
    "a formula": "=HYPERLINK(\"http://evil.example\";\"x\")",
    "a plus": "+1-800", "a minus": "-2+3", "an at sign": "@SUM(A1)",
    "SQL": "'; drop table invoice; --",
    "a path": "../../../../etc/passwd%00.pdf",
    "right to left": "شركة المرفأ 42 עברית",
    "a turned order": "invoice\u202egpj.exe\u2066x\u2069",
    "CJK": "東京デザイン株式会社 上海 서울",
    "emoji": "👩‍👩‍👧‍👦 🇩🇪 ❤️ 🏳️‍🌈",
    "zero width": "Har\u200bbour\u200d\ufeff Off\u00adice",
    "combining": "Z\u0351\u0307a\u0300\u0301lgo e\u0301 \u1e9e ß ﬁ",
    "above the plane": "𝕬𝖈𝖒𝖊 𐍈",
    "one long word": "W" * 190,
    "blanks": "a\u00a0b\u2003c\u3000d",
    "not characters": "\ufffe\uffff",
}  # fmt: skip

# What one person may type: no line breaks, where a field is one line.
ANYTHING = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=190).map(
    str.strip
).filter(bool)  # fmt: skip
CUSTOMER_FIELDS = ("name", "street", "postal_code", "city", "buyer_reference")
SELLER_FIELDS = ("name", "street", "city", "contact_name", "bank_name")
SHORT = {"postal_code": 20, "buyer_reference": 60, "city": 100, "contact_name": 100, "bank_name": 100}


async def test_hostile_and_other_texts_in_every_field_stay_texts(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    """In one app, because each has a press of its own to warm up."""
    async with app_running(cluster, (ROOM,), tmp_path) as app:
        loop = asyncio.get_running_loop()

        async def one(text: str) -> None:
            await goes_everywhere(await person(app), text)

        for what, text in HOSTILE.items():
            try:
                await one(text)
            except AssertionError as failed:
                failed.add_note(f"with {what}: {text!r}")
                raise

        @settings(**lean(8))
        @given(ANYTHING)
        def every_text(text: str) -> None:
            asyncio.run_coroutine_threadsafe(one(text), loop).result()

        await asyncio.to_thread(every_text)


async def goes_everywhere(who: Person, text: str) -> None:
    """Write a text into every field of a seller, a customer, an invoice and a payment, and look at all that shows it."""
    seller = {**SELLER, **{name: cut(name, text) for name in SELLER_FIELDS}}
    assert (await who.send("PUT", "/api/seller", seller)).status == 200
    customer = {name: cut(name, text) for name in CUSTOMER_FIELDS}
    made = await who.post("/api/customers", {**customer, "country": "DE", "email": "office@harbour.example"})
    assert made.status == 201, made.text
    assert {name: made.json[name] for name in CUSTOMER_FIELDS} == customer
    customer_id = made.json["customer_id"]
    lines = [{**LINE, "description": text}]
    issued = await who.issued(customer_id, lines=lines, note=text)
    path = f"/invoices/{issued['invoice_id']}"
    read = (await who.get(f"/api{path}")).json
    assert (read["lines"][0]["description"], read["note"], read["customer_name"]) == (
        text,
        text,
        customer["name"],
    )
    paid = await who.post(
        "/api/payments", {"invoice_id": issued["invoice_id"], "amount_minor": 1, "reference": text}
    )
    assert paid.status == 201, paid.text
    for page in ("/invoices", path, "/customers", f"/customers/{customer_id}", f"/customers/{customer_id}/edit",
                 "/seller", f"{path}/credit", "/payments", f"/payments/{paid.json['payment_id']}"):  # fmt: skip
        await shows_as_text(who, page, text)
    for wanted in ("ubl", "cii"):
        served = await who.get(f"/api{path}/xml?format={wanted}")
        assert served.status == 200, served.text
        carries(read_einvoice(served.body).invoice, text, customer["name"], seller["name"])
    await is_on_paper_or_refused(who, issued["invoice_id"], text)


async def shows_as_text(who: Person, page: str, text: str) -> None:
    shown = await who.get(page)
    assert shown.status == 200, page
    assert "<script>alert" not in shown.text
    assert "onerror=alert(1)>" not in html.unescape(
        shown.text.replace("&lt;img src=x onerror=alert(1)&gt;", "")
    )
    assert "<b onmouseover" not in shown.text
    beginning = text[:15].rstrip()
    assert beginning in html.unescape(shown.text), page


def carries(invoice: EInvoice, text: str, buyer: str, seller: str) -> None:
    """XML cannot hold the two code points that are no characters; they come back as the one that says so."""
    unwritable = str.maketrans({0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD})
    assert invoice.buyer.name == buyer.translate(unwritable)
    assert invoice.seller.name == seller.translate(unwritable)
    assert invoice.lines[0].name == text.translate(unwritable)


async def is_on_paper_or_refused(who: Person, invoice_id: str, text: str) -> None:
    await who.run_jobs(invoice_id)
    printed = await who.get(f"/api/invoices/{invoice_id}/pdf")
    if printed.status == 409:
        assert printed.json["code"] == "invoicing.pdf_failed"
        assert "U+" in printed.json["detail"], "the characters are named"
        return
    assert printed.status == 200, printed.text
    words = text_of(printed.body)
    for word in (word for word in text.split() if word.isascii() and len(word) < 20):
        assert word in words, word


def cut(field: str, text: str) -> str:
    return text[: SHORT.get(field, 200)].strip()


@pytest.mark.parametrize("text", ["x" * 10_000, "bell\x07", "null\x00", "\x1b[31m"])
async def test_what_does_not_fit_is_refused_by_name_in_every_field(acme: Person, text: str) -> None:
    customer_id = await acme.customer()
    bodies: dict[str, tuple[str, str, dict[str, Any]]] = {
        "name": ("POST", "/api/customers", {"name": text}),
        "street": ("POST", "/api/customers", {"name": "Kiosk", "street": text}),
        "contact_name": ("PUT", "/api/seller", {**SELLER, "contact_name": text}),
        "note": ("POST", "/api/invoices", {"customer_id": customer_id, "currency": "EUR", "lines": [LINE], "note": text}),
        "lines[0].description": ("POST", "/api/invoices", {"customer_id": customer_id, "currency": "EUR", "lines": [{**LINE, "description": text}]}),
        "reference": ("POST", "/api/payments", {"customer_id": customer_id, "currency": "EUR", "amount_minor": 1, "reference": text}),
    }  # fmt: skip
    for field, (method, path, body) in bodies.items():
        refused = await acme.send(method, path, body)
        if "\0" in text:
            assert (refused.status, refused.json["code"]) == (400, "body.malformed")
        else:
            assert (refused.status, list(refused.json["fields"])) == (422, [field])
    assert (await acme.get("/api/invoices")).json["invoices"] == []
