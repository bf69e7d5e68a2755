"""The room with a mail server beside it, and its queue run by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from shipworthy.kernel.queue.worker import run_job
from shipworthy.kernel.settings import MailSection
from shipworthy.local.ports import free_port
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.jobs import JOBS
from shipworthy.rooms.invoicing.room import ROOM
from tests.support.app import RunningApp, app_running, make_settings


@dataclass
class MailServer:
    """A real SMTP server. `refuses` maps an address, or DATA, to what it answers."""

    port: int
    refuses: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    controller: Any = None

    async def handle_RCPT(self, _s: object, _e: object, envelope: Any, address: str, _o: object) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        if "DATA" in self.refuses:
            return self.refuses["DATA"]
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def start(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None


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
