"""The tables of the app as the database knows them, with the scope their rows belong to.

The manifest says which column scopes a table; where there is none, a column of a usual name
does. Everything else is read from the catalogue, which any role may read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from shipworthy.contract import manifest

_OURS = manifest.Scope()
_UNSAID = manifest.Scope(realm_setting=None)  # what a gauntlet.toml without [scope] says
RELATIONS = ("r", "p")  # tables, and those that are partitioned
VIEWS = ("v", "m")  # views, and those that are kept
_TABLES = """
select c.oid, n.nspname as schema, c.relname as name, c.relkind::text as kind, format('%I.%I', n.nspname, c.relname) as quoted,
  c.relrowsecurity as is_secured, c.relforcerowsecurity as is_forced, pg_get_userbyid(c.relowner) as owner,
  array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = any($1::"char"[]) and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and n.nspname not like 'pg\\_%'
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
"""


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """One table. `column` is what scopes its rows, None where nothing does."""

    oid: int
    schema: str
    name: str
    kind: str  # "r" a table, "p" a partitioned one, "v" a view, "m" one that is kept
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


async def app_tables(
    connection: Any,
    declared: tuple[manifest.Table, ...],
    scope: manifest.Scope = _OURS,
    *,
    kinds: tuple[str, ...] = RELATIONS,
) -> list[TableFacts]:
    """Return every table of the app's own schemas; those of extensions are not the app's."""
    by_name = {table.name: table for table in declared}
    rows = await connection.fetch(_TABLES, [kind.encode() for kind in kinds])
    return [_facts(row, by_name.get(row["name"]), scope) for row in rows]


def uses_row_security(of: manifest.Manifest, tables: list[TableFacts]) -> bool:
    """Say whether an app's tenants are to be kept apart by the database: it does so, or says how."""
    return bool(of.tables) or of.scope not in (_OURS, _UNSAID) or any(table.is_secured for table in tables)


def _facts(row: Any, declared: manifest.Table | None, said: manifest.Scope) -> TableFacts:
    columns = tuple(row["columns"])
    column, scope = (declared.column, declared.scope) if declared else _usual(row["name"], columns, said)
    if declared and column is None and scope in ("tenant", "realm"):
        column = f"{scope}_id"
    return TableFacts(
        oid=row["oid"],
        schema=row["schema"],
        name=row["name"],
        kind=row["kind"],
        quoted=row["quoted"],
        owner=row["owner"],
        columns=columns,
        is_secured=row["is_secured"],
        is_forced=row["is_forced"],
        scope=scope,
        column=column if column in columns else None,
        is_declared=declared is not None,
    )


def _usual(
    name: str, columns: tuple[str, ...], said: manifest.Scope
) -> tuple[str | None, Literal["tenant", "realm"] | None]:
    """Return the column that scopes a table nobody declared: the one said for it, or of the usual name."""
    if (column := said.columns.get(name, said.tenant_column)) in columns:
        return column, "tenant"
    return ("realm_id", "realm") if said.realm_setting and "realm_id" in columns else (None, None)
