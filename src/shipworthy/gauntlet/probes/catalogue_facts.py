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
UNIQUE_KEYS = """
select x.indrelid as table_oid, i.relname as name,
  array(select a.attname::text from pg_attribute a where a.attrelid = i.oid and a.attnum <= x.indnkeyatts) as columns,
  -- Random ids and tokens cannot be guessed, and numbers that the database gives are asked by nobody:
  -- a clash on them tells nothing.
  exists (select from pg_attribute a where a.attrelid = i.oid and a.attnum <= x.indnkeyatts
          and a.atttypid not in ('uuid'::regtype, 'bytea'::regtype)
          and a.attname !~* '(token|secret|hash|digest)'
          and not exists (
            select from pg_attribute o left join pg_attrdef d on d.adrelid = o.attrelid and d.adnum = o.attnum
            where o.attrelid = x.indrelid and o.attnum = x.indkey[a.attnum - 1]
              and (o.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like 'nextval(%'))) as is_guessable
from pg_index x join pg_class i on i.oid = x.indexrelid where x.indisunique
"""
_FIRST_COLUMNS = """
select x.indrelid as table_oid, a.attname::text as name
from pg_index x join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[0] where x.indisvalid
"""
_HELD = """
select r.rolname from pg_roles r
where exists (select from pg_roles s where s.rolname = any($1::text[]) and pg_has_role(s.oid, r.oid, 'usage'))
"""
# A channel has no row security: whoever may connect may LISTEN, and hears the row.
_TELLING = r"""
select distinct p.oid::regprocedure::text as name, t.tgrelid as table_oid
from pg_trigger t join pg_proc p on p.oid = t.tgfoid
where not t.tgisinternal and t.tgrelid = any($1::oid[]) and p.prosrc ~* 'pg_notify\s*\('
  and p.prosrc ~* '(row_to_json|to_jsonb?|hstore|format)\s*\([^)]*\m(new|old)\M|\m(new|old)\s*::\s*text'
order by 1
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
    held: frozenset[str]  # the roles whose rights the app's roles have, by membership
    first_columns: list[Any]
    telling: list[Any]
    by_oid: dict[int, TableFacts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_oid = {table.oid: table for table in self.tables}

    def rule_for(self, table: TableFacts) -> ScopeRule | None:
        """Return what the policies of a table must say; None where the app has no such scope."""
        setting = self.settings.get(table.scope or "")
        if setting is None or table.column is None:
            return None
        return ScopeRule(column=table.column, setting=setting, helpers=self.helpers[setting])

    def policies_that_apply(self, table: TableFacts) -> list[Policy]:
        """Return the policies of a table that bind or admit any of the app's roles."""
        reached = self.held | {"public"}
        return [p for p in self.policies.get(table.oid, []) if reached & set(p.roles)]

    def parents_of(self, table: TableFacts) -> list[TableFacts]:
        """Return the tables of tenants' rows that a table points to, straight or through others."""
        found: dict[int, TableFacts] = {}
        open_oids = {table.oid}
        while open_oids:
            targets = {k["target_oid"] for k in self.foreign_keys if k["table_oid"] in open_oids} - set(found)
            found |= {oid: self.by_oid[oid] for oid in targets if oid in self.by_oid}
            open_oids = {oid for oid in targets if oid in self.by_oid and not self.by_oid[oid].is_scoped}
        return [parent for parent in found.values() if parent.is_scoped and parent.oid != table.oid]

    def is_indexed(self, table: TableFacts) -> bool:
        """Say whether an index begins with the column that scopes a table."""
        return any(i["table_oid"] == table.oid and i["name"] == table.column for i in self.first_columns)

    def roles_that(self, what: str, table_oid: int) -> list[str]:
        return sorted(row["role"] for row in self.reach if row["table_oid"] == table_oid and row[what])


def tells_of_others(key: Any, table: TableFacts) -> bool:
    """Say whether a clash on a unique key tells one tenant what another has."""
    return key["table_oid"] == table.oid and table.column not in key["columns"] and key["is_guessable"]


async def read_catalogue(exam: Exam) -> Catalogue:
    """Return what the catalogue says of the app's tables and of the roles its processes sign in as."""
    roles = _signing_in(exam)
    scope = exam.manifest.scope
    settings = {"tenant": scope.tenant_setting}
    if scope.realm_setting:
        settings["realm"] = scope.realm_setting
    way_in = "admin" if exam.can("database.admin") else "app"
    async with exam.database(way_in).connection() as connection:
        tables = await app_tables(connection, exam.manifest.tables, scope)
        scoped = {table.oid for table in tables if table.is_scoped}
        reach = await connection.fetch(_REACH, roles, _PRIVILEGES)
        read = {row["table_oid"] for row in reach if row["may_read"]}
        views = _seen_through(await connection.fetch(_VIEWS))
        return Catalogue(
            tables=tables,
            policies=await policies_by_table(connection),
            settings=settings,
            helpers={setting: await helpers_of(connection, setting) for setting in settings.values()},
            reach=reach,
            unique=await connection.fetch(UNIQUE_KEYS),
            foreign_keys=await connection.fetch(_FOREIGN_KEYS),
            views=[view for view in views if scoped & view["tables"] and view["oid"] in read],
            definers=await connection.fetch(_DEFINERS, roles, list(scoped)),
            roles=await connection.fetch(_ROLES, roles),
            held=frozenset(row["rolname"] for row in await connection.fetch(_HELD, roles)),
            first_columns=await connection.fetch(_FIRST_COLUMNS),
            telling=await connection.fetch(_TELLING, list(scoped)),
        )


def _seen_through(views: list[Any]) -> list[dict[str, Any]]:
    """Return the views with every table they read, those behind other views included."""
    reads = {view["oid"]: set(view["tables"]) for view in views}
    for _ in views:  # a chain is no longer than there are views
        for tables in reads.values():
            tables.update(*(reads[oid] for oid in tables & reads.keys()))
    return [{**dict(view), "tables": reads[view["oid"]]} for view in views]


def _signing_in(exam: Exam) -> list[str]:
    """Return the database's names of the roles that the app's requests and jobs act as."""
    names = {exam.database(role).acts_as for role in exam.handle.database_urls if role != "admin"}
    if anonymous := exam.manifest.scope.anonymous_role:
        names.add(anonymous)
    return sorted(names)
