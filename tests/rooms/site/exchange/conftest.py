"""Websites that come along to a running site: sent, looked through, taken in, taken out, by the worker's own role."""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import replace
from typing import Any

from shipworthy.kernel.queue.worker import run_job
from shipworthy.rooms.site.jobs import JOBS
from tests.rooms.site.conftest import Author
from tests.support.app import RunningApp

_KINDS = {kind.kind: kind for kind in JOBS}
_LOOPS_MAX = 2_000


def zipped(files: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


async def send(person: Author, data: bytes, name: str = "site.zip") -> dict[str, Any]:
    """Send a file and have it looked through; return what the import says then."""
    sent = {"file": base64.b64encode(data).decode(), "file_name": name}
    answer = await person.send("POST", "/api/imports", sent)
    assert answer.status == 201, answer.text
    await work(person.app)
    return await state(person, answer.json["import_id"])


async def state(person: Author, import_id: str) -> dict[str, Any]:
    answer = await person.get(f"/api/imports/{import_id}")
    assert answer.status == 200, answer.text
    told: dict[str, Any] = answer.json
    return told


async def act(person: Author, import_id: str, what: str) -> dict[str, Any]:
    """Take an import in, or out again, to its end."""
    answer = await person.send("POST", f"/api/imports/{import_id}/{what}")
    assert answer.status == 200, answer.text
    await work(person.app)
    return await state(person, import_id)


async def bring(person: Author, data: bytes, name: str = "site.zip") -> str:
    """Send a file and take it in; return the import's id."""
    sent = await send(person, data, name)
    assert sent["status"] == "read", sent
    taken = await act(person, sent["import_id"], "take")
    assert taken["status"] == "taken", taken
    return str(sent["import_id"])


async def items(person: Author, import_id: str, **query: str) -> list[dict[str, Any]]:
    """Return everything an import holds, part by part."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        asked = "&".join(f"{name}={value}" for name, value in {**query, "cursor": cursor}.items() if value)
        answer = await person.get(f"/api/imports/{import_id}/items?{asked}")
        assert answer.status == 200, answer.text
        found += answer.json["items"]
        cursor = answer.json["next_cursor"] or ""
        if not cursor:
            return found


async def work(app: RunningApp, *kinds: str) -> list[str]:
    """Run the jobs of imports (and other kinds that are named) until none waits; return what was run."""
    wanted = [*(kind for kind in _KINDS if kind.startswith("site.import")), *kinds]
    ran: list[str] = []
    async with app.role("worker") as database:
        runtime = replace(app.runtime, database=database, state={})  # another process
        for _ in range(_LOOPS_MAX):
            rows = await app.admin(
                "delete from pgqueuer where id in (select id from pgqueuer where entrypoint = any($1) order by id limit 1)"
                " returning entrypoint, payload",
                wanted,
            )
            if not rows:
                return ran
            await run_job(_KINDS[rows[0]["entrypoint"]], runtime, rows[0]["payload"], attempt=0)
            ran.append(rows[0]["entrypoint"])
    raise AssertionError("the jobs never end")


async def list_pages(person: Author) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await person.get(f"/api/pages?cursor={cursor}" if cursor else "/api/pages")
        pages += answer.json["pages"]
        cursor = answer.json["next_cursor"] or ""
        if not cursor:
            return pages
