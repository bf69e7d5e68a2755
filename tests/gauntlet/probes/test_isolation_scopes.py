"""Tenancy said in other ways: claims of a token, a role that requests change to, a key for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Scope
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.targetfile import load_target_file
from shipworthy.local.postgres import PostgresAddress
from tests.support.tenancy import NORTH, SOUTH, Shop, shop_database

CLAIMS = Scope(
    tenant_setting="request.jwt.claims",
    realm_setting=None,
    tenant_value='{"role": "authenticated", "org": "{tenant_id}"}',
    tenant_column="team",
    role="signed_in",
    anonymous_role="anyone",
)
MINE = "team = (select claims.org())"
SCHEMA = f"""
create schema claims;
create function claims.org() returns uuid language sql stable as
  $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'org')::uuid $$;
create table task (team uuid not null, id uuid not null default gen_random_uuid(), what text not null, primary key (team, id));
insert into task (team, what) values ('{NORTH.tenant_id}', 'a'), ('{SOUTH.tenant_id}', 'b'), ('{SOUTH.tenant_id}', 'c');
grant usage on schema claims to @signed_in, @anyone;
grant select, insert, update, delete on task to @signed_in, @anyone;
alter table task owner to @owner; alter table task enable row level security; alter table task force row level security;
create policy own on task to @signed_in using ({MINE}) with check ({MINE});
"""


@asynccontextmanager
async def tasks(cluster: PostgresAddress) -> AsyncIterator[Shop]:
    """A database in which a request signs in as one role and changes to another, as claims say."""
    async with shop_database(cluster.url()) as shop:
        roles = [f"{name}_{shop.suffix}" for name in ("signed_in", "anyone")]
        shop.scope = Scope(**{**vars(CLAIMS), "role": roles[0], "anonymous_role": roles[1]})
        await shop.plant("drop view recent_invoice; drop table line, invoice, customer, event, org cascade")
        try:
            await shop.plant("".join(f"create role {role} nologin; grant {role} to @app;" for role in roles))
            await shop.plant(SCHEMA.replace("@signed_in", roles[0]).replace("@anyone", roles[1]))
            yield shop
        finally:
            await shop.plant("".join(f"drop owned by {role}; drop role {role};" for role in roles))


def failed(findings: list[Finding]) -> dict[str, str]:
    return {f.id: f"{f.title} {f.cause}" for f in findings if f.verdict is Verdict.FAIL}


async def test_claims_and_a_changed_role_are_green_when_they_keep_tenants_apart(
    cluster: PostgresAddress,
) -> None:
    async with tasks(cluster) as shop:
        findings = await shop.ask()
        assert failed(findings) == {}
        assert {f.subject for f in findings if f.verdict is Verdict.PASS} >= {"task"}
        tried = next(f for f in findings if f.check == "isolation.two_tenants_sql").evidence[0].text
        assert "app        read in its own scope" in tried
        assert "anonymous  read with no scope set" in tried


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        ("alter table task disable row level security", "Role anonymous could read with no scope set: 3 rows"),
        ("create policy shown on task for select to public using (true)", "Role anonymous could read with no scope set"),
        ("create policy open on task to @anyone using (true) with check (true)",
         "Role anonymous could delete rows that belong to another: 2 rows written"),
    ],
)  # fmt: skip
async def test_what_a_key_for_everybody_opens_is_told(
    cluster: PostgresAddress, plant: str, words: str
) -> None:
    async with tasks(cluster) as shop:
        await shop.plant(plant.replace("@anyone", f"anyone_{shop.suffix}"))
        told = failed(await shop.ask())
        assert words in told["isolation.two_tenants_sql:task"]
        assert "isolation.row_security:task" in told


async def test_a_role_that_may_not_change_is_undecided_and_says_so(cluster: PostgresAddress) -> None:
    async with tasks(cluster) as shop:
        await shop.plant(f"revoke signed_in_{shop.suffix} from @app")
        found = await shop.ask("isolation.two_tenants_sql")
        assert [f.verdict for f in found] == [Verdict.INCONCLUSIVE]
        assert "could not change to signed_in" in found[0].cause


def test_a_gauntlet_file_says_how_its_tenant_is_set(tmp_path: Path) -> None:
    file = tmp_path / "gauntlet.toml"
    file.write_text(
        """
[target]
name = "Tasks"
url = "http://127.0.0.1:8000"
database = "postgresql://app@localhost/tasks"
database_admin = "postgresql://postgres@localhost/tasks"
[scope]
tenant_setting = "request.jwt.claims"
tenant_value = '{"org": "{tenant_id}"}'
tenant_column = "team"
role = "signed_in"
[scope.columns]
teams = "id"
"""
    )
    target = load_target_file(file)
    assert target.database_urls == {
        "app": "postgresql://app@localhost/tasks",
        "admin": "postgresql://postgres@localhost/tasks",
    }
    assert target.manifest.scope == Scope(
        tenant_setting="request.jwt.claims",
        realm_setting=None,
        tenant_value='{"org": "{tenant_id}"}',
        tenant_column="team",
        role="signed_in",
        columns={"teams": "id"},
    )
