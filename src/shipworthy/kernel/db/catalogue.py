"""The schema as PostgreSQL itself knows it once every migration is applied."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from typing import Any

from shipworthy.kernel.db.migrate import LOGIN_ROLES, RoomMigrations
from shipworthy.kernel.db.setup import prepare_database
from shipworthy.kernel.db.tx import connect_admin

_COLUMNS = """
select c.relname::text as table, a.attname::text as name, format_type(a.atttypid, null) as type,
  exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any(k.conkey)) as is_key,
  coalesce((select k.confrelid::regclass::text from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'
    and k.conkey[cardinality(k.conkey)] = a.attnum order by k.conname limit 1), '') as refers_to
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
  and c.relname not like 'pgqueuer%' order by c.relname, a.attnum
"""


async def columns_after(admin_url: str, rooms: Sequence[RoomMigrations]) -> list[dict[str, Any]]:
    """Make the database that `admin_url` names, apply every migration, and return the columns of its tables.

    Each as table, name, type, is_key (of the primary key) and refers_to (the table its foreign key leads to).
    """
    await prepare_database(
        admin_url,
        passwords=dict.fromkeys(LOGIN_ROLES, secrets.token_urlsafe(24)),
        rooms=rooms,
        realm_id=uuid.UUID(int=1),
        realm_name="catalogue",
    )
    connection = await connect_admin(admin_url)
    try:
        return [dict(row) for row in await connection.fetch(_COLUMNS)]
    finally:
        await connection.close()
