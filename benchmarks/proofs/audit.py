"""`make proof NAME=audit`: how fast a chain is proven, in the database and from a file, and what tampering it finds.

One tenant's chain of 200,000 rows, as the sealer makes them, on a real PostgreSQL; the whole of it is read, hashed and
held against an anchor, as `shipworthy audit verify` does. Then each way of tampering, as it is and with all hashes made
anew by somebody who rules the database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.report import Report, publish
from shipworthy.kernel.app import Installation, running
from shipworthy.kernel.audit.anchors import anchor_heads
from shipworthy.kernel.audit.chain import GENESIS, seal
from shipworthy.kernel.audit.export import Wanted, manifest_text, write_export
from shipworthy.kernel.audit.keys import key_id
from shipworthy.kernel.audit.proving import prove_export
from shipworthy.kernel.audit.verify import Report as Verified
from shipworthy.kernel.audit.verify import read_anchors, verify_chain
from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.setup import prepare_database, role_url
from shipworthy.kernel.db.tx import open_database
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import AppSection, Settings
from shipworthy.local.postgres import EmbeddedPostgres

ROWS = 200_000
TENANT, REALM = uuid.UUID(int=0xA), uuid.UUID(int=0x7)
PASSWORDS = {role: f"{role}-password-of-this-proof" for role in ("app", "worker", "reader", "auditor")}
_BOUNDS = {
    "verify_rows_per_s": "50,000 owed",
    "verify_export_rows_per_s": "",
    "tampering_found": "6 owed",
    "tampering_sealed_anew_found": "6 owed",
}
# On the last anchored rows: an anchor stands at ROWS - 1,000, nothing vouches for what came after.
_AT = ROWS - 5_000
TAMPERING = {
    "flip": f"update audit set action = 'invoice.void' where seq = {_AT}",
    "delete": f"delete from audit where seq = {_AT}",
    "insert": f"update audit set seq = -seq where seq >= {_AT}; update audit set seq = 1 - seq where seq < 0;"
    " insert into audit select tenant_id, gen_random_uuid(), at, actor_id, action, object_type, object_id, detail,"
    f" trace_id, {_AT}, prev, hash from audit where seq = {_AT - 1}",
    "reorder": f"update audit set seq = -seq where seq in ({_AT}, {_AT + 1});"
    f" update audit set seq = case seq when -{_AT} then {_AT + 1} else {_AT} end where seq < 0",
    "backdate": f"update audit set at = at - interval '1 day' where seq = {_AT}",
    "cut the tail": f"delete from audit where seq >= {_AT}",
}


def main() -> int:
    """Prove and tamper; 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    figures = asyncio.run(_proven())
    assert rows == ROWS, "the tampering stands at rows of the whole size"
    publish(Report(name="proof-audit", figures=figures), bounds=_BOUNDS)
    holds = figures["verify_rows_per_s"] >= 50_000 and figures["tampering_found"] == figures[
        "tampering_sealed_anew_found"
    ] == len(TAMPERING)
    return 0 if holds else 1


async def _proven() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="shipworthy-audit-") as folder:
        os.chmod(folder, 0o755)  # the database's own user enters it
        server = EmbeddedPostgres(Path(folder) / ".shipworthy")
        try:
            address = await asyncio.to_thread(server.start)
            admin_url = address.url("app")
            await prepare_database(
                admin_url, passwords=PASSWORDS, rooms=(), realm_id=REALM, realm_name="proof"
            )
            installation = Installation(
                realm_id=REALM,
                database_url=role_url(admin_url, "worker", PASSWORDS["worker"]),
                state=Path(folder) / "state",
                signing_key=b"proof",
            )
            settings = Settings(app=AppSection(name="Proof", rooms=()))
            async with running(settings, (), installation, process="worker") as runtime:
                return await _Proof(admin_url, runtime, Path(folder)).run()
        finally:
            await asyncio.to_thread(server.stop)


class _Proof:
    def __init__(self, admin_url: str, runtime: Runtime, folder: Path) -> None:
        self._admin_url, self._runtime, self._folder = admin_url, runtime, folder

    async def run(self) -> dict[str, float]:
        admin = await asyncpg.connect(self._admin_url)
        try:
            await admin.set_type_codec(
                "jsonb",
                schema="pg_catalog",
                format="binary",
                encoder=_jsonb,
                decoder=lambda raw: json.loads(raw[1:]),
            )
            await _fill(admin, ROWS - 1_000)
            await anchor_heads(self._runtime, older_than=timedelta(0))
            await _fill(admin, ROWS, since=ROWS - 1_000)
            await admin.execute("vacuum analyze audit")
            took_s = [await self._timed() for _ in range(3)]
            export_s = await self._export()
            found = [await self._tampered(admin, sql, sealed_anew=False) for sql in TAMPERING.values()]
            anew = [await self._tampered(admin, sql, sealed_anew=True) for sql in TAMPERING.values()]
        finally:
            await admin.close()
        return {
            "rows": ROWS,
            "verify_rows_per_s": round(ROWS / sorted(took_s)[1]),
            "verify_export_rows_per_s": round(ROWS / export_s),
            "tampering": len(TAMPERING),
            "tampering_found": sum(found),
            "tampering_sealed_anew_found": sum(anew),
        }

    async def _timed(self) -> float:
        began = time.perf_counter()
        report = await self._verify()
        took_s = time.perf_counter() - began
        assert (report.broken, report.sealed, report.anchored) == (None, ROWS, ROWS - 1_000), report
        return took_s

    async def _verify(self) -> Verified:
        runtime = self._runtime
        url = role_url(self._admin_url, "auditor", PASSWORDS["auditor"])
        database = await open_database(url, connections_max=1, acquire_timeout_s=5)
        try:
            anchors = await read_anchors(runtime.files, runtime.audit_keys, database, realm_id=REALM)
            return await verify_chain(database, Scope(REALM, TENANT), anchors.of(TENANT))
        finally:
            await database.close()

    async def _export(self) -> float:
        runtime, wanted = self._runtime, Wanted(scope=Scope(REALM, TENANT), kind="jsonl")

        async def tell(_done: int, _total: int) -> None:
            return None

        with (self._folder / wanted.file).open("wb") as out:
            manifest = await write_export(
                wanted,
                out,
                database=runtime.database,
                files=runtime.files,
                keys=runtime.audit_keys,
                realm_id=REALM,
                now=datetime.now(UTC),
                tell=tell,
            )
        (self._folder / "manifest.json").write_bytes(manifest_text(manifest))
        own = runtime.audit_keys.own
        began = time.perf_counter()
        proven = prove_export(self._folder, trusted={key_id(key): key for key in own})
        took_s = time.perf_counter() - began
        assert proven.holds, (proven.broken, proven.problems)
        assert proven.anchored == ROWS - 1_000
        return took_s

    async def _tampered(self, admin: Any, sql: str, *, sealed_anew: bool) -> bool:
        """Say whether it is found; what was done is taken back."""
        change = admin.transaction()
        await admin.execute("create table if not exists audit_kept as table audit")
        async with change:
            await admin.execute(sql)
            if sealed_anew:
                await _seal_anew(admin)
        report = await self._verify()
        await admin.execute(
            "truncate audit; insert into audit table audit_kept;"
            f" update audit_head set seq = {ROWS}, hash = (select hash from audit where seq = {ROWS})"
        )
        return report.broken is not None


def _jsonb(value: object) -> bytes:
    """As COPY takes it: version 1, then the text."""
    return b"\x01" + json.dumps(value).encode()


async def _fill(admin: Any, until: int, *, since: int = 0) -> None:
    """Write rows `since` + 1 to `until` with their seals, as the sealer does, and move the head."""
    prev = GENESIS
    if since:
        prev = bytes(await admin.fetchval("select hash from audit where seq = $1", since))
    else:
        await admin.execute(
            "insert into tenant (realm_id, tenant_id, name, slug) values ($1, $2, 'Proof', 'proof')",
            REALM,
            TENANT,
        )
    at, rows = datetime(2026, 1, 1, tzinfo=UTC), []
    for seq in range(since + 1, until + 1):
        row = {
            "audit_id": uuid.UUID(int=seq),
            "at": at + timedelta(seconds=seq),
            "actor_id": uuid.UUID(int=seq % 20 + 1),
            "action": "invoice.edited",
            "object_type": "invoice",
            "object_id": str(uuid.UUID(int=seq)),
            "detail": {"currency": "EUR", "net_minor": seq, "lines": seq % 7, "version": 3},
            "trace_id": f"{seq:032x}",
        }
        digest = seal(row, seq=seq, prev=prev)
        rows.append((TENANT, *row.values(), seq, prev, digest))
        prev = digest
    columns = ["tenant_id", *row, "seq", "prev", "hash"]
    await admin.copy_records_to_table("audit", records=rows, columns=columns)
    for table, key in (("audit_head", "tenant_id"), ("audit_tip", "realm_id, tenant_id")):
        names, values = (
            ("tenant_id", "$1") if table == "audit_head" else ("realm_id, tenant_id", f"'{REALM}', $1")
        )
        await admin.execute(
            f"insert into {table} ({names}, seq, hash) values ({values}, $2, $3)"
            f" on conflict ({key}) do update set seq = excluded.seq, hash = excluded.hash",
            TENANT,
            until,
            prev,
        )


async def _seal_anew(admin: Any) -> None:
    """Make every hash anew, and the head, as who rules the database can."""
    rows = await admin.fetch("select * from audit order by seq")
    prev, sealed = GENESIS, []
    for seq, row in enumerate(rows, 1):
        digest = seal(row, seq=seq, prev=prev)
        sealed.append((*list(row.values())[:9], seq, prev, digest))
        prev = digest
    await admin.execute("truncate audit")
    await admin.copy_records_to_table("audit", records=sealed, columns=list(rows[0].keys()))
    await admin.execute("update audit_head set seq = $1, hash = $2", len(rows), prev)


if __name__ == "__main__":
    raise SystemExit(main())
