"""Invoicing under budgets: an invoice is always numbered and issued; its PDF waits, a mail is refused, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.kernel.context import utc_now
from shipworthy.kernel.quotas.keeper import look_at_due
from shipworthy.kernel.quotas.limits import drifts_of, set_limit
from shipworthy.kernel.quotas.meters import METERS, PDF_MS
from shipworthy.kernel.quotas.section import QuotasSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import Person, person
from tests.support.app import RunningApp, app_running, make_settings


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    quotas = QuotasSection(pdf_ms_max=101, mails_max=1)  # the first document is begun, whatever it takes
    async with app_running(
        cluster, (ROOM,), tmp_path, settings=make_settings((ROOM,), quotas=quotas)
    ) as running:
        yield running


async def keep(app: RunningApp) -> None:
    async with app.role("worker") as database:
        await look_at_due(replace(app.runtime, database=database))


async def test_an_invoice_is_issued_and_its_pdf_waits_until_there_is_budget(app: RunningApp) -> None:
    acme: Person = await person(app)
    first = await acme.issued()
    await acme.run_jobs(first["invoice_id"])
    (used,) = await app.admin("select used, reserved from budget where meter = 'pdf_ms'")
    assert used["used"] > 0 and used["reserved"] == 0
    (kept,) = await app.admin("select used from budget where meter = 'storage_bytes'")
    (document,) = await app.admin("select bytes from invoice_document")
    assert kept["used"] == document["bytes"]
    second = await acme.issued()
    assert second["number"].endswith("2")
    await app.admin("delete from pgqueuer")
    await acme.run_jobs(second["invoice_id"])
    pending = await acme.get(f"/api/invoices/{second['invoice_id']}/pdf")
    assert (pending.status, pending.json["code"]) == (409, "invoicing.pdf_waits")
    assert "waits: this month's PDF time is used up" in pending.json["detail"]
    assert (
        "waits"
        in (
            await acme.get(f"/invoices/{second['invoice_id']}/document", headers={"accept": "text/html"})
        ).text
    )
    await set_limit(app.url("admin"), acme.tenant_id, PDF_MS, None, is_default=False, now=utc_now())
    await keep(app)
    queued = await app.admin("select dedupe_key from pgqueuer where entrypoint = 'invoice.pdf'")
    assert [row["dedupe_key"].rpartition(":")[2] for row in queued] == [second["invoice_id"]]
    await acme.run_jobs(second["invoice_id"])
    assert (await acme.get(f"/api/invoices/{second['invoice_id']}/pdf")).status == 200
    assert list(await drifts_of(app.url("admin"))) == []


async def test_a_mail_beyond_the_budget_is_refused_and_says_until_when(app: RunningApp) -> None:
    acme: Person = await person(app)
    invoice = await acme.issued()
    path = f"/api/invoices/{invoice['invoice_id']}/mails"
    refused = await acme.post(path, {"to": ["a@shop.example", "b@shop.example"]})
    assert (refused.status, refused.json["code"], refused.json["meter"]) == (409, "quota.exhausted", "mails")
    assert "begins anew on" in refused.json["detail"] and int(refused.header("retry-after") or 0) > 0
    assert (await acme.post(path, {"to": ["a@shop.example"]})).status == 202


def test_every_meter_that_is_declared_is_one() -> None:
    declared = {route.meter for route in ROOM.routes} | {job.meter for job in ROOM.jobs}
    assert declared - {None} == {"mails", "pdf_ms"} and declared - {None} <= METERS.keys()
