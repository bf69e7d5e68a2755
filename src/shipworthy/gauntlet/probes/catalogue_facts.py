"""What the catalogue of a database says about who may reach which tenant's rows, read once.

Owns the SQL; judges nothing. Any role may read the catalogue, so a stranger's own role will do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.policies import Policy, ScopeRule, helpers_of, policies_by_table
from shipworthy.gauntlet.probes.tables import TableFacts, app_tables

_PRIVILEGES = "select,insert,update,delete,truncate"
_REACH = """
select r.rolname as role, r.rolsuper or r.rolbypassrls as bypasses, c.oid as table_oid,
  has_table_privilege(r.rolname, c.oid, $2)
    or has_any_column_privilege(r.rolname, c.oid, 'select,insert,update') as is_reached,
  has_table_privilege(r.rolname, c.oid, 'select') as may_read,
  has_table_privilege(r.rolname, c.oid, 'truncate') as may_truncate,
  pg_has_role(r.rolname, c.relowner, 'member') as is_owner
from pg_roles r cross join pg_class c
where r.rolname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm')
"""
_ROLES = "select rolname as role, rolsuper as is_super, rolbypassrls as bypasses from pg_roles where rolname = any($1::text[])"
_UNIQUE = """
select x.indrelid as table_oid, i.relname as name,
  array(select a.attname::text from pg_attribute a where a.attrelid = i.oid and a.attnum <= x.indnkeyatts) as columns,
  -- Random ids cannot be guessed, so a clash on them tells nothing.
  exists (select from pg_attribute a where a.attrelid = i.oid and a.attnum <= x.indnkeyatts
          and a.atttypid not in ('uuid'::regtype, 'bytea'::regtype)) as is_guessable
from pg_index x join pg_class i on i.oid = x.indexrelid where x.indisunique
"""
_FOREIGN_KEYS = """
select k.conrelid as table_oid, k.confrelid as target_oid, k.conname as name,
  array(select a.attname::text from unnest(k.conkey) with ordinality u(n, o)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by u.o) as columns,
  array(select a.attname::text from unnest(k.confkey) with ordinality u(n, o)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by u.o) as targets
from pg_constraint k where k.contype = 'f'
"""
_VIEWS = """
select v.oid, v.relname as name, v.relkind::text as kind, pg_get_userbyid(v.relowner) as owner,
  o.rolsuper or o.rolbypassrls as owner_bypasses,
  coalesce(v.reloptions::text ~ 'security_invoker=(true|on|1)', false) as is_invoker,
  array_agg(distinct d.refobjid) as tables
from pg_class v
join pg_roles o on o.oid = v.relowner
join pg_rewrite r on r.ev_class = v.oid
join pg_depend d on d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
where v.relkind in ('v', 'm') and not exists (select from pg_depend e where e.objid = v.oid and e.deptype = 'e')
group by v.oid, v.relname, v.relkind, v.relowner, o.rolsuper, o.rolbypassrls, v.reloptions
"""
_DEFINERS = """
select p.oid::regprocedure::text as name, pg_get_userbyid(p.proowner) as owner
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_roles o on o.oid = p.proowner
where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
  and not exists (select from pg_depend e where e.objid = p.oid and e.deptype = 'e')
  and (p.prorettype = 'trigger'::regtype
       or exists (select from unnest($1::text[]) r where has_function_privilege(r, p.oid, 'execute')))
  and (o.rolsuper or o.rolbypassrls or exists (
    select from pg_class c where c.relowner = p.proowner and c.oid = any($2::oid[]) and not c.relforcerowsecurity))
order by 1
"""


@dataclass
class Catalogue:
    """The catalogue as it was read, once."""

    tables: list[TableFacts]
    policies: dict[int, list[Policy]]
    settings: dict[str, str]  # "tenant" | "realm" -> the setting that names the scope
    helpers: dict[str, dict[str, str]]  # setting -> functions that read it, with their volatility
    reach: list[Any]
    unique: list[Any]
    foreign_keys: list[Any]
    views: list[Any]
    definers: list[Any]
    roles: list[Any]
    by_oid: dict[int, TableFacts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_oid = {table.oid: table for table in self.tables}

    def rule_for(self, table: TableFacts) -> ScopeRule | None:
        """Return what the policies of a table must say; None where the app has no such scope."""
        setting = self.settings.get(table.scope or "")
        if setting is None or table.column is None:
            return None
        return ScopeRule(column=table.column, setting=setting, helpers=self.helpers[setting])

    def roles_that(self, what: str, table_oid: int) -> list[str]:
        return sorted(row["role"] for row in self.reach if row["table_oid"] == table_oid and row[what])


async def read_catalogue(exam: Exam) -> Catalogue:
    """Return what the catalogue says of the app's tables and of the roles its processes sign in as."""
    roles = _signing_in(exam)
    scope = exam.manifest.scope
    settings = {"tenant": scope.tenant_setting}
    if scope.realm_setting:
        settings["realm"] = scope.realm_setting
    way_in = "admin" if exam.can("database.admin") else "app"
    async with exam.database(way_in).connection() as connection:
        tables = await app_tables(connection, exam.manifest.tables)
        scoped = {table.oid for table in tables if table.is_scoped}
        reach = await connection.fetch(_REACH, roles, _PRIVILEGES)
        read = {row["table_oid"] for row in reach if row["may_read"]}
        views = await connection.fetch(_VIEWS)
        return Catalogue(
            tables=tables,
            policies=await policies_by_table(connection),
            settings=settings,
            helpers={setting: await helpers_of(connection, setting) for setting in settings.values()},
            reach=reach,
            unique=await connection.fetch(_UNIQUE),
            foreign_keys=await connection.fetch(_FOREIGN_KEYS),
            views=[view for view in views if scoped & set(view["tables"]) and view["oid"] in read],
            definers=await connection.fetch(_DEFINERS, roles, list(scoped)),
            roles=await connection.fetch(_ROLES, roles),
        )


def _signing_in(exam: Exam) -> list[str]:
    """Return the database's names of the roles the app's processes sign in as."""
    names = [role for role in exam.handle.database_urls if role != "admin"]
    return sorted({exam.database(role).user for role in names})
