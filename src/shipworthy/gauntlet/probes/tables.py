"""The tables of the app as the database knows them, with the scope their rows belong to.

The manifest says which column scopes a table; where there is none, a column of a usual name
does. Everything else is read from the catalogue, which any role may read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from shipworthy.contract import manifest

_USUAL_COLUMNS: tuple[tuple[str, Literal["tenant", "realm"]], ...] = (
    ("tenant_id", "tenant"),
    ("realm_id", "realm"),
)
_TABLES = """
select c.oid, n.nspname as schema, c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted,
  c.relrowsecurity as is_secured, c.relforcerowsecurity as is_forced, pg_get_userbyid(c.relowner) as owner,
  array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and n.nspname not like 'pg\\_%'
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
"""


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """One table. `column` is what scopes its rows, None where nothing does."""

    oid: int
    name: str
    quoted: str
    owner: str
    columns: tuple[str, ...]
    is_secured: bool
    is_forced: bool
    scope: Literal["tenant", "realm", "shared", "worker"] | None
    column: str | None
    is_declared: bool

    @property
    def is_scoped(self) -> bool:
        return self.column is not None and self.scope in ("tenant", "realm")


async def app_tables(connection: Any, declared: tuple[manifest.Table, ...]) -> list[TableFacts]:
    """Return every table of the app's own schemas; those of extensions are not the app's."""
    by_name = {table.name: table for table in declared}
    return [_facts(row, by_name.get(row["name"])) for row in await connection.fetch(_TABLES)]


def _facts(row: Any, declared: manifest.Table | None) -> TableFacts:
    columns = tuple(row["columns"])
    usual = next(((c, scope) for c, scope in _USUAL_COLUMNS if c in columns), (None, None))
    column, scope = (declared.column, declared.scope) if declared else usual
    if declared and column is None and scope in ("tenant", "realm"):
        column = f"{scope}_id"
    return TableFacts(
        oid=row["oid"],
        name=row["name"],
        quoted=row["quoted"],
        owner=row["owner"],
        columns=columns,
        is_secured=row["is_secured"],
        is_forced=row["is_forced"],
        scope=scope,
        column=column if column in columns else None,
        is_declared=declared is not None,
    )
