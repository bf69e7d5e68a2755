"""What the database knows of its own tables and indexes; asked as the administrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_TABLE_ROWS = """
select c.relname, format('%I.%I', n.nspname, c.relname), c.reltuples::bigint,
  (s.last_analyze is null and s.last_autoanalyze is null) or s.n_mod_since_analyze * 10 > c.reltuples
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_stat_user_tables s on s.relid = c.oid
where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
"""
_INDEXES = """
select i.relname as name, t.relname as table, x.indisvalid as is_valid, pg_get_indexdef(i.oid) as definition,
  array(select a.attname::text from pg_attribute a where a.attrelid = i.oid order by a.attnum) as columns
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_class t on t.oid = x.indrelid
join pg_namespace n on n.oid = t.relnamespace
where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
"""
# Every operator of that name that takes this column's type on its left, and whether it may be an
# index condition under row security (only leakproof ones may: they cannot tell what they saw).
_OPERATOR = """
select format('%s %s %s', o.oprleft::regtype, o.oprname, o.oprright::regtype)
from pg_operator o
join pg_proc p on p.oid = o.oprcode
join pg_attribute a on a.attrelid = to_regclass($1) and a.attname = $2
where o.oprname = $3 and not p.proleakproof
  and (o.oprleft = a.atttypid or (a.atttypid = 'varchar'::regtype and o.oprleft = 'text'::regtype))
order by o.oprright = a.atttypid desc
limit 1
"""


@dataclass(frozen=True, kw_only=True)
class IndexFacts:
    """An index that exists."""

    name: str
    table: str
    definition: str
    columns: tuple[str, ...]
    is_valid: bool


async def table_rows(admin: Any) -> dict[str, int]:
    """Return how many rows each table has, counted; those whose statistics are stale are analysed first.

    A planner that knows a table as it was long ago, or not at all, plans for that one, and what
    it then chooses says nothing about the app. Stale: a tenth of the rows changed since.
    """
    rows: dict[str, int] = {}
    for name, quoted, estimate, is_stale in await admin.fetch(_TABLE_ROWS):
        if is_stale or estimate < 0:
            await admin.execute(f"analyze {quoted}")
        rows[name] = await admin.fetchval(f"select count(*) from {quoted}")  # noqa: S608 - a quoted name
    return rows


async def existing_indexes(admin: Any) -> dict[str, IndexFacts]:
    """Return every index of the app's schemas by name."""
    found = await admin.fetch(_INDEXES)
    return {
        row["name"]: IndexFacts(
            name=row["name"],
            table=row["table"],
            definition=row["definition"],
            columns=tuple(row["columns"]),
            is_valid=row["is_valid"],
        )
        for row in found
    }


async def leaky_operator(admin: Any, table: str, column: str, operator: str) -> str | None:
    """Return the signature of `column operator …` when row security keeps it out of index conditions."""
    found: str | None = await admin.fetchval(_OPERATOR, quote(table), column, operator)
    return found


def quote(name: str) -> str:
    """Return a name quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
