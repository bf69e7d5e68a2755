"""The room with a mail server beside it, and its queue run by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.settings import MailSection
from shipworthy.local.ports import free_port
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.jobs import JOBS
from shipworthy.rooms.invoicing.room import ROOM
from tests.support.app import RunningApp, app_running, make_settings
from tests.support.smtp import MailServer


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    server = MailServer(free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path, smtp: MailServer) -> AsyncIterator[RunningApp]:
    mail = MailSection(sender="billing@shop.example", port=smtp.port, timeout_s=5)
    async with app_running(cluster, (ROOM,), tmp_path, settings=make_settings((ROOM,), mail=mail)) as running:
        yield running


async def run_queue(app: RunningApp, kind: str = "") -> int:
    """Run every job that waits (of one kind), as the worker's role and whenever it was for; return how many."""
    kinds = {job.kind: job for job in JOBS}
    rows = await app.admin(
        "delete from pgqueuer where $1 in ('', entrypoint) returning id, entrypoint, payload", kind
    )
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database)
        for row in sorted(rows, key=lambda row: row["id"]):
            await run_job(kinds[row["entrypoint"]], runtime, row["payload"], attempt=0)
    return len(rows)
