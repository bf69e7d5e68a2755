"""Pictures of a running site: sent, and their jobs run."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from shipworthy.kernel.queue.worker import run_job
from shipworthy.rooms.site.jobs import JOBS
from tests.rooms.site.conftest import Author
from tests.support.app import RunningApp
from tests.support.client import Answer
from tests.support.pictures import drawing, file_of

_KINDS = {kind.kind: kind for kind in JOBS}


async def send_picture(person: Author, *, seed: int = 0, **body: Any) -> Answer:
    """Send a picture as a program does; another seed is another picture."""
    sent = {"file": base64.b64encode(file_of(drawing(seed=seed))).decode(), "name": "Work shop.jpg", **body}
    return await person.send("POST", "/api/assets", sent)


async def work(app: RunningApp) -> list[str]:
    """Run every job that waits as the worker's own role does; return their kinds."""
    rows = sorted(
        await app.admin("delete from pgqueuer returning id, entrypoint, payload"), key=lambda row: row["id"]
    )
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database, state={})  # another process
        for row in rows:
            await run_job(_KINDS[row["entrypoint"]], runtime, row["payload"], attempt=0)
    return [row["entrypoint"] for row in rows]
