"""Every row leaves, once, as every reader of CSV reads it; a neighbour's never."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from tests.rooms.invoicing.conftest import Person, person
from tests.support.app import RunningApp

FORMULA = "=cmd|' /C calc'!A0"


def rows_of(body: bytes) -> list[dict[str, str]]:
    text = body.decode()
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def test_the_files_say_what_the_api_says(acme: Person) -> None:
    mine, other = await acme.customer(FORMULA), await acme.customer('Zoo "am Teich", Kiel')
    note = "first line\nsecond; line"
    issued = await acme.issued(mine, note=note)
    await acme.draft(other, currency="JPY")
    paid = {"invoice_id": issued["invoice_id"], "amount_minor": 1234, "reference": "+49"}
    assert (await acme.post("/api/payments", paid)).status == 201
    answer = await acme.get("/api/customers.csv")
    assert answer.header("content-type") == "text/csv; charset=utf-8; header=present"
    assert answer.header("content-length") is None
    assert answer.header("content-disposition") == 'attachment; filename="customers.csv"'
    assert [row["name"] for row in rows_of(answer.body)] == ["'" + FORMULA, 'Zoo "am Teich", Kiel']
    first, second = rows_of((await acme.get("/api/invoices.csv")).body)
    read = (await acme.get(f"/api/invoices/{issued['invoice_id']}")).json
    for name in ("net", "tax", "gross", "paid", "credited", "balance"):
        assert Decimal(first[name]).scaleb(2) == read[f"{name}_minor"]
    assert (first["number"], first["note"], first["customer"]) == (read["number"], note, "'" + FORMULA)
    assert (second["status"], second["number"], second["gross"]) == ("draft", "", "170")
    (payment,) = rows_of((await acme.get("/api/payments.csv")).body)
    assert (payment["amount"], payment["rest"], payment["reference"]) == ("12.34", "0.00", "'+49")


async def test_more_than_a_page_of_rows_leaves_whole_and_neighbours_stay(
    app: RunningApp, acme: Person
) -> None:
    globex = await person(app, "Globex")
    await globex.customer("Theirs")
    await app.admin(
        "insert into customer (tenant_id, customer_id, name, created_at)"
        " select $1, gen_random_uuid(), 'Customer ' || n, now() from generate_series(1, 4500) as n",
        acme.tenant_id,
    )
    names = [row["name"] for row in rows_of((await acme.get("/api/customers.csv")).body)]
    assert sorted(names) == sorted(f"Customer {n}" for n in range(1, 4501))
    assert [row["name"] for row in rows_of((await globex.get("/api/customers.csv")).body)] == ["Theirs"]
    head = await acme.client.request("HEAD", "/api/customers.csv")
    assert (head.status, head.body) == (200, b"")
