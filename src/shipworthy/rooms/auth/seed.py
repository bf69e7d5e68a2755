"""Example people: the owner of a demo tenant, able to sign in at once and signed in elsewhere, and colleagues."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _
from shipworthy.kernel.room import SeedTenant
from shipworthy.rooms.auth.addresses import Address, read_address
from shipworthy.rooms.auth.catalogue import kernel, q
from shipworthy.rooms.auth.hashing import pool_of
from shipworthy.rooms.auth.orgs.invitations import OPEN_MAX, TTL_S
from shipworthy.rooms.auth.passwords import normalised
from shipworthy.rooms.auth.tokens import digest

COLLEAGUES = (("Robin", "member"), ("Sascha", "member"), ("Kim", "viewer"))
ELSEWHERE = ("Safari on iPhone", "Firefox on Windows")
PROGRAM = "Month-end export"


async def seed(ctx: Ctx, tenant: SeedTenant) -> None:
    """Fill the tenant with an owner and colleagues. Errors: UniqueViolation when seeded before."""
    await seed_owner(ctx, tenant)
    domain = tenant.email.rpartition("@")[2]
    for number, (name, role) in enumerate(COLLEAGUES, 1):
        await add_person(
            ctx,
            user_id=ctx.new_id(),
            email=f"{role}{number}@{domain}",
            name=f"{name} {tenant.name.split()[0]}",
            role=role,
            password=tenant.password,
        )
    await ctx.db.run(
        q.invitation_create,
        invitation_id=ctx.new_id(),
        email_raw=f"{tenant.marker}@partner.example",
        email_canon=f"{tenant.marker.lower()}@partner.example",
        role="member",
        invited_by=tenant.user_id,
        now=ctx.now(),
        expires_at=ctx.now() + timedelta(seconds=TTL_S),
        open_max=OPEN_MAX,
    )


async def seed_owner(ctx: Ctx, tenant: SeedTenant) -> None:
    """Make the tenant's owner, with a confirmed address and a linked sign-in to look at."""
    name = f"{tenant.name.split()[0]} Owner"
    address = await add_person(
        ctx, user_id=tenant.user_id, email=tenant.email, name=name, role="owner", password=tenant.password
    )
    await ctx.db.run(
        q.identity_link,
        identity_id=ctx.new_id(),
        user_id=tenant.user_id,
        provider="google",
        issuer="https://accounts.google.com",
        subject=f"example-{tenant.user_id}",
        directory="",
        email=address.raw,
        now=ctx.now(),
    )
    await _begin_program(ctx, tenant)
    for browser in ELSEWHERE:
        await _sign_in_elsewhere(ctx, tenant, name=name, browser=browser)


async def _begin_program(ctx: Ctx, tenant: SeedTenant) -> None:
    """Add a program to look at and to end. Nobody has its tokens."""
    now, ttl = ctx.now(), ctx.runtime.settings.auth
    await ctx.db.run(
        q.program_create,
        program_id=ctx.new_id(),
        user_id=tenant.user_id,
        tenant_id=ctx.tenant_id,
        name=f"{tenant.marker}, {PROGRAM}",
        now=now,
        idle_expires_at=now + timedelta(seconds=ttl.refresh_idle_ttl_s),
        absolute_expires_at=now + timedelta(seconds=ttl.refresh_ttl_s),
        programs_max=1,
    )


async def _sign_in_elsewhere(ctx: Ctx, tenant: SeedTenant, *, name: str, browser: str) -> None:
    """Add a session to look at and to end. Nobody has its token."""
    now, ttl = ctx.now(), ctx.runtime.settings.sessions
    await ctx.db.run(
        kernel.session_create,
        session_id=ctx.new_id(),
        token_sha256=digest(secrets.token_urlsafe(32)),
        user_id=tenant.user_id,
        device_id=ctx.new_id(),
        device_name=f"{tenant.marker}, {browser}",
        tenant_id=ctx.tenant_id,
        tenant_name=tenant.name,
        role="owner",
        email=tenant.email,
        name=name,
        language="",
        amr="pwd",
        now=now,
        idle_expires_at=now + timedelta(seconds=ttl.idle_ttl_s),
        absolute_expires_at=now + timedelta(seconds=ttl.absolute_ttl_s),
    )


async def add_person(
    ctx: Ctx, *, user_id: uuid.UUID, email: str, name: str, role: str, password: str
) -> Address:
    """Make a person with a confirmed address who is in the transaction's organisation.

    Errors:  Conflict when the address is somebody's: their organisation was deleted, and they stayed.
    """
    address = read_address(email)
    assert address is not None, f"{email} is no address"
    person = await ctx.db.maybe(
        q.user_create,
        user_id=user_id,
        email_raw=address.raw,
        email_canon=address.canonical,
        name=name,
        now=ctx.now(),
    )
    if person is None:
        raise Conflict(
            "auth.address_taken", _("Another account has this address by now. Nothing was changed.")
        )
    await ctx.db.run(
        q.credential_create,
        credential_id=ctx.new_id(),
        user_id=user_id,
        password_hash=await pool_of(ctx.runtime).hash(normalised(password)),
        now=ctx.now(),
    )
    await ctx.db.run(q.membership_create, tenant_id=ctx.tenant_id, user_id=user_id, role=role, now=ctx.now())
    return address
