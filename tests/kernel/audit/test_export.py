"""The trail as a file: complete, provable without us, on a page with its progress; and what can be erased of it.

Covers: export, proving, exports, web, personal.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from shipworthy.kernel.audit.export import Kind, Manifest, Wanted, first_id_of, manifest_text, write_export
from shipworthy.kernel.audit.exports import JOBS, make_export
from shipworthy.kernel.audit.keys import AuditKeys, key_id
from shipworthy.kernel.audit.personal import erase_personal, record_personal
from shipworthy.kernel.audit.proving import NotAnExport, Proven, prove_export
from shipworthy.kernel.own import OWN
from shipworthy.kernel.runtime import uuid7
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.audit.scene import Trail, new_trail
from tests.kernel.conftest import signed_in
from tests.kernel.toy import ROOM
from tests.support.app import app_running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUBJECT = "address:ida@example.test"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trail(cluster: PostgresAddress, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trail]:
    """Eight rows, the fourth with a personal value and one that looks like a formula, anchored at the sixth."""
    async with app_running(cluster, (ROOM,), tmp_path_factory.mktemp("state")) as app:
        made = await new_trail(app)
        await made.write(3)
        ctx = app.ctx(tenant_id=made.tenant_id)
        async with ctx.begin() as tx:
            await record_personal(
                ctx,
                "note.sent",
                of="note",
                id="=1+1",
                detail={"role": "member"},
                personal={"email": "ida@example.test"},
                subject=SUBJECT,
                tx=tx,
            )
        await made.write(2)
        assert await made.anchor() == 1
        await made.write(2)
        yield made


async def exported(trail: Trail, folder: Path, kind: Kind, **days: date) -> tuple[Manifest, Path]:
    wanted = Wanted(scope=trail.scope, kind=kind, **days)
    told: list[tuple[int, int]] = []

    async def tell(done: int, total: int) -> None:
        told.append((done, total))

    runtime = trail.app.runtime
    async with trail.app.role("auditor") as database:
        with (folder / wanted.file).open("wb") as out:
            manifest = await write_export(
                wanted,
                out,
                database=database,
                files=runtime.files,
                keys=runtime.audit_keys,
                realm_id=runtime.realm_id,
                now=runtime.now(),
                tell=tell,
            )
    (folder / "manifest.json").write_bytes(manifest_text(manifest))
    assert told[-1:] == ([(manifest.rows, manifest.rows)] if manifest.rows else [])
    return manifest, folder


def proven(trail: Trail, folder: Path) -> Proven:
    own = trail.app.runtime.audit_keys.own
    return prove_export(folder, trusted={key_id(key): key for key in own})


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_an_export_is_whole_and_proves_itself(trail: Trail, tmp_path: Path, kind: Kind) -> None:
    manifest, folder = await exported(trail, tmp_path, kind)
    found = proven(trail, folder)
    assert found.holds, (found.broken, found.problems)
    assert (manifest.rows, manifest.first_seq, manifest.last_seq) == (8, 1, 8)
    assert (found.anchored, found.is_key_known) == (6, True)
    unknown = prove_export(folder, trusted={})
    assert (unknown.holds, unknown.is_key_known) == (True, False)
    text = (folder / manifest.file).read_text()
    assert "ida@example.test" in text
    if kind == "csv":
        assert "'=1+1" in text  # no formula for a spreadsheet


TAMPERED: dict[str, tuple[Callable[[list[str]], list[str]], int | None]] = {
    "flip": (lambda lines: [line.replace("note.created", "note.deleted") if '"seq":2,' in line else line for line in lines], 2),
    "delete": (lambda lines: lines[:3] + lines[4:], 4),
    "insert": (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
    "reorder": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3),
    "backdate": (lambda lines: [line.replace('"at":"2', '"at":"1') if '"seq":5,' in line else line for line in lines], 5),
    "cut the tail": (lambda lines: lines[:7], 8),
    "another value": (lambda lines: [line.replace("ida@example.test", "eve@example.test") for line in lines], None),
    "no line of ours": (lambda lines: [*lines[:4], "{}", *lines[5:]], 5),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
async def test_each_way_of_tampering_with_the_file_is_found(trail: Trail, tmp_path: Path, name: str) -> None:
    _, folder = await exported(trail, tmp_path, "jsonl")
    change, row = TAMPERED[name]
    file = folder / "audit.jsonl"
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")
    found = proven(trail, folder)
    assert not found.holds
    assert (found.broken.seq if found.broken else None) == row, found.broken
    assert any("SHA-256" in problem for problem in found.problems)


async def test_who_writes_file_and_manifest_anew_still_has_no_signature(trail: Trail, tmp_path: Path) -> None:
    """All hashes made anew, also those in the manifest: the anchor is what says otherwise."""
    from hashlib import sha256

    from shipworthy.kernel.audit.chain import GENESIS, seal
    from shipworthy.kernel.audit.export import rows_in

    manifest, folder = await exported(trail, tmp_path, "jsonl")
    file, prev, lines = folder / "audit.jsonl", GENESIS, []
    for row, line in zip(
        rows_in(io.BytesIO(file.read_bytes()), "jsonl"), file.read_text().splitlines(), strict=True
    ):
        told = json.loads(line)
        if row["seq"] == 2:
            row["action"] = told["action"] = "note.deleted"
        digest = seal(row, seq=row["seq"], prev=prev)
        lines.append(json.dumps({**told, "prev": prev.hex(), "hash": digest.hex()}))
        prev = digest
    file.write_text("\n".join(lines) + "\n")
    body = file.read_bytes()
    forged = msgspec.structs.replace(
        manifest, head=prev.hex(), sha256=sha256(body).hexdigest(), bytes=len(body)
    )
    (folder / "manifest.json").write_bytes(manifest_text(forged))
    assert proven(trail, folder).problems == (
        "anchor 1 does not vouch for row 6: the chain was written anew",
    )

    assert forged.anchor is not None
    stranger = AuditKeys((b"a stranger",))
    kid, signature = stranger.sign(forged.anchor.head.signed)
    for anchor in (
        msgspec.structs.replace(forged.anchor, signature=bytes(64)),
        msgspec.structs.replace(forged.anchor, kid=kid),
        msgspec.structs.replace(forged.anchor, seq=99),
        msgspec.structs.replace(forged.anchor, path=["zz"]),
    ):
        (folder / "manifest.json").write_bytes(manifest_text(msgspec.structs.replace(forged, anchor=anchor)))
        assert len(proven(trail, folder).problems) == 1, (anchor, signature)


async def test_an_export_of_some_days_holds_by_itself(trail: Trail, tmp_path: Path) -> None:
    today = trail.app.runtime.now().date()
    manifest, folder = await exported(trail, tmp_path, "csv", from_day=today, to_day=today)
    assert (manifest.rows, proven(trail, folder).holds) == (8, True)
    nothing, folder = await exported(trail, tmp_path, "csv", to_day=today - timedelta(days=2))
    assert (nothing.rows, nothing.anchor, proven(trail, folder).holds) == (0, None, True)
    assert first_id_of(today) < uuid7() < first_id_of(today + timedelta(days=1))


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b'{"format": "another"}'])
async def test_what_is_no_export_is_said_to_be_none(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(NotAnExport):
        prove_export(tmp_path, trusted={})
    (tmp_path / "manifest.json").write_bytes(text)
    with pytest.raises(NotAnExport):
        prove_export(tmp_path, trusted={})
    with pytest.raises(NotAnExport):
        prove_export(tmp_path / "manifest.json", trusted={})


async def test_a_page_asks_for_a_file_and_offers_it_when_it_is_made(trail: Trail, tmp_path: Path) -> None:
    client = trail.client
    page = await client.get("/audit")
    assert (page.status, b"note.sent" in page.body, b"ida@example.test" in page.body) == (200, True, True)
    sent = await client.post("/audit/exports", form={"kind": "jsonl"}, headers={"idempotency-key": "e1"})
    again = await client.post("/audit/exports", form={"kind": "jsonl"}, headers={"idempotency-key": "e1"})
    assert (sent.status, again.status) == (303, 303)
    [job] = await trail.app.admin("select payload from pgqueuer where entrypoint = 'audit.export'")
    export_id = msgspec.json.decode(job["payload"])["source"]
    waiting = unescape((await client.get("/audit/exports")).text)
    assert f"#export-{export_id}" in waiting
    assert "/files/" not in waiting

    ctx = trail.app.ctx(tenant_id=trail.tenant_id)
    async with trail.app.role("worker") as worker:
        web, trail.app.runtime.database = trail.app.runtime.database, worker
        for _ in range(2):  # a job that runs again changes nothing
            async with ctx.begin() as tx:
                ctx.tx = tx
                await make_export(ctx, export_id)
        trail.app.runtime.database = web

    listed = unescape((await client.get("/audit/exports")).text)
    fetched = await client.get("/files/" + listed.partition('href="/files/')[2].partition('"')[0])
    assert fetched.status == 200
    archive = tmp_path / "audit.zip"
    archive.write_bytes(fetched.body)
    assert zipfile.ZipFile(archive).namelist() == ["audit.jsonl", "manifest.json"]
    found = proven(trail, archive)
    assert (found.holds, found.manifest.rows) == (True, 8)

    stranger = await signed_in(trail.app, tenant="Globex")
    assert b"note.sent" not in (await stranger.get("/audit")).body
    assert export_id not in (await stranger.get("/audit/exports")).body.decode()


async def test_wrong_days_and_too_many_at_once_are_refused(trail: Trail) -> None:
    client = await signed_in(trail.app, tenant="Initech")
    days = {"from_day": "2026-02-01", "to_day": "2026-01-01"}
    refused = await client.post("/audit/exports", form=days, headers={"idempotency-key": "d1"})
    assert refused.status == 422
    for number, status in enumerate((303, 303, 303, 409)):
        key = {"idempotency-key": f"m{number}"}
        assert (await client.post("/audit/exports", form={"kind": "csv"}, headers=key)).status == status
    for place in ("?before=zz", "?until=yesterday", "?before=" + "f" * 33):
        assert (await client.get(f"/audit{place}")).status == 422
    for place in ("?until=2026-02-31", "?until=0001-01-01", "?until=9999-12-31", "?before=" + "0" * 32):
        assert (await client.get(f"/audit{place}")).status == 200


async def test_an_auditor_sees_and_exports_and_changes_nothing(trail: Trail) -> None:
    client = await signed_in(trail.app, tenant="Umbrella", role="auditor")
    assert (await client.get("/audit")).status == 200
    assert (await client.get("/audit/exports")).status == 200
    key = {"idempotency-key": "n1"}
    assert (await client.post("/notes", json_body={"text": "x"}, headers=key)).status == 403
    assert (await client.get("/notes")).status == 403
    sent = await client.post("/audit/exports", form={"kind": "csv"}, headers={"idempotency-key": "x1"})
    assert sent.status == 303
    guest = await signed_in(trail.app, tenant="Hooli", role="guest")
    assert [(await guest.get(path)).status for path in ("/audit", "/audit/exports")] == [403, 403]


async def test_what_is_erased_is_gone_and_the_chain_holds(trail: Trail, tmp_path: Path) -> None:
    app, neighbour = trail.app, await new_trail(trail.app, tenant="Neighbour")
    for made in (trail, neighbour):
        ctx = app.ctx(tenant_id=made.tenant_id)
        async with ctx.begin() as tx:
            values = {"email": "eve@example.test", "name": "Eve"}
            await record_personal(
                ctx, "note.sent", of="note", id=1, personal=values, subject="user:eve", tx=tx
            )
    await trail.write(1)
    ctx = app.ctx(tenant_id=trail.tenant_id)
    async with ctx.begin() as tx:
        assert await erase_personal(ctx, "user:eve", tx=tx) == 2
    async with ctx.begin() as tx:
        assert await erase_personal(ctx, "user:eve", tx=tx) == 0
    await trail.write(0)
    assert (await trail.verify()).broken is None
    manifest, folder = await exported(trail, tmp_path, "jsonl")
    text = (folder / manifest.file).read_text()
    assert ("eve@example.test" in text, "commitment" in text) == (False, True)
    assert proven(trail, folder).holds
    assert b"erased" in (await trail.client.get("/audit")).body
    left = await app.admin("select tenant_id from audit_personal where subject = 'user:eve'")
    assert {row["tenant_id"] for row in left} == {neighbour.tenant_id}
    trail_rows = await app.admin("select detail::text from audit where action = 'audit.personal_erased'")
    assert [row["detail"] for row in trail_rows] == ['{"values": 2}']


async def test_every_job_is_declared_with_what_it_is_triggered_by() -> None:
    routes = {f"{route.method} {route.path}" for route in OWN.routes}
    assert {job.triggered_by for job in JOBS} <= routes
