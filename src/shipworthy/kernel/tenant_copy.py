"""One tenant as a file: taken out of a database, deleted there, put back into it.

Goes by the catalogue: every table with a `tenant_id` belongs, but for what only lives for a while (sessions,
idempotency records). People belong to the realm and stay; their memberships go along.
"""

from __future__ import annotations

import asyncio
import json
import uuid
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy.kernel.db.tx import connect_admin
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.files.store import FileStore

_SHORT_LIVED = ("session", "idempotency_key", "audit_due")
_ROWS_AT_ONCE = 1000
_LOCK_TIMEOUT_S = 60
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class TenantCopy:
    """What a tenant's file holds."""

    tenant_id: uuid.UUID
    name: str
    rows: dict[str, int]
    files: int


async def export_tenant(
    admin_url: str, files: FileStore, tenant_id: uuid.UUID, to: Path, *, delete: bool = False
) -> TenantCopy:
    """Write everything of one tenant to the zip file `to`, which appears whole; with `delete`, then delete it here.

    Both see one moment of the database: what is deleted is what was written. While it is deleted, everybody's
    writes wait.

    Errors:  Missing; Conflict `tenant.file_exists`.
    """
    if await asyncio.to_thread(to.exists):
        raise Conflict("tenant.file_exists", f"{to} is there already. Choose another file.")
    draft = to.with_name(f".{to.name}.new")
    try:
        async with _administrator(admin_url, writers_wait=delete) as connection:
            name = await connection.fetchval("select name from tenant where tenant_id = $1", tenant_id)
            if name is None:
                raise Missing("tenant")
            with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
                draft.chmod(0o600)
                tables = await _tables(connection)
                rows = {table: await _write_rows(connection, archive, table, tenant_id) for table in tables}
                keys = await files.keys(f"{tenant_id}/")
                for key in keys:
                    archive.writestr(f"files/{key}", await files.get(key))
                head = {
                    "version": _VERSION,
                    "tenant_id": str(tenant_id),
                    "name": name,
                    "schema": await _schema(connection),
                    "rows": rows,
                    "files": len(keys),
                }
                archive.writestr("tenant.json", json.dumps(head, indent=1))
            draft.rename(to)
            if delete:
                await _delete_rows(connection, tenant_id)
        if delete:
            for key in keys:
                await files.delete(key)
    finally:
        draft.unlink(missing_ok=True)
    return TenantCopy(tenant_id=tenant_id, name=name, rows=rows, files=len(keys))


async def import_tenant(admin_url: str, files: FileStore, source: Path) -> TenantCopy:
    """Put a tenant's file back into a database of the same schema; all of it or nothing.

    Errors:  Invalid `tenant.file_invalid`; Conflict `tenant.exists`, `tenant.schema_differs`, or
             `tenant.people_missing` where rows point to what this database does not have.
    """
    with _opened(source) as archive:
        head = json.loads(archive.read("tenant.json"))
        tenant_id = uuid.UUID(head["tenant_id"])
        async with _administrator(admin_url) as connection:
            if await connection.fetchval("select true from tenant where tenant_id = $1", tenant_id):
                raise Conflict(
                    "tenant.exists",
                    f"{head['name']} ({tenant_id}) is in this database already. To put an earlier state in its place, "
                    "take it out first: shipworthy tenant delete.",
                )
            if await _schema(connection) != head["schema"]:
                raise Conflict(
                    "tenant.schema_differs",
                    "The file was written under another schema than this database has. Restore it with the release "
                    "that wrote it, and migrate that.",
                )
            await connection.execute(
                "set local session_replication_role = replica"
            )  # constraints are looked at below
            for table in head["rows"]:
                await _read_rows(connection, archive, table)
            await connection.execute("set local session_replication_role = origin")
            if astray := await _rows_astray(connection, tenant_id, list(head["rows"])):
                raise Conflict(
                    "tenant.people_missing",
                    f"Rows of the file point to what this database does not have ({'; '.join(astray[:3])}). Nothing was imported.",
                )
            for name in archive.namelist():
                if name.startswith("files/") and _is_own(name, tenant_id):
                    await files.put(name.removeprefix("files/"), archive.read(name))
    return TenantCopy(tenant_id=tenant_id, name=head["name"], rows=head["rows"], files=head["files"])


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(source)
        if "tenant.json" in archive.namelist() and archive.testzip() is None:
            return archive
    except (OSError, zipfile.BadZipFile):
        pass
    raise Invalid(
        "tenant.file_invalid", f"{source} is not a tenant's file, or is damaged. Nothing was imported."
    )


def _is_own(name: str, tenant_id: uuid.UUID) -> bool:
    return name.startswith(f"files/{tenant_id}/") and ".." not in name.split("/")


@asynccontextmanager
async def _administrator(admin_url: str, *, writers_wait: bool = False) -> AsyncIterator[Any]:
    connection = await connect_admin(admin_url)
    try:
        tables = ", ".join(f'"{table}"' for table in await _tables(connection))
        async with connection.transaction(isolation="repeatable_read"):
            if writers_wait:
                # Before the first look, which fixes what is seen: nobody writes what would be deleted unseen.
                await connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT_S}s'")
                await connection.execute(f"lock table {tables} in exclusive mode")
            yield connection
    finally:
        await connection.close()


async def _schema(connection: Any) -> list[str]:
    rows = await connection.fetch("select room || '/' || name as label from schema_migration order by 1")
    return [row["label"] for row in rows]


async def _tables(connection: Any) -> list[str]:
    rows = await connection.fetch(
        """select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and not a.attisdropped
        and c.relname <> all($1::text[]) order by c.relname = 'tenant' desc, c.relname""",
        list(_SHORT_LIVED),
    )
    return [row["relname"] for row in rows]


async def _columns(connection: Any, table: str) -> str:
    rows = await connection.fetch(
        """select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0
        and not attisdropped and attgenerated = '' order by attnum""",
        table,
    )
    return ", ".join(f'"{row["attname"]}"' for row in rows)


async def _write_rows(connection: Any, archive: zipfile.ZipFile, table: str, tenant_id: uuid.UUID) -> int:
    columns, count = await _columns(connection, table), 0
    with archive.open(f"rows/{table}.jsonl", "w", force_zip64=True) as file:
        statement = f'select row_to_json(t)::text as row from (select {columns} from "{table}" where tenant_id = $1) t'  # noqa: S608
        async for record in connection.cursor(statement, tenant_id, prefetch=_ROWS_AT_ONCE):
            file.write(record["row"].encode() + b"\n")
            count += 1
    return count


async def _read_rows(connection: Any, archive: zipfile.ZipFile, table: str) -> None:
    if table not in await _tables(connection):
        raise Invalid(
            "tenant.file_invalid", f"The file names a table {table!r}, and tenants have none of that name."
        )
    columns = await _columns(connection, table)
    statement = (
        f'insert into "{table}" ({columns}) overriding system value '  # noqa: S608 - names of the catalogue
        f'select {columns} from json_populate_recordset(null::"{table}", $1::text::json)'
    )
    with archive.open(f"rows/{table}.jsonl") as file:
        while lines := [line for _, line in zip(range(_ROWS_AT_ONCE), file, strict=False)]:
            await connection.execute(statement, "[" + ",".join(line.decode() for line in lines) + "]")


async def _delete_rows(connection: Any, tenant_id: uuid.UUID) -> None:
    await connection.execute(
        "set local session_replication_role = replica"
    )  # all of it goes, in whatever order
    for table in [*await _tables(connection), *_SHORT_LIVED]:
        await connection.execute(f'delete from "{table}" where tenant_id = $1', tenant_id)  # noqa: S608


async def _rows_astray(connection: Any, tenant_id: uuid.UUID, tables: Sequence[str]) -> list[str]:
    """Return the foreign keys that a tenant's rows break: those were not looked at while they came in."""
    keys = await connection.fetch(
        """select con.conname, con.conrelid::regclass::text as child, con.confrelid::regclass::text as parent,
          (select array_agg(a.attname::text order by k.n) from unnest(con.conkey) with ordinality k(num, n)
             join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.num) as own,
          (select array_agg(a.attname::text order by k.n) from unnest(con.confkey) with ordinality k(num, n)
             join pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.num) as theirs
        from pg_constraint con where con.contype = 'f' and con.conrelid::regclass::text = any($1::text[])""",
        list(tables),
    )
    found = []
    for key in keys:
        pairs = list(zip(key["own"], key["theirs"], strict=True))
        is_given = " and ".join(f'c."{own}" is not null' for own, _ in pairs)
        is_met = " and ".join(f'p."{theirs}" = c."{own}"' for own, theirs in pairs)
        astray = await connection.fetchval(
            f"select count(*) from {key['child']} c where c.tenant_id = $1 and {is_given} "  # noqa: S608
            f"and not exists (select from {key['parent']} p where {is_met})",
            tenant_id,
        )
        if astray:
            found.append(f"{astray} rows of {key['child']} by {key['conname']}")
    return found
