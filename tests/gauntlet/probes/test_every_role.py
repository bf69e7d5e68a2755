"""isolation.every_role: a database that answers browsers itself, asked as the roles that it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Scope
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import by_subject
from tests.support.tenancy import Shop, shop_database

# As Supabase sets a project up: a role that signs in and inherits nothing, and the two that requests become.
SCHEMA = """
create role @door login noinherit password 'of-tests'; create role @key nologin; create role @member nologin;
grant @key, @member to @door;
create table note (id uuid primary key default gen_random_uuid(), user_id uuid not null, body text not null);
insert into note (user_id, body) values (gen_random_uuid(), 'mine'), (gen_random_uuid(), 'yours');
create table post (id uuid primary key default gen_random_uuid(), title text not null);
insert into post (title) values ('for everybody');
create table lead (id uuid primary key default gen_random_uuid(), email text not null);
create table plan (id int primary key, secret_of_ours text); -- nobody but its owner reaches it
grant usage on schema public to @key, @member;
grant select, insert, update, delete on note, post, lead to @key, @member;
alter table note enable row level security; alter table post enable row level security;
alter table lead enable row level security;
create policy own on note to @member using (user_id::text = current_setting('request.user', true))
  with check (user_id::text = current_setting('request.user', true));
create policy shown on post for select to @key, @member using (true);
create policy ask on lead for insert to @key with check (true);
"""


@asynccontextmanager
async def supabase(
    cluster: PostgresAddress, *plants: str, anonymous_role: bool = True
) -> AsyncIterator[Shop]:
    async with shop_database(cluster.url()) as shop:
        names = {f"@{role}": f"{role}_{shop.suffix}" for role in ("door", "key", "member")}

        def named(sql: str) -> str:
            for short, name in names.items():
                sql = sql.replace(short, name)
            return sql

        shop.scope = Scope(realm_setting=None, anonymous_role=names["@key"] if anonymous_role else None)
        await shop.plant(
            "drop view recent_invoice; drop table line, invoice, customer, event, org, country cascade"
        )
        try:
            await shop.plant(named(SCHEMA))
            for plant in plants:
                await shop.plant(named(plant))
            yield shop
        finally:
            await shop.plant(named("drop owned by @key, @member, @door; drop role @door, @key, @member"))


async def asked(cluster: PostgresAddress, *plants: str) -> dict[str, Finding]:
    async with supabase(cluster, *plants) as shop:
        return by_subject(await shop.ask("isolation.every_role"))


async def test_own_rows_a_public_table_and_a_form_for_everybody_are_fine(cluster: PostgresAddress) -> None:
    found = await asked(cluster)
    assert {subject: f.verdict for subject, f in found.items()} == dict.fromkeys(
        ("note", "post", "lead"), Verdict.PASS
    )
    assert "see nothing of it" in found["note"].title
    assert "open for reading" in found["post"].title


@pytest.mark.parametrize(
    ("plant", "table", "words"),
    [
        ("alter table note disable row level security", "note", "its row security is off"),
        ("create policy open on note for select to @key using (true)", "note", "read 2 rows of others, user_id among them"),
        ("create policy open on note for delete to public using (true); create policy see on note for select to @key using (true)",
         "note", "delete a row (1 rows written)"),
        ("alter table lead disable row level security", "lead", "insert a row"),
        ("create policy open on lead for select to @key using (true)", "lead", "email among them"),
        ("create view emails as select email from lead; grant select on emails to @key; insert into lead (email) values ('a@b.test')",
         "emails", "past row security"),
    ],
)  # fmt: skip
async def test_what_the_key_that_everybody_has_opens_is_told(
    cluster: PostgresAddress, plant: str, table: str, words: str
) -> None:
    finding = (await asked(cluster, plant))[table]
    assert finding.verdict is Verdict.FAIL
    assert finding.severity is Severity.CRITICAL
    assert words in f"{finding.title} {finding.cause}"
    assert "revoke all" in finding.fix


async def test_what_every_member_sees_of_all_members_is_told(cluster: PostgresAddress) -> None:
    finding = (await asked(cluster, "create policy open on note for select to @member using (true)"))["note"]
    assert (finding.verdict, finding.severity) == (Verdict.FAIL, Severity.HIGH)
    assert "Whoever is signed in" in finding.cause


async def test_a_role_that_row_security_does_not_bind_is_told(cluster: PostgresAddress) -> None:
    found = await asked(cluster, "alter role @key bypassrls")
    (bypassing,) = (f for f in found.values() if f.verdict is Verdict.FAIL)
    assert "BYPASSRLS" in bypassing.title


async def test_with_the_apps_own_address_alone_what_it_may_not_become_is_not_measured(
    cluster: PostgresAddress,
) -> None:
    async with supabase(cluster) as shop:
        alone = replace(shop, admin_url="")
        found = await alone.ask("isolation.every_role")
        assert {f.verdict for f in found} == {Verdict.NOT_MEASURED}
        assert "may not change to" in found[0].cause
        await shop.plant(f"grant key_{shop.suffix}, member_{shop.suffix} to @app")
        assert {f.verdict for f in await alone.ask("isolation.every_role")} == {Verdict.PASS}


async def test_where_nobody_but_the_app_signs_in_that_is_what_is_said(cluster: PostgresAddress) -> None:
    async with shop_database(cluster.url()) as shop:
        found = await shop.ask("isolation.every_role")
    assert [(f.subject, f.verdict) for f in found] == [("all", Verdict.PASS)]
