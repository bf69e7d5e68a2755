"""Products: written down, changed, put away, picked on a draft; refused by name.

Covers: web.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tests.rooms.invoicing.conftest import Person, person
from tests.support.app import RunningApp

TAP = {"name": "Kitchen tap", "unit_price": "149.90", "currency": "EUR", "tax_code": "standard"}


async def made(who: Person, **changes: str) -> dict[str, Any]:
    answer = await who.post("/api/products", {**TAP, **changes})
    assert answer.status == 201, answer.text
    product: dict[str, Any] = answer.json
    return product


async def test_a_product_is_written_read_changed_and_put_away(app: RunningApp, acme: Person) -> None:
    tap = await made(acme)
    path = f"/api/products/{tap['product_id']}"
    assert (await acme.get(path)).json == tap
    edited = await acme.send("PUT", path, {**TAP, "unit_price": "0.00125", "description": "Chrome"})
    assert (edited.json["unit_price"], edited.json["description"]) == ("0.00125", "Chrome")
    await made(acme, name="a washer")
    assert [p["name"] for p in (await acme.get("/api/products")).json["products"]] == [
        "a washer",
        "Kitchen tap",
    ]
    assert (await acme.post(f"{path}/archive")).json["archived_at"]
    assert (await acme.post(f"{path}/archive")).status == 200
    assert [p["name"] for p in (await acme.get("/api/products")).json["products"]] == ["a washer"]
    assert [p["name"] for p in (await acme.get("/api/products?archived=true")).json["products"]] == [
        "Kitchen tap"
    ]
    assert (await acme.post(f"{path}/restore")).json["archived_at"] is None
    globex = await person(app, "Globex")
    for method, place, body in (("GET", path, None), ("PUT", path, TAP), ("POST", f"{path}/archive", {})):
        assert (await globex.send(method, place, body)).status == 404
    viewer = await person(app, role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.post("/api/products", TAP)).status == 403


async def test_what_is_wrong_is_named(acme: Person) -> None:
    for change, field in (
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"unit_price": "-1"}, "unit_price"),
        ({"unit_price": "1e3"}, "unit_price"),
        ({"unit_price": "NaN"}, "unit_price"),
        ({"unit_price": "1.2345678"}, "unit_price"),
        ({"unit_price": "9" * 13}, "unit_price"),
        ({"currency": "XYZ"}, "currency"),
        ({"tax_code": "gone"}, "tax_code"),
        ({"description": "\x07"}, "description"),
    ):
        refused = await acme.post("/api/products", {**TAP, **change})
        assert (refused.status, list(refused.json["fields"])) == (422, [field]), refused.text
    assert (await acme.get("/api/products")).json["products"] == []


async def test_the_pages_list_make_edit_and_archive(acme: Person) -> None:
    assert "No products yet" in (await acme.get("/products")).text
    refused = await acme.submit("/products", **{**TAP, "unit_price": "dear"})
    assert (refused.status, 'value="dear"' in refused.text) == (422, True)
    assert (await acme.submit("/products", **TAP)).status == 303
    assert "149.90 EUR" in (await acme.get("/products")).text
    (tap,) = (await acme.get("/api/products")).json["products"]
    page = f"/products/{tap['product_id']}"
    assert 'value="149.90"' in (await acme.get(f"{page}/edit")).text.replace('"149.9"', '"149.90"')
    assert (await acme.submit(page, **{**TAP, "name": "Bath tap"})).status == 303
    assert (await acme.submit(f"{page}/archive")).status == 303
    assert "Bath tap" in (await acme.get("/products?archived=true")).text
    assert (await acme.submit(f"{page}/restore")).status == 303


async def test_a_product_fills_a_line_and_what_was_typed_stays(acme: Person) -> None:
    tap = await made(acme)
    typed = {
        "customer_id": await acme.customer(),
        "currency": "EUR",
        "payment_days": "14",
        "note": "Typed before",
    }
    assert "Kitchen tap" in (await acme.get("/invoices/new")).text
    added = await acme.submit("/invoices/lines", **typed, product_id=tap["product_id"])
    assert added.status == 200
    for kept in ("Typed before", 'value="Kitchen tap"', 'value="149.90"', 'value="standard" selected'):
        assert kept in added.text, kept
    nothing = await acme.submit("/invoices/lines", **typed, product_id="")
    assert 'href="#f-product_id"' in nothing.text
    draft = await acme.draft()
    kept_draft = await acme.submit(
        "/invoices/lines", **typed, product_id=tap["product_id"], draft_id=draft["invoice_id"], version="1"
    )
    assert f'action="/invoices/{draft["invoice_id"]}"' in kept_draft.text.replace("&#x2f;", "/")
    globex = await person(acme.app, "Globex")
    theirs = {**typed, "customer_id": await globex.customer()}
    assert (await acme.submit("/invoices/lines", **theirs, product_id=tap["product_id"])).status == 404
    globex_tap = await made(globex, name="Theirs")
    assert (await acme.submit("/invoices/lines", **typed, product_id=globex_tap["product_id"])).status == 404


async def test_twenty_at_once_make_twenty_products(acme: Person) -> None:
    await asyncio.gather(*(made(acme, name=f"Tap {n}") for n in range(20)))
    assert len((await acme.get("/api/products")).json["products"]) == 20
