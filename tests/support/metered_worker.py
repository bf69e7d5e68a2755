"""A worker process whose jobs use a budget, for tests that kill it at any moment.

Usage:  python -m tests.support.metered_worker WORKER_URL REALM_ID STATE_FOLDER PDF_MS_MAX
"""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from pathlib import Path

from shipworthy.kernel.app import Installation, run_worker
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import JobKind
from shipworthy.kernel.quotas.budget import count
from shipworthy.kernel.quotas.section import QuotasSection
from shipworthy.kernel.quotas.stored import keep_stored
from shipworthy.kernel.room import Room
from shipworthy.kernel.settings import AppSection, Settings
from tests.kernel.toy import ROOM
from tests.support.metered import KIND, cost_ms_of


async def use_some(ctx: Ctx, source: str) -> None:
    """Use some milliseconds, store something, and take a moment over it."""
    count(ctx, "pdf_ms", cost_ms_of(source))
    await asyncio.sleep(0.01)
    await keep_stored(ctx.db, f"made/{source}", 3, now=ctx.now())


def main() -> None:
    url, realm, state, most = sys.argv[1:]
    job = JobKind(kind=KIND, handler=use_some, title="use some", meter="pdf_ms")
    room: Room = ROOM.__class__(name=ROOM.name, folder=ROOM.folder, queries=ROOM.queries, jobs=(job,))
    settings = Settings(
        app=AppSection(name="Metered", rooms=(room.name,)), quotas=QuotasSection(pdf_ms_max=int(most))
    )
    installation = Installation(
        realm_id=uuid.UUID(realm), database_url=url, state=Path(state), signing_key=b"tests"
    )

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

        def ready() -> None:
            sys.stdout.write("ready\n")
            sys.stdout.flush()

        await run_worker(settings, (room,), installation, stop=stop, on_ready=ready)

    asyncio.run(run())


if __name__ == "__main__":
    main()
