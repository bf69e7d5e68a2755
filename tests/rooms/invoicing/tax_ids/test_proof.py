"""VAT numbers: their form at once, and a dated proof from a service that may be away, late or out of its mind.

Covers: form, register, proof, web.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shipworthy.kernel.settings import TaxSection
from shipworthy.local.ports import free_port
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from shipworthy.rooms.invoicing.tax_ids.form import form_of
from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.sending.conftest import run_queue
from tests.support.app import RunningApp, app_running, make_settings

VALID = json.dumps(
    {"isValid": True, "userError": "VALID", "name": "BREWERY", "address": "HALL\n1", "more": 1}
)
NUMBER = "DE136695976"


@dataclass
class Service:
    """A service that answers what it is told to, and writes down what it was asked."""

    port: int
    answers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split(" ", 2)[1])
        status, _, body = (self.answers.pop(0) if self.answers else f"200 {VALID}").partition(" ")
        told = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\nlocation: http://127.0.0.1:1/\r\n\r\n{body}"
        writer.write(told.encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service(free_port())
    server = await asyncio.start_server(made.serve, "127.0.0.1", made.port)
    yield made
    server.close()


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path, service: Service) -> AsyncIterator[RunningApp]:
    tax = TaxSection(vat_check_url=f"http://127.0.0.1:{service.port}/rest/")
    async with app_running(cluster, (ROOM,), tmp_path, settings=make_settings((ROOM,), tax=tax)) as running:
        yield running


async def customer(acme: Person, tax_id: str) -> str:
    made = await acme.post("/api/customers", {"name": "Brewery", "tax_id": tax_id, "country": "DE"})
    return str(made.json["customer_id"])


async def test_a_number_is_asked_about_once_a_day_and_an_invoice_keeps_the_proof(
    app: RunningApp, acme: Person, service: Service
) -> None:
    before = await acme.issued(await acme.customer())
    ids = [await customer(acme, text) for text in ("DE 136 695 976", "de136695976", "DE136695977", "")]
    assert await run_queue(app, "customer.tax_id") == 1
    assert service.asked == ["/rest/ms/DE/vat/136695976"]
    told = (await acme.get(f"/api/customers/{ids[0]}/tax-id")).json
    assert (told["form"], told["is_valid"], told["is_waiting"]) == ("right", True, False)
    assert (told["name"], told["address"], told["tax_id"]) == ("BREWERY", "HALL 1", NUMBER)
    assert "Valid on" in (await acme.get(f"/customers/{ids[0]}")).text
    assert "Its check digits do not fit" in (await acme.get(f"/customers/{ids[2]}")).text
    asked = await acme.post(f"/api/customers/{ids[0]}/tax-id")
    assert (asked.status, asked.json["asked"]) == (200, False)
    assert (await acme.submit(f"/customers/{ids[0]}/tax-id")).status == 303
    after = await acme.issued(ids[1])
    rows = {
        str(r["invoice_id"]): r["buyer"] for r in await app.admin("select invoice_id, buyer from invoice")
    }
    proof = json.loads(rows[after["invoice_id"]])["tax_id_proof"]
    assert (proof["is_valid"], proof["checked_at"][:4].isdecimal()) == (True, True)
    assert "tax_id_proof" not in json.loads(rows[before["invoice_id"]])


@pytest.mark.parametrize(
    "answer",
    [
        "500 down",
        "302 elsewhere",
        "200 <html>",
        '200 {"isValid": "yes"}',
        '200 {"isValid": false, "userError": "MS_UNAVAILABLE"}',
        f"200 {'[' * 300_000}",
    ],
)
async def test_no_answer_is_asked_for_again_and_takes_nothing_from_what_was_known(
    app: RunningApp, acme: Person, service: Service, answer: str
) -> None:
    customer_id = await customer(acme, NUMBER)
    service.answers = [answer, "200 " + json.dumps({"isValid": False, "name": "---", "address": "---"})]
    assert await run_queue(app, "customer.tax_id") == 1
    told = (await acme.get(f"/api/customers/{customer_id}/tax-id")).json
    assert (told["is_valid"], told["is_waiting"]) == (None, True)
    assert await run_queue(app, "customer.tax_id") == 1
    told = (await acme.get(f"/api/customers/{customer_id}/tax-id")).json
    assert (told["is_valid"], told["is_waiting"], told["name"]) == (False, False, "")
    assert await run_queue(app, "customer.tax_id") == 0
    globex = await person(app, "Globex")
    assert (await globex.get(f"/api/customers/{customer_id}/tax-id")).status == 404


def test_the_form_of_a_number_is_that_of_its_country() -> None:
    assert [form_of(n) for n in (NUMBER, "BE0428759497", "DE136695977", "", "US12", "ELX", "DE../../x")] == [
        *("right", "right", "wrong", "none", "unknown", "wrong", "wrong")
    ]
