"""Inviting people by mail: to an address, for a role, for seven days.

A row as long as the invitation can be accepted; its id is the id of the letter that holds the link.
Whoever invites learns nothing about the address: what happens is the same whether it has an account.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shipworthy.kernel.audit.personal import record_personal
from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import Conflict, Invalid, Missing, TooMany
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import Address, read_address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.letters import write
from shipworthy.rooms.auth.orgs.roles import Role
from shipworthy.rooms.auth.throttle import invitation_budget, mail_budget, reserve, wait_of

PURPOSE = "invitation"
TTL_S = 7 * 24 * 3600
OPEN_MAX = 100  # of one organisation; all of them are on one page
_NAME_CHARS_MAX = 80
_LIKE_AN_ADDRESS = re.compile(r"\w\.\w|//|@")


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An open invitation, as the organisation sees it."""

    invitation_id: uuid.UUID
    email: str
    role: str
    expires_at: datetime


async def invite(ctx: Ctx, *, email: str, role: Role) -> None:
    """Mail an invitation. One that is open for the address already is replaced, and its link dead.

    Where the address has had as many letters lately as it may, an open one for the same role stays as it is.
    Errors:  Invalid `auth.address_invalid`, Conflict `auth.member_already` or `auth.invitations_full`,
             TooMany `auth.throttled` (this organisation) or `auth.mails_throttled` (this address).
    """
    address = read_address(email)
    if address is None:
        problem = _("Enter an e-mail address like ada@example.com.")
        raise Invalid("auth.address_invalid", _("This is no e-mail address."), fields={"email": problem})
    async with ctx.begin() as tx:
        await tx.one(q.organisation_lock)
        if await tx.maybe(q.member_by_email, email_canon=address.canonical):
            problem = _("Somebody with this address is in the organisation already.")
            raise Conflict("auth.member_already", problem, fields={"email": problem})
        await reserve(ctx, tx, invitation_budget(ctx))
        is_too_often = await wait_of(ctx, tx, mail_budget(ctx, account=address.canonical)) > 0
        open_one = await tx.maybe(q.invitation_get, email_canon=address.canonical, role=role, now=ctx.now())
        if is_too_often and open_one is not None:
            again = open_one["invitation_id"]
            await record(ctx, "auth.invitation_repeated", of="invitation", id=again, tx=tx)
            return
        if is_too_often:
            raise TooMany(
                "auth.mails_throttled",
                _("This address had many letters from us lately. Try again in an hour."),
            )
        await tx.run(q.invitation_clear, email_canon=address.canonical, now=ctx.now())
        invitation_id = await _mailed(ctx, tx, address)
        written = await tx.maybe(
            q.invitation_create,
            invitation_id=invitation_id,
            email_raw=address.raw,
            email_canon=address.canonical,
            role=role,
            invited_by=ctx.user.user_id,
            now=ctx.now(),
            expires_at=ctx.now() + timedelta(seconds=TTL_S),
            open_max=OPEN_MAX,
        )
        if written is None:
            raise Conflict(
                "auth.invitations_full",
                _("{count} invitations are open already. Take one back first.", count=OPEN_MAX),
            )
        await record_personal(
            ctx,
            "auth.invitation_sent",
            of="invitation",
            id=invitation_id,
            detail={"role": role},
            personal={"email": address.raw},
            subject=f"address:{address.canonical}",
            tx=tx,
        )


async def revoke(ctx: Ctx, invitation_id: uuid.UUID) -> None:
    """Take an open invitation back; its link is dead, and a letter not yet sent is not sent. Errors: Missing."""
    async with ctx.begin() as tx:
        if await tx.maybe(q.invitation_take, invitation_id=invitation_id, now=ctx.now()) is None:
            raise Missing("invitation")
        await record(ctx, "auth.invitation_revoked", of="invitation", id=invitation_id, tx=tx)


async def open_invitations(ctx: Ctx) -> Sequence[Invitation]:
    """Return the organisation's open invitations, the latest first."""
    async with ctx.begin() as tx:
        rows = await tx.all(q.invitation_list, now=ctx.now())
    return [Invitation(**dict(row)) for row in rows]


async def _mailed(ctx: Ctx, tx: Tx, address: Address) -> uuid.UUID:
    """Queue the letter, to the address as its owner wrote it where it has an account. Return its id."""
    user = await tx.maybe(q.user_by_email, email_canon=address.canonical)
    letter = await write(
        ctx,
        tx,
        PURPOSE,
        to=Address(user["email_raw"], address.canonical) if user else address,
        ttl_s=TTL_S,
        pending={
            "tenant_id": str(ctx.tenant_id),
            "inviter": shown_in_mail(ctx.user.name) or _("Somebody"),
            "organisation": shown_in_mail(ctx.user.tenant_name) or _("an organisation"),
        },
    )
    await tx.run(q.token_purge, now=ctx.now())
    return letter.token_id


def shown_in_mail(name: str) -> str:
    """Return a name as it may stand in a letter to somebody who never asked for one: short, and no
    address in it. Else anybody who signs up could have us send their advertisement."""
    return "" if _LIKE_AN_ADDRESS.search(name) else name[:_NAME_CHARS_MAX]
