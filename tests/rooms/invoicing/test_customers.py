"""Customers, through the API."""

from __future__ import annotations

import uuid

import pytest

from tests.rooms.invoicing.conftest import Person, person
from tests.support.app import RunningApp

WHOLE = {
    "name": "Harbour Office Ltd",
    "email": "office@harbour.example",
    "tax_id": "DE811907980",
    "street": "Am Kai 4",
    "postal_code": "20457",
    "city": "Hamburg",
    "country": "DE",
    "buyer_reference": "04011000-12345-34",
    "rounding": "",
    "language": "de",
}


async def test_a_customer_is_read_back_as_written_and_listed(acme: Person) -> None:
    created = await acme.post("/api/customers", WHOLE)
    assert created.status == 201
    customer_id = created.json["customer_id"]
    assert created.header("location") == f"/api/customers/{customer_id}"
    read = await acme.get(f"/api/customers/{customer_id}")
    assert read.json == {"customer_id": customer_id, **WHOLE}
    listed = await acme.get("/api/customers")
    assert [c["name"] for c in listed.json["customers"]] == ["Harbour Office Ltd"]


async def test_a_customer_is_corrected_and_what_was_issued_before_stays(
    app: RunningApp, acme: Person
) -> None:
    customer_id = (await acme.post("/api/customers", {"name": "Harbour"})).json["customer_id"]
    issued = await acme.issued(customer_id)
    assert 'value="Harbour"' in (await acme.get(f"/customers/{customer_id}/edit")).text
    refused = await acme.submit(f"/customers/{customer_id}", **{**WHOLE, "country": "XX"})
    assert (refused.status, f'action="/customers/{customer_id}"' in refused.text.replace("&#x2f;", "/")) == (
        422,
        True,
    )
    assert (await acme.submit(f"/customers/{customer_id}", **WHOLE)).status == 303
    assert (await acme.get(f"/api/customers/{customer_id}")).json == {"customer_id": customer_id, **WHOLE}
    assert "<b>Harbour</b>" in (await acme.get(f"/invoices/{issued['invoice_id']}")).text
    globex = await person(app, "Globex")
    assert (await globex.send("PUT", f"/api/customers/{customer_id}", WHOLE)).status == 404
    viewer = await person(app, role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.send("PUT", f"/api/customers/{customer_id}", WHOLE)).status == 403
    assert "/edit" not in (await viewer.get(f"/customers/{customer_id}")).text


async def test_outer_blanks_are_dropped_and_the_country_is_written_in_capitals(acme: Person) -> None:
    created = await acme.post("/api/customers", {"name": "  Kiosk ", "country": "at"})
    assert (created.json["name"], created.json["country"]) == ("Kiosk", "AT")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "   "),
        ("name", "x" * 201),
        ("name", "two\nlines"),
        ("name", "bell \x07"),
        ("email", "nobody"),
        ("email", "a@b"),
        ("country", "Germany"),
        ("country", "D1"),
        ("city", "x" * 101),
    ],
)
async def test_a_wrong_field_is_named_and_the_right_one_passes(acme: Person, field: str, value: str) -> None:
    refused = await acme.post("/api/customers", {**WHOLE, field: value})
    assert (refused.status, refused.json["code"]) == (422, "invoicing.customer_invalid")
    assert set(refused.json["fields"]) == {field}
    assert (await acme.post("/api/customers", WHOLE)).status == 201
    assert len((await acme.get("/api/customers")).json["customers"]) == 1


async def test_a_lone_surrogate_is_refused_and_not_a_crash(acme: Person) -> None:
    body = b'{"name": "\\ud800"}'
    headers = {"idempotency-key": "k", "content-type": "application/json"}
    answer = await acme.client.post("/api/customers", body=body, headers=headers)
    assert answer.status in (400, 422)


async def test_a_neighbours_customer_answers_like_none_at_all(app: RunningApp, acme: Person) -> None:
    globex = await person(app, "Globex")
    customer_id = await acme.customer()
    foreign = await globex.get(f"/api/customers/{customer_id}")
    missing = await globex.get(f"/api/customers/{uuid.uuid4()}")
    assert (foreign.status, foreign.body) == (404, missing.body)
    assert (await globex.get("/api/customers")).json["customers"] == []


async def test_a_viewer_reads_and_writes_nothing(app: RunningApp, acme: Person) -> None:
    viewer = await person(app, role="viewer", tenant_id=acme.tenant_id)
    customer_id = await acme.customer()
    assert (await viewer.get(f"/api/customers/{customer_id}")).status == 200
    refused = await viewer.post("/api/customers", WHOLE)
    assert (refused.status, refused.json["code"]) == (403, "permission.missing")
