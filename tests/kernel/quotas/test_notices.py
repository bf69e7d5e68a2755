"""What is told of a budget: at 50, 80, 95 % and before it is used up; by mail and signed webhook; once a month.

Covers: notices, telling.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.quotas.section import QuotasSection
from shipworthy.kernel.settings import AlertsSection, MailSection
from shipworthy.local.ports import free_port
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.quotas.conftest import ROOM_WITH_USAGE, START, Clock, keep, run_queue, use
from tests.support.app import RunningApp, app_running, make_settings
from tests.support.ledger import served
from tests.support.smtp import MailServer


@dataclass
class Told:
    """An app whose telling arrives here."""

    app: RunningApp
    smtp: MailServer
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    fails: int = 0

    async def hook(self, request: Request) -> Response:
        if self.fails:
            self.fails -= 1
            return Response(status_code=503)
        self.posted.append((dict(request.headers), await request.body()))
        return Response(status_code=204)

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.smtp.mails]


@pytest.fixture
async def told(
    cluster: PostgresAddress, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Told]:
    monkeypatch.setenv("SHIPWORTHY_ALERTS_SECRET", "s3cret")
    smtp = MailServer(free_port())
    smtp.start()
    found: list[Told] = []

    async def hook(request: Request) -> Response:
        return await found[0].hook(request)

    async def owners(_tx: Tx) -> list[tuple[str, str]]:
        return [("ada@acme.example", "de"), ("bob@acme.example", "")]

    try:
        async with served(Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as url:
            settings = make_settings(
                (ROOM_WITH_USAGE,),
                quotas=QuotasSection(mails_max=1_000),
                mail=MailSection(port=smtp.port),
                alerts=AlertsSection(mail=("ops@app.example",), webhook_url=f"{url}/hook"),
            )
            async with app_running(
                cluster, (ROOM_WITH_USAGE,), tmp_path, settings=settings, now=clock, owners=owners
            ) as app:
                found.append(Told(app, smtp))
                yield found[0]
    finally:
        smtp.stop()


async def test_a_forecast_is_told_a_day_before_once_by_mail_and_signed_webhook(
    told: Told, clock: Clock
) -> None:
    """A shop that mails sixty on workdays and hardly any on weekends, until its thousand mails are gone."""
    tenant_id, quiet_id = await told.app.add_tenant("Acme"), await told.app.add_tenant("Quiet")
    used, reached_at, told_at = 0, None, None
    clock.at = START.replace(hour=0)
    while reached_at is None:
        amount = 60 if clock.at.weekday() < 5 else 4
        await use(told.app, tenant_id, "mails", amount)
        used += amount
        if used >= 1_000:
            reached_at = clock.at
            break
        clock.move(hours=3)
        await use(told.app, quiet_id, "mails", 1)
        await keep(told.app)
        await run_queue(told.app)
        if told_at is None and any("will be used up" in subject for subject in told.subjects()):
            told_at = clock.at
        clock.move(hours=21)
    assert told_at is not None and reached_at - told_at >= timedelta(days=1)
    await keep(told.app)
    await run_queue(told.app)
    forecasts = [
        mail
        for mail in told.smtp.mails
        if "used up on" in str(mail["Subject"]) or "aufgebraucht sein" in str(mail["Subject"])
    ]
    assert {str(mail["To"]) for mail in forecasts} == {
        "ops@app.example",
        "ada@acme.example",
        "bob@acme.example",
    }
    assert len(forecasts) == 3  # once, to each
    text = forecasts[0].get_content()
    assert "Invoices are numbered and issued" in text and "/usage" in text
    kinds = [json.loads(body)["type"] for _, body in told.posted]
    assert kinds.count("quota.forecast") == 1 and kinds[-1] == "quota.used_up"
    assert {json.loads(body)["data"]["tenant_id"] for _, body in told.posted} == {str(tenant_id)}
    percents = [json.loads(body)["data"]["percent"] for _, body in told.posted]
    assert [percent for percent in percents if percent] == [50, 80, 95]
    headers, body = told.posted[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"


async def test_who_leaps_over_all_marks_is_told_of_the_last_and_again_next_month(
    told: Told, clock: Clock
) -> None:
    tenant_id = await told.app.add_tenant("Acme")
    await use(told.app, tenant_id, "mails", 960)
    for _ in range(3):
        await keep(told.app)
        await use(told.app, tenant_id, "mails", 1)
    await run_queue(told.app)
    assert [json.loads(body)["data"]["percent"] for _, body in told.posted] == [95]
    german = next(mail for mail in told.smtp.mails if mail["To"] == "ada@acme.example")
    assert str(german["Subject"]) == "Acme: E-Mail-Kontingent ist zu 95 % verbraucht"
    clock.move(days=30)
    await use(told.app, tenant_id, "mails", 500)
    await keep(told.app)
    await run_queue(told.app)
    assert [json.loads(body)["data"]["percent"] for _, body in told.posted] == [95, 50]


async def test_a_webhook_that_fails_is_tried_again_and_the_mail_is_not_sent_twice(told: Told) -> None:
    tenant_id = await told.app.add_tenant("Acme")
    await use(told.app, tenant_id, "mails", 500)
    await keep(told.app)
    told.fails = 1
    jobs = await told.app.admin("select entrypoint, payload from pgqueuer order by id")
    with pytest.raises(Exception) as tried:  # noqa: PT011 - pgqueuer's, which asks for another try
        await run_queue(told.app)
    assert isinstance(tried.value.__cause__, Upstream) and told.posted == [] and len(told.smtp.mails) == 3
    from shipworthy.kernel.queue.worker import run_job
    from shipworthy.kernel.quotas.telling import JOBS

    async with told.app.role("worker") as database:
        for job in jobs:
            await run_job(JOBS[0], replace(told.app.runtime, database=database), job["payload"], attempt=1)
    assert len(told.posted) == 1 and len(told.smtp.mails) == 3
