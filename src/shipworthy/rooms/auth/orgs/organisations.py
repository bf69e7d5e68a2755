"""A person's organisations: making one, naming it, and choosing for which one a session acts."""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.kernel.sessions.store import Acting
from shipworthy.rooms.auth.catalogue import kernel, q
from shipworthy.rooms.auth.names import ORGANISATION_CHARS_MAX, read_name
from shipworthy.rooms.auth.renewal import renew

ORGANISATIONS_MAX = 100  # of one person; all of them are on one page
# Until the organisation says otherwise in its settings.
_COUNTRY, _TIME_ZONE = "DE", "Europe/Berlin"
_SLUG_CHARS_MAX = 40


@dataclass(frozen=True, kw_only=True)
class Membership:
    """An organisation as one of its people sees it."""

    tenant_id: uuid.UUID
    tenant_name: str
    role: str
    is_current: bool


async def memberships_of(ctx: Ctx) -> list[Membership]:
    """Return the organisations this person belongs to, the one joined first at the top."""
    async with ctx.begin() as tx:
        rows = await tx.all(q.membership_list, user_id=ctx.user.user_id)
    return [Membership(**dict(row), is_current=row["tenant_id"] == ctx.user.tenant_id) for row in rows]


async def enter(ctx: Ctx, tenant_id: uuid.UUID) -> str | None:
    """Let this session act for an organisation of its person; return the cookie of the renewed session.

    None where it does so already. Errors: Missing where the person does not belong to it.
    """
    async with ctx.begin(Scope(ctx.scope.realm_id, tenant_id)) as tx:
        if tenant_id != ctx.user.tenant_id:
            return await step_in(ctx, tx)
        await record(ctx, "auth.organisation_entered", of="tenant", id=tenant_id, tx=tx)
    return None


async def step_in(ctx: Ctx, tx: Tx) -> str:
    """Let this session act for the transaction's organisation; return the cookie.

    The membership is held until the transaction ends: whoever removes it waits, and then finds this
    session. Errors: Missing.
    """
    tenant_id = tx.scope.tenant_id
    assert tenant_id is not None
    row = await tx.maybe(q.membership_enter, tenant_id=tenant_id, user_id=ctx.user.user_id, now=ctx.now())
    if row is None:
        raise Missing("organisation")
    await record(ctx, "auth.organisation_entered", of="tenant", id=tenant_id, tx=tx)
    acting = Acting(tenant_id=tenant_id, tenant_name=row["tenant_name"], role=row["role"])
    return await renew(ctx, tx, acting=acting)


async def begin_another(ctx: Ctx, name: str) -> str:
    """Make an organisation that this person owns, and act for it; return the cookie.

    Sent twice it is made once: a person is in no two of one name.
    Errors:  Invalid `auth.organisation_invalid`, Conflict `auth.organisations_full`.
    """
    known_as, tenant_id, user_id = _checked(name), ctx.new_id(), ctx.user.user_id
    async with ctx.begin(Scope(ctx.scope.realm_id, tenant_id)) as tx:
        await tx.one(q.user_lock, user_id=user_id)
        theirs = await tx.all(q.membership_list, user_id=user_id)
        refuse_one_more(len(theirs))
        if known_as.casefold() in {row["tenant_name"].casefold() for row in theirs}:
            raise _invalid(_("You are in an organisation of this name already."))
        await make(ctx, tx, name=known_as, owner_id=user_id)
        await record(ctx, "auth.organisation_created", of="tenant", id=tenant_id, tx=tx)
        return await step_in(ctx, tx)


async def rename(ctx: Ctx, name: str) -> None:
    """Give the organisation another name, shown in all its sessions. Errors: Invalid `auth.organisation_invalid`."""
    known_as = _checked(name)
    async with ctx.begin() as tx:
        await tx.run(q.organisation_rename, name=known_as)
        await record(ctx, "auth.organisation_renamed", of="tenant", id=ctx.tenant_id, tx=tx)
        await ctx.runtime.sessions.rename_tenant(ctx.tenant_id, name=known_as, tx=tx)


async def make(ctx: Ctx, tx: Tx, *, name: str, owner_id: uuid.UUID) -> None:
    """Make the transaction's organisation, with its owner."""
    await tx.run(
        kernel.tenant_create,
        tenant_id=tx.scope.tenant_id,
        name=name,
        slug=_slug(name, tx.scope.tenant_id),
        country=_COUNTRY,
        time_zone=_TIME_ZONE,
    )
    await tx.run(
        q.membership_create, tenant_id=tx.scope.tenant_id, user_id=owner_id, role="owner", now=ctx.now()
    )


def refuse_one_more(belongs_to: int) -> None:
    """Errors: Conflict `auth.organisations_full`."""
    if belongs_to >= ORGANISATIONS_MAX:
        raise Conflict(
            "auth.organisations_full",
            _("You are in {count} organisations already. Leave one first.", count=ORGANISATIONS_MAX),
        )


def _checked(name: str) -> str:
    known_as = read_name(name, chars_max=ORGANISATION_CHARS_MAX)
    if known_as is None:
        raise _invalid(_("Enter its name, at most {count} characters.", count=ORGANISATION_CHARS_MAX))
    return known_as


def _invalid(problem: str) -> Invalid:
    return Invalid(
        "auth.organisation_invalid",
        _("The organisation needs another name."),
        fields={"organisation": problem},
    )


def _slug(name: str, tenant_id: uuid.UUID | None) -> str:
    """Return a short name for addresses; the end of the id keeps two of one name apart."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_name)[:_SLUG_CHARS_MAX].strip("-")
    return f"{words or 'team'}-{str(tenant_id)[-6:]}"
