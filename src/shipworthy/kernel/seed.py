"""Example data: demo tenants for people to look at, and volume for plans to be judged at."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import UniqueViolation
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.room import Room, SeedTenant
from shipworthy.kernel.runtime import Runtime

q = load_queries(Path(__file__).parent / "queries.sql", room="kernel")

DEMO_TENANTS = (("Acme Plumbing", "acme"), ("Globex Design", "globex"))
# Volume: one tenant as large as a busy year, and many small neighbours, so that a plan which
# ignores the tenant is visibly worse and the planner's statistics see skew.
_ROWS_LARGE, _ROWS_SMALL, _SMALL_TENANTS = 6_000, 150, 40
_TENANTS = 1_200  # most of them with little more than a name, as in life
_KERNEL_VOLUME = """
insert into idempotency_key (tenant_id, principal_id, key, request_sha256, status, headers, body)
select t.tenant_id, gen_random_uuid(), 'k' || n, '\\x00', 200, '[]', '{}' from tenant t, generate_series(1, 4) n where t.slug like 'volume-%';
insert into audit (tenant_id, audit_id, at, action, object_type, object_id, trace_id, seq, prev, hash)
select t.tenant_id, gen_random_uuid(), now(), 'volume.made', 'row', n::text, 'volume', n, '\\x00', '\\x00' from tenant t, generate_series(1, 6) n where t.slug like 'volume-%';
insert into audit (tenant_id, audit_id, at, action, object_type, object_id, trace_id)
select $large, gen_random_uuid(), now(), 'volume.made', 'row', n::text, 'volume' from generate_series(1, 3000) n;
insert into audit_due (realm_id, tenant_id) select realm_id, tenant_id from tenant where tenant_id = $large;
insert into audit_head (tenant_id, seq, hash) select tenant_id, 6, '\\x00' from tenant where slug like 'volume-%';
insert into audit_export (tenant_id, export_id, kind, asked_at)
select t.tenant_id, gen_random_uuid(), 'csv', now() from tenant t, generate_series(1, 4) n where t.slug like 'volume-%';
insert into audit_personal (tenant_id, audit_id, name, subject, value, salt)
select tenant_id, audit_id, 'email', 'address:' || object_id, 'v', '\\x00' from audit where action = 'volume.made' and object_id::int <= 2;
insert into audit_tip (realm_id, tenant_id, seq, hash) select realm_id, tenant_id, 6, '\\x00' from tenant where slug like 'volume-%' on conflict do nothing;
insert into usage_event (tenant_id, meter, source, period, amount, at)
select t.tenant_id, 'mails', 'volume-' || n, date '2026-01-01', 1, timestamptz '2026-01-01' + n * interval '1 hour' from tenant t, generate_series(1, 12) n where t.slug like 'volume-%';
insert into budget (tenant_id, meter, period, used) select tenant_id, 'mails', date '2026-01-01', 12 from tenant where slug like 'volume-%';
insert into usage_day (tenant_id, meter, day, amount)
select t.tenant_id, 'mails', date '2026-01-01' + n, 1 from tenant t, generate_series(0, 11) n where t.slug like 'volume-%';
insert into usage_hold (tenant_id, meter, source, period, amount, at)
select t.tenant_id, 'pdf_ms', 'volume', date '2026-01-01', 0, timestamptz '2100-01-01' from tenant t where t.slug like 'volume-%';
insert into usage_notice (tenant_id, meter, period, kind, used, most, at)
select t.tenant_id, 'mails', date '2026-01-01', '50', 1, 2, timestamptz '2026-01-01' from tenant t where t.slug like 'volume-%';
insert into job_waiting (tenant_id, kind, source, meter, at)
select t.tenant_id, 'volume', n::text, 'volume', timestamptz '2026-01-01' from tenant t, generate_series(1, 4) n where t.slug like 'volume-%';
insert into tenant_limit (tenant_id, meter, most) select tenant_id, 'volume', 1 from tenant where slug like 'volume-%';
"""


def demo_tenants(realm_id: uuid.UUID, password: str) -> list[SeedTenant]:
    """Return the two demo tenants; ids follow from the realm, so seeding twice finds them there."""
    return [
        SeedTenant(
            name=name,
            email=f"owner@{slug}.example",
            password=password,
            marker=f"{slug.capitalize()}-{uuid.uuid5(realm_id, slug).hex[:8]}",
            site_host=f"{slug}.localhost",
            user_id=uuid.uuid5(realm_id, f"{slug}/owner"),
        )
        for name, slug in DEMO_TENANTS
    ]


def tenant_id_of(realm_id: uuid.UUID, tenant: SeedTenant) -> uuid.UUID:
    return uuid.uuid5(realm_id, f"{tenant.site_host}/tenant")


async def seed_demo(runtime: Runtime, tenants: Sequence[SeedTenant]) -> bool:
    """Create the demo tenants with every room's example data; False when they are there already."""
    for tenant in tenants:
        tenant_id = tenant_id_of(runtime.realm_id, tenant)
        ctx = Ctx(scope=Scope(runtime.realm_id, tenant_id), runtime=runtime, trace_id=uuid.uuid4().hex)
        try:
            async with ctx.begin() as tx:
                ctx.tx = tx
                slug = re.sub(r"\.localhost$", "", tenant.site_host)
                await tx.run(
                    q.tenant_create,
                    tenant_id=tenant_id,
                    name=tenant.name,
                    slug=slug,
                    country="DE",
                    time_zone="Europe/Berlin",
                )
                for room in runtime.rooms:
                    if room.seed:
                        await room.seed(ctx, tenant)
        except (UniqueViolation, Conflict):  # theirs already, or was: a tenant that was deleted stays away
            return False
    return True


async def seed_volume(
    admin_url: str, realm_id: uuid.UUID, rooms: Sequence[Room], *, large_tenant: uuid.UUID
) -> None:
    """Fill every room's tables: `large_tenant` with thousands of rows, forty neighbours with some.

    Cost:    a few seconds; set-based statements as the superuser, past row security.
    """
    connection = await asyncpg.connect(admin_url, timeout=10)
    try:
        if await connection.fetchval("select count(*) from tenant where slug like 'volume-%'"):
            return
        neighbours = [uuid.uuid5(realm_id, f"volume-{i}") for i in range(_TENANTS)]
        await connection.executemany(
            "insert into tenant (realm_id, tenant_id, name, slug) values ($1, $2, $3, $4)",
            [(realm_id, t, f"Volume {i}", f"volume-{i}") for i, t in enumerate(neighbours)],
        )
        sizes = {large_tenant: _ROWS_LARGE, **dict.fromkeys(neighbours[:_SMALL_TENANTS], _ROWS_SMALL)}
        # Rooms share no table, so that each fills its own beside the others, in the same order every time;
        # those that refer to others' rows come after them, in their order.
        alone = [room.volume_sql for room in rooms if room.volume_sql and not room.stands_on]
        await asyncio.gather(*(_fill(admin_url, realm_id, sizes, each) for each in alone))
        for room in rooms:
            if room.volume_sql and room.stands_on:
                await _fill(admin_url, realm_id, sizes, room.volume_sql)
        await connection.execute(_KERNEL_VOLUME.replace("$large", f"'{large_tenant}'"))
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


async def _fill(admin_url: str, realm_id: uuid.UUID, sizes: Mapping[uuid.UUID, int], volume_sql: str) -> None:
    connection = await asyncpg.connect(admin_url, timeout=10)
    try:
        for tenant_id, rows in sizes.items():
            async with connection.transaction():
                await connection.execute(
                    f"set local app.realm_id = '{realm_id}'; set local app.tenant_id = '{tenant_id}'; set local volume.rows = {int(rows)}"
                )
                await connection.execute(volume_sql)
    finally:
        await connection.close()
