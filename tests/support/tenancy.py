"""A stranger's app on row security, clean, and the 24 ways in which such apps let tenants see each other.

Its column is called org_id, its setting shop.org, and a policy is permissive: nothing of our house. The
faults are those of the platform study (`pgrls lint` 0.57.1 was held against the same list); each names the
subject whose finding must tell it, and words that must stand there. Roles belong to a cluster, so each
database has its own: "@app" and the others are filled in.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest, Scope
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.stages.isolation import CHECKS

NORTH = Credential(email="nora@north.test", password="-", tenant_id="6f1d3a52-0c11-4f6e-9a58-0d5a3c1b7e01")
SOUTH = Credential(email="sam@south.test", password="-", tenant_id="c2b8e0d4-7a43-4b0e-8f0b-51f6a9d2c702")
SCOPE = Scope(tenant_setting="shop.org", realm_setting=None, tenant_column="org_id", columns={"org": "id"})
ROLES = ("app", "owner", "reporting")
MINE = "org_id = (select current_org())"
_TABLES = ("customer", "invoice", "line", "event")

CLEAN = (
    f"""
create role @owner nologin; create role @reporting nologin; create role @app login password 'of-tests';
create function current_org() returns uuid language sql stable as
  $$ select nullif(current_setting('shop.org', true), '')::uuid $$;
create table country (code text primary key, name text not null);
create table org (id uuid primary key, name text not null);
create table customer (org_id uuid not null references org (id), id uuid not null default gen_random_uuid(),
  email text not null, name text not null, primary key (org_id, id), unique (org_id, email));
create table invoice (org_id uuid not null references org (id), id uuid not null default gen_random_uuid(),
  customer_id uuid not null, number int not null, total bigint not null, primary key (org_id, id),
  unique (org_id, number), constraint invoice_customer foreign key (org_id, customer_id) references customer);
create table line (org_id uuid not null, invoice_id uuid not null, position int not null, text text not null,
  primary key (org_id, invoice_id, position), foreign key (org_id, invoice_id) references invoice);
create table event (org_id uuid not null, at date not null, id bigint generated always as identity, what text not null,
  primary key (org_id, at, id)) partition by range (at);
create table event_2026 partition of event for values from ('2026-01-01') to ('2027-01-01');
create view recent_invoice with (security_invoker = true) as select org_id, number, total from invoice;
create function invoice_count() returns bigint language sql stable as 'select count(*) from invoice';
insert into country values ('DE', 'Germany'), ('FR', 'France');
insert into org select * from unnest(array['{NORTH.tenant_id}', '{SOUTH.tenant_id}']::uuid[], array['North', 'South']);
insert into customer (org_id, email, name)
  select id, 'c' || n || '@' || lower(name) || '.test', name || ' customer ' || n from org, generate_series(1, 5) n;
insert into invoice (org_id, customer_id, number, total)
  select org_id, id, row_number() over (partition by org_id), 100 from customer;
insert into line select org_id, id, 1, 'a line' from invoice;
insert into event (org_id, at, what) select id, '2026-03-01', name || ' began' from org;
grant select on country to @app; grant select on org, recent_invoice to @app;
grant select, insert, update, delete on customer, invoice, line, event to @app;
alter table org owner to @owner; alter table org enable row level security; alter table org force row level security;
create policy org_rows on org to @app using (id = (select current_org()));
"""
    + "".join(
        f"""
alter table {table} owner to @owner; alter table {table} enable row level security;
alter table {table} force row level security;
create policy org_rows on {table} for all to @app using ({MINE}) with check ({MINE});"""
        for table in _TABLES
    )
    + """
alter table event_2026 owner to @owner;
create policy reporting on invoice for select to @reporting using (true);
"""
)


@dataclass(frozen=True)
class Fault:
    """One planted fault: the SQL that plants it, and the finding that must tell it."""

    name: str
    sql: str
    subject: str
    words: str


def _policy(using: str, checking: str = MINE) -> str:
    return (
        "drop policy org_rows on invoice; "
        f"create policy org_rows on invoice for all to @app using ({using}) with check ({checking})"
    )


FAULTS = tuple(
    Fault(*each)
    for each in (
        ("row security off", "alter table invoice disable row level security", "invoice", "row security is off"),
        ("the app owns the table, not forced",
         "alter table invoice owner to @app; alter table invoice no force row level security", "invoice", "not forced"),
        ("USING (true)", _policy("true", "true"), "invoice", "is true for every row"),
        ("WITH CHECK (true)", _policy(MINE, "true"), "invoice", "insert a row that belongs to another"),
        ("view without security_invoker",
         "create view invoice_list as select org_id, number, total from invoice; grant select on invoice_list to @app",
         "invoice_list", "reads with the rights of its owner"),
        ("SECURITY DEFINER function",
         "create function all_totals() returns table (org_id uuid, total bigint) language sql stable security definer "
         "as 'select org_id, total from invoice'", "all_totals()", "SECURITY DEFINER"),
        ("foreign key of one column",
         "alter table customer add constraint customer_id unique (id); alter table invoice drop constraint invoice_customer; "
         "alter table invoice add constraint invoice_customer foreign key (customer_id) references customer (id)",
         "invoice", "let a row of its own point to another's customer"),
        ("unique key of all tenants", "alter table customer add constraint customer_email unique (email)",
         "customer", "write what another has into its own scope"),
        ("OR … IS NULL", _policy(f"{MINE} or current_org() is null"), "invoice", "read with no scope set"),
        ("COALESCE fallback", _policy("org_id = coalesce(current_org(), org_id)"), "invoice", "read with no scope set"),
        ("materialised view",
         "create materialized view invoice_totals as select org_id, sum(total) as total from invoice group by 1; "
         "grant select on invoice_totals to @app", "invoice_totals", "copy without policies"),
        ("a partition granted by itself", "grant select on event_2026 to @app", "event_2026", "read in its own scope"),
        ("BYPASSRLS", "alter role @app bypassrls", "role @app", "has BYPASSRLS"),
        ("a second, permissive policy", "create policy support on invoice for select to @app using (true)",
         "invoice", "read in its own scope"),
        ("a row moves to another tenant",
         "drop policy org_rows on invoice; "
         f"create policy see on invoice for select to @app using ({MINE}); "
         f"create policy add on invoice for insert to @app with check ({MINE}); "
         f"create policy change on invoice for update to @app using ({MINE}) with check (true)",
         "invoice", "is true for every row"),
        ("TRUNCATE granted", "grant truncate on invoice to @app", "invoice", "may TRUNCATE"),
        ("definer trigger",
         "create function tell_all() returns trigger language plpgsql security definer as $$ begin "
         "insert into event (org_id, at, what) select id, '2026-06-01', 'invoice' from org; return new; end $$; "
         "create trigger tell_all after insert on invoice for each row execute function tell_all()",
         "tell_all()", "SECURITY DEFINER"),
        ("a new table without row security",
         "create table attachment (org_id uuid not null, id uuid not null default gen_random_uuid(), name text, "
         "primary key (org_id, id)); grant select, insert, update, delete on attachment to @app; "
         "insert into attachment (org_id, name) select id, name from org", "attachment", "row security is off"),
        ("a policy of another role reaches the app", "grant @reporting to @app", "invoice", "read in its own scope"),
        ("VOLATILE function in a policy",
         "create or replace function current_org() returns uuid language sql volatile as "
         "$$ select nullif(current_setting('shop.org', true), '')::uuid $$", "invoice", "VOLATILE"),
        ("a setting read without care", _policy("org_id = current_setting('shop.org')::uuid"), "invoice",
         "an error instead of nothing"),
        ("no index on the tenant",
         "alter table line drop constraint line_pkey; alter table line add column id uuid primary key default gen_random_uuid()",
         "line", "no index begins with org_id"),
        ("LIKE on a text of the caller's", _policy("org_id::text like current_setting('shop.org', true) || '%'"), "invoice",
         "compares by pattern"),
        ("a child without the tenant",
         "alter table invoice add constraint invoice_id unique (id); create table remark (id uuid primary key default "
         "gen_random_uuid(), invoice_id uuid not null references invoice (id), text text not null); "
         "grant select, insert, update, delete on remark to @app", "remark", "its rows belong to invoice"),
    )
)  # fmt: skip


@dataclass
class Shop:
    """A database of its own with the clean schema in it, and the examiner's view of it."""

    admin_url: str
    app_url: str
    suffix: str
    scope: Scope = field(default=SCOPE)

    def filled(self, sql: str) -> str:
        for role in ROLES:
            sql = sql.replace(f"@{role}", f"{role}_{self.suffix}")
        return sql

    async def plant(self, sql: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(self.filled(sql))
        finally:
            await connection.close()

    async def ask(self, *names: str) -> list[Finding]:
        """Ask the named checks of the stage (those that need no HTTP, when none is named)."""
        asked = names or ("isolation.row_security", "isolation.two_tenants_sql")
        found: list[Finding] = []
        for check in CHECKS:
            if check.name in asked:
                exam = self._exam(check)
                found += await check.run(exam)
        return found

    def _exam(self, check: Check) -> Exam:
        handle = Handle(
            base_url="http://127.0.0.1:9",
            database_urls={"admin": self.admin_url, "app": self.app_url}
            if self.admin_url
            else {"app": self.app_url},
            tenants=(NORTH, SOUTH),
        )
        target = Target(name="Shop", kind="url", manifest=Manifest(app="Shop", scope=self.scope))
        exam = Exam(target, StartedInstance(handle, None))
        exam.begin(PlannedCheck(check=check))
        return exam


_numbers = itertools.count(1)


@asynccontextmanager
async def shop_database(admin_url: str) -> AsyncIterator[Shop]:
    """Make a database with the clean schema in the cluster of `admin_url`; drop it and its roles afterwards."""
    suffix = f"{os.getpid()}_{next(_numbers)}"
    name = f"shop_{suffix}"
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    own = urlunsplit(parts._replace(path=f"/{name}"))
    shop = Shop(
        own, urlunsplit(parts._replace(netloc=f"app_{suffix}:of-tests@{host}", path=f"/{name}")), suffix
    )
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f'create database "{name}"')
        try:
            await shop.plant(CLEAN)
            yield shop
        finally:
            await connection.execute(f'drop database "{name}" with (force)')
            for role in ROLES:
                await connection.execute(f'drop role if exists "{role}_{suffix}"')
    finally:
        await connection.close()


def tells(fault: Fault, findings: list[Finding], shop: Shop) -> list[str]:
    """Return the checks that told a fault by its subject and in its words."""
    subject = shop.filled(fault.subject)
    return [
        finding.check
        for finding in findings
        if finding.verdict.name == "FAIL"
        and finding.subject == subject
        and fault.words in f"{finding.title} {finding.cause}"
    ]
