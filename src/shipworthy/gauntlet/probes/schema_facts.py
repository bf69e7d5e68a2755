"""A database's schema as sorted lines, and what its tables hold as checksums: to be held against another state.

Owns what counts as schema: columns, constraints, indexes, policies, row security, rights, functions,
triggers, views and columns' sequences of the app's own; not what an extension brings, what an app makes while
it runs (a sequence of its own), nor the order of columns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

_OWN = """
  n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_%'
  and not exists (select from pg_depend d where d.objid = {oid} and d.deptype = 'e')
"""
_FACTS = f"""
select 'column ' || c.oid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
  || case when a.attnotnull then ' not null' else '' end || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relkind in ('r', 'p') and {_OWN.format(oid="c.oid")}
union all
select 'constraint ' || conrelid::regclass || '.' || conname || ' ' || pg_get_constraintdef(k.oid)
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where {_OWN.format(oid="c.oid")}
union all
select 'index ' || pg_get_indexdef(i.indexrelid)
from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
where {_OWN.format(oid="c.oid")}
union all
select 'policy ' || p.schemaname || '.' || p.tablename || '.' || p.policyname || ' ' || p.permissive || ' ' || p.cmd || ' to '
  || array_to_string(p.roles, ',') || coalesce(' using ' || p.qual, '') || coalesce(' check ' || p.with_check, '')
from pg_policies p
union all
select 'row security ' || c.oid::regclass || ' ' || c.relrowsecurity || ' ' || c.relforcerowsecurity
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and {_OWN.format(oid="c.oid")}
union all
select 'right ' || c.oid::regclass || ' ' || r.privilege_type || ' to ' || r.grantee::regrole
from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) r
where c.relkind in ('r', 'p', 'v', 'm', 'S') and r.grantee <> 0 and {_OWN.format(oid="c.oid")}
union all
select 'function ' || pg_get_functiondef(p.oid)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.prokind in ('f', 'p') and {_OWN.format(oid="p.oid")}
union all
select 'trigger ' || pg_get_triggerdef(t.oid)
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and {_OWN.format(oid="c.oid")}
union all
select 'view ' || c.oid::regclass || ' ' || pg_get_viewdef(c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm') and {_OWN.format(oid="c.oid")}
union all
select 'sequence ' || c.oid::regclass
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and {_OWN.format(oid="c.oid")}
  and exists (select from pg_depend d where d.objid = c.oid and d.refobjsubid > 0 and d.deptype in ('a', 'i'))
"""  # noqa: S608 - put together of our own words
_COLUMNS = f"""
select c.oid::regclass::text as name, array_agg(quote_ident(a.attname) order by a.attname) as columns
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and {_OWN.format(oid="c.oid")} group by 1
"""  # noqa: S608 - as above

Columns = Mapping[str, tuple[str, ...]]  # of each table, quoted where they must be


async def schema_of(connection: Any) -> frozenset[str]:
    """Return the schema, one line a fact."""
    return frozenset(row[0] for row in await connection.fetch(_FACTS))


async def columns_of(connection: Any) -> Columns:
    """Return the tables with their columns."""
    return {row["name"]: tuple(row["columns"]) for row in await connection.fetch(_COLUMNS)}


async def checksums_of(connection: Any, columns: Columns, *, but: Collection[str] = ()) -> dict[str, str]:
    """Return "rows:checksum" of each table over the given columns; the order of rows does not matter.

    The connection has to see every row: a superuser's, or the owner's of tables without row security.
    """
    found = {}
    for table, names in columns.items():
        if table in but:
            continue
        listed = ", ".join(names)
        sql = f"select count(*) || ':' || coalesce(sum(hashtextextended(row({listed})::text, 0)), 0) from {table}"  # noqa: S608 - names of the catalogue, quoted by it
        found[table] = await connection.fetchval(sql)
    return found
