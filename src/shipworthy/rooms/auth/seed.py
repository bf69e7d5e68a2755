"""Example people: the owner of a demo tenant, able to sign in at once."""

from __future__ import annotations

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.room import SeedTenant
from shipworthy.rooms.auth.addresses import read_address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.hashing import pool_of
from shipworthy.rooms.auth.passwords import normalised


async def seed(ctx: Ctx, tenant: SeedTenant) -> None:
    """Make the tenant's owner, with a confirmed address. Errors: UniqueViolation when seeded before."""
    address = read_address(tenant.email)
    assert address is not None, f"{tenant.email} is no address"
    person = await ctx.db.maybe(
        q.user_create,
        user_id=tenant.user_id,
        email_raw=address.raw,
        email_canon=address.canonical,
        name=f"{tenant.name.split()[0]} Owner",
        now=ctx.now(),
    )
    assert person is not None, f"{tenant.email} belongs to somebody already"
    await ctx.db.run(
        q.credential_create,
        credential_id=ctx.new_id(),
        user_id=tenant.user_id,
        password_hash=await pool_of(ctx.runtime).hash(normalised(tenant.password)),
        now=ctx.now(),
    )
    await ctx.db.run(
        q.membership_create,
        tenant_id=ctx.tenant_id,
        user_id=tenant.user_id,
        role="owner",
        now=ctx.now(),
    )
