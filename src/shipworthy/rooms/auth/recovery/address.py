"""Another address for an account: confirmed from the new one, taken back from the old one.

Who asks is told the same whether somebody has the new address or not; its mailbox is told which. The
old address hears of the change and can take it back for a week: that closes everything, drops the
password that made the change possible, and leads to choosing another.
"""

from __future__ import annotations

import uuid

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.account import current_device
from shipworthy.rooms.auth.addresses import Address, read_address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.letters import write
from shipworthy.rooms.auth.programs.pairs import end_all_programs
from shipworthy.rooms.auth.recovery.shut import LINKS, shut
from shipworthy.rooms.auth.renewal import renew
from shipworthy.rooms.auth.throttle import mail_budget, reserve, wait_of
from shipworthy.rooms.auth.tokens import digest

CHANGE, CHANGED = "address_change", "address_changed"
_DEAD = "open link to another address"


async def ask(ctx: Ctx, email: str) -> None:
    """Mail a link to the new address; who asks is told the same whether somebody has it.

    Errors:  Invalid `auth.address_invalid`, TooMany `auth.throttled` (this person, whatever the address).
    Cost:    eight statements, whatever the address.
    """
    address = _read(ctx, email)
    async with ctx.begin() as tx:
        await reserve(ctx, tx, mail_budget(ctx, account=str(ctx.user.user_id)))
        is_too_often = await wait_of(ctx, tx, mail_budget(ctx, account=address.canonical)) > 0
        taken = await tx.maybe(q.user_by_email, email_canon=address.canonical)
        await tx.run(q.token_close, user_id=ctx.user.user_id, purposes=[CHANGE], now=ctx.now())
        letter = await write(
            ctx,
            tx,
            "nothing" if is_too_often else "address_taken" if taken else CHANGE,
            to=Address(taken["email_raw"], address.canonical) if taken else address,
            ttl_s=ctx.runtime.settings.auth.verify_ttl_s,
            user_id=ctx.user.user_id,
            pending={"name": ctx.user.name},
        )
        await record(ctx, "auth.address_change_asked", of="one_time_token", id=letter.token_id, tx=tx)


async def address_behind(
    ctx: Ctx, token: str, *, purpose: str, user_id: uuid.UUID | None = None
) -> str | None:
    """Return the address a link would set (or restore), or None; with `user_id`, only of their own link."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(q.address_by_hash, token_sha256=digest(token), purpose=purpose, now=ctx.now())
    is_theirs = row is not None and (user_id is None or row["user_id"] == user_id)
    return row["email_raw"] if row is not None and is_theirs else None


async def confirm(ctx: Ctx, token: str) -> str:
    """Give whoever is signed in the address their link was mailed to; return the renewed session's cookie.

    All their other sessions, browsers and programs are shut out.
    Errors:  Missing for a link that is no longer good or somebody else's, Conflict `auth.address_taken`.
    """
    user_id, keep = ctx.user.user_id, await current_device(ctx)
    async with ctx.begin() as tx:
        link = await _spend(ctx, tx, token, CHANGE)
        if link["user_id"] != user_id:
            raise Missing(_DEAD)
        old = await tx.one(q.user_lock, user_id=user_id)
        new = Address(link["email_raw"], link["email_canon"])
        await _move(tx, user_id, new)
        await write(
            ctx,
            tx,
            CHANGED,
            to=Address(old["email_raw"], old["email_canon"]),
            ttl_s=ctx.runtime.settings.auth.undo_ttl_s,
            user_id=user_id,
            pending={"name": old["name"]},
        )
        await tx.run(q.token_close, user_id=user_id, purposes=list(LINKS), now=ctx.now())
        await tx.run(q.token_use, email_canon=new.canonical, now=ctx.now())
        await tx.run(q.device_forget_others, user_id=user_id, keep=keep)
        await end_all_programs(tx, user_id, now=ctx.now())
        await record(ctx, "auth.address_changed", of="user", id=user_id, tx=tx)
        await ctx.runtime.sessions.revoke_others(user_id, keep=ctx.user.session_id, tx=tx)
        return await renew(ctx, tx, email=new.raw)


async def undo(ctx: Ctx, token: str) -> str:
    """Restore the address this link was mailed to, shut everybody out, and return a link to a new password.

    Errors:  Missing for a link that is no longer good, Conflict `auth.address_taken`.
    """
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        link = await _spend(ctx, tx, token, CHANGED)
        user = await tx.one(q.user_lock, user_id=link["user_id"])
        old = Address(link["email_raw"], link["email_canon"])
        await _move(tx, user["user_id"], old)
        await tx.run(q.credential_forget, user_id=user["user_id"])
        # Links to take later changes back are in the mailbox of whoever made them.
        await shut(ctx, tx, user["user_id"], links=(*LINKS, CHANGED, "leaving"))
        letter = await write(
            ctx,
            tx,
            "reset",
            to=old,
            ttl_s=ctx.runtime.settings.auth.reset_ttl_s,
            user_id=user["user_id"],
            pending={"name": user["name"], "has_password": True},
        )
        await record(ctx, "auth.address_restored", of="user", id=user["user_id"], tx=tx)
    return letter.token


def _read(ctx: Ctx, email: str) -> Address:
    address = read_address(email)
    own = read_address(ctx.user.email)
    problem = None
    if address is None:
        problem = _("Enter an e-mail address like ada@example.com.")
    elif own is not None and address.canonical == own.canonical:
        problem = _("This is your address already.")
    if problem or address is None:
        raise Invalid("auth.address_invalid", _("This address will not do."), fields={"email": problem or ""})
    return address


async def _spend(ctx: Ctx, tx: Tx, token: str, purpose: str) -> Record:
    row = await tx.maybe(q.token_spend, token_sha256=digest(token), purpose=purpose, now=ctx.now())
    if row is None:
        raise Missing(_DEAD)
    return row


async def _move(tx: Tx, user_id: uuid.UUID, to: Address) -> None:
    await tx.one(q.address_hold, email_canon=to.canonical)
    if await tx.maybe(q.address_move, user_id=user_id, email_raw=to.raw, email_canon=to.canonical) is None:
        raise Conflict(
            "auth.address_taken", _("Another account has this address by now. Nothing was changed.")
        )
