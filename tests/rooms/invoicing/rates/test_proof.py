"""The proof of tax rates: a dated answer of a service that may be away, late or out of its mind.

Covers: provider, proof_web.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shipworthy.kernel.settings import TaxSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import Person, person
from tests.rooms.invoicing.sending.conftest import run_queue
from tests.rooms.invoicing.tax_ids.test_proof import Service, service
from tests.support.app import RunningApp, app_running, make_settings

__all__ = ["service"]
JOB = "tax_rates.proof"


def said(*percents: str) -> str:
    return "200 " + json.dumps({"rates": [{"name": f"rate {p}", "percent": p} for p in percents]})


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path, service: Service) -> AsyncIterator[RunningApp]:
    tax = TaxSection(rates_url=f"http://127.0.0.1:{service.port}/rates/")
    async with app_running(cluster, (ROOM,), tmp_path, settings=make_settings((ROOM,), tax=tax)) as running:
        yield running


async def test_rates_are_asked_about_once_a_day_and_an_invoice_keeps_the_proof(
    app: RunningApp, acme: Person, service: Service
) -> None:
    before = await acme.issued()
    service.answers = [said("7", "19", "0")]
    asked = await acme.post("/api/tax-rates/proof")
    assert (asked.status, asked.json["asked"], asked.json["is_waiting"]) == (200, True, True)
    assert "Being looked up" in (await acme.get("/tax-rates")).text
    assert (await acme.submit("/tax-rates/proof")).status == 303
    assert await run_queue(app, JOB) == 1
    today = app.runtime.now().date().isoformat()
    assert service.asked == [f"/rates/DE?on={today}"]
    told = (await acme.get("/api/tax-rates/proof")).json
    assert (told["country"], told["on_day"], told["is_waiting"]) == ("DE", today, False)
    assert [rate["rate_bp"] for rate in told["rates"]] == [1900, 700]
    assert (told["missing_bp"], told["unknown_bp"]) == ([], [])
    page = (await acme.get("/tax-rates")).text
    assert "As on your list" in page
    assert "In DE hold 19%, 7%." in page
    after = await acme.issued()
    rows = {
        str(r["invoice_id"]): r["seller"] for r in await app.admin("select invoice_id, seller from invoice")
    }
    proof = json.loads(rows[after["invoice_id"]])["tax_rates_proof"]
    assert (proof["on_day"], [rate["rate_bp"] for rate in proof["rates"]]) == (today, [1900, 700])
    assert "tax_rates_proof" not in json.loads(rows[before["invoice_id"]])
    globex = await person(app, "Globex")
    assert (await globex.get("/api/tax-rates/proof")).json["checked_at"] is None
    viewer = await person(app, tenant_id=acme.tenant_id, role="viewer")
    assert (await viewer.post("/api/tax-rates/proof")).status == 403


async def test_what_differs_is_said_and_changes_no_list(
    app: RunningApp, acme: Person, service: Service
) -> None:
    listed = (await acme.get("/api/tax-rates")).json
    service.answers = [said("20", "7")]
    await acme.post("/api/tax-rates/proof")
    await run_queue(app, JOB)
    told = (await acme.get("/api/tax-rates/proof")).json
    assert (told["missing_bp"], told["unknown_bp"]) == ([2000], [1900])
    page = (await acme.get("/tax-rates")).text
    for text in ("Differs from your list", "Not on your list: 20%.", "not known there: 19%."):
        assert text in page
    assert (await acme.get("/api/tax-rates")).json == listed


@pytest.mark.parametrize(
    "answer",
    [
        "500 down",
        "302 elsewhere",
        "200 <html>",
        "200 {}",
        '200 {"rates": []}',
        '200 {"rates": [{"percent": 19.0}]}',
        '200 {"rates": [{"percent": "1e2"}]}',
        '200 {"rates": [{"percent": "119"}]}',
        said(*["19"] * 21),
        f"200 {'[' * 300_000}",
    ],
)
async def test_no_answer_is_asked_for_again_and_takes_nothing_from_what_was_known(
    app: RunningApp, acme: Person, service: Service, answer: str
) -> None:
    service.answers = [answer, said("19", "7")]
    await acme.post("/api/tax-rates/proof")
    assert await run_queue(app, JOB) == 1
    told = (await acme.get("/api/tax-rates/proof")).json
    assert (told["checked_at"], told["is_waiting"]) == (None, True)
    assert await run_queue(app, JOB) == 1
    told = (await acme.get("/api/tax-rates/proof")).json
    assert ([rate["rate_bp"] for rate in told["rates"]], told["is_waiting"]) == ([1900, 700], False)


async def test_where_no_service_is_set_nobody_is_asked(cluster: PostgresAddress, tmp_path: Path) -> None:
    async with app_running(cluster, (ROOM,), tmp_path) as running:
        acme = await person(running)
        assert (await acme.post("/api/tax-rates/proof")).json["asked"] is False
        assert "Look the rates up" not in (await acme.get("/tax-rates")).text
