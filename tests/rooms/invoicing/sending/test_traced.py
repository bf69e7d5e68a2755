"""One trace id from the request that issues an invoice to its job, its PDF and the mail that carries it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shipworthy.kernel.mail.outbox import TRACE_HEADER
from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.settings import MailSection, TelemetrySection
from shipworthy.kernel.telemetry.export import TRACES_FILE
from shipworthy.kernel.telemetry.reading import read_trace, waterfall
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.jobs import JOBS
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import person
from tests.rooms.invoicing.sending.conftest import MailServer
from tests.support.app import RunningApp, app_running, make_settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-00"  # whether its caller samples is the caller's business


async def work(app: RunningApp) -> None:
    """Run what is queued, and what that queues, as the worker's own role does."""
    kinds = {kind.kind: kind for kind in JOBS}
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database)
        while rows := await app.admin("delete from pgqueuer returning entrypoint, payload"):
            for row in rows:
                await run_job(kinds[row["entrypoint"]], runtime, row["payload"], attempt=0)


async def test_one_trace_spans_request_job_pdf_and_mail(
    cluster: PostgresAddress, tmp_path: Path, smtp: MailServer
) -> None:
    mail = MailSection(sender="billing@shop.example", port=smtp.port, timeout_s=5)
    settings = make_settings((ROOM,), mail=mail, telemetry=TelemetrySection(sample_percent=100))
    async with app_running(cluster, (ROOM,), tmp_path, settings=settings) as app:
        acme = await person(app)
        draft = await acme.draft()
        address = f"/api/invoices/{draft['invoice_id']}"
        assert (await acme.post(f"{address}/finalise", traceparent=PARENT)).status == 200
        queued = await app.admin("select payload from pgqueuer")
        assert all(TRACE.encode() in row["payload"] for row in queued)  # with the job's own row
        sent = await acme.post(
            f"{address}/mails",
            {"to": ["bob@buyer.example"], "subject": "Invoice", "message": "Here it is."},
            traceparent=PARENT,
        )
        assert sent.status in (200, 201, 202), sent.text
        await work(app)
        [audit] = await app.admin("select trace_id from audit where action = 'invoice.issued'")
        assert audit["trace_id"] == TRACE
    assert [mail[TRACE_HEADER] for mail in smtp.mails] == [TRACE]

    bars = waterfall(read_trace(tmp_path / TRACES_FILE, TRACE))
    by_name = {bar.span.name: bar for bar in bars}
    request = by_name["POST /api/invoices/{invoice_id}/finalise"].span
    job = by_name[f"job {JOBS[0].kind}"].span
    assert request.parent_id == "00f067aa0ba902b7"
    assert job.parent_id in {bar.span.span_id for bar in bars if bar.span.trace_id == request.trace_id}
    names = {bar.span.name for bar in bars}
    assert {"auth.session", "pdf.render", "mail.send", "kernel.job_enqueue", "kernel.audit_write"} <= names
    told = str([bar.span for bar in bars])
    for personal in (
        "bob@buyer.example",
        "Here it is.",
        "Harbour Office",
        str(draft["lines"][0]["description"]),
    ):
        assert personal not in told


async def test_what_is_not_sampled_has_its_trace_id_in_job_and_mail_all_the_same(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    settings = make_settings((ROOM,), telemetry=TelemetrySection(sample_percent=0))
    async with app_running(cluster, (ROOM,), tmp_path, settings=settings) as app:
        acme = await person(app)
        draft = await acme.draft()
        await acme.post(f"/api/invoices/{draft['invoice_id']}/finalise", traceparent=PARENT)
        queued = await app.admin("select payload from pgqueuer")
        assert all(TRACE.encode() in row["payload"] for row in queued)
    assert not (tmp_path / TRACES_FILE).exists()
