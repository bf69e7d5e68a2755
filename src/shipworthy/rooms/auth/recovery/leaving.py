"""Deleting an account: shut at once, erased when there was time to take it back.

Nobody leaves others without an owner. What is erased is the person: address, name, password, linked
sign-ins, browsers, memberships. The audit trail keeps that something was done and the id of who did
it, which then stands for nobody.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from shipworthy.kernel.audit.personal import erase_personal
from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Missing
from shipworthy.kernel.language import _n, day_text
from shipworthy.kernel.operators import forget_operator
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.auth.addresses import Address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.letters import Letter, write
from shipworthy.rooms.auth.recovery.shut import shut
from shipworthy.rooms.auth.tokens import digest

ERASE_JOB = "auth.erase"
LEAVING = "leaving"
_SLACK_S = 60  # the queue's clock is the database's, and the day to leave is ours
_DEAD = "account to take back behind this link"


async def ownerless(ctx: Ctx) -> list[tuple[str, int]]:
    """Return the organisations that keep this person here: name, and how many others are in it."""
    async with ctx.begin() as tx:
        return await _ownerless(ctx, tx)


async def leave(ctx: Ctx) -> datetime:
    """Shut the account and mail a link that takes it back; return when it is erased.

    Errors:  Conflict `auth.last_owner`, naming the organisation and what to do;
             Missing when it was shut meanwhile.
    """
    user_id, at = ctx.user.user_id, ctx.now() + timedelta(seconds=ctx.runtime.settings.auth.leaving_ttl_s)
    async with ctx.begin() as tx:
        if kept := await _ownerless(ctx, tx):
            name, others = kept[0]
            raise Conflict(
                "auth.last_owner",
                _n(
                    "You are the only owner of {name}, and one other person is in it. Make somebody else its owner first, then delete your account.",
                    "You are the only owner of {name}, and {count} others are in it. Make somebody else its owner first, then delete your account.",
                    others,
                    name=name,
                ),
            )
        user = await tx.one(q.user_lock, user_id=user_id)
        if await tx.maybe(q.user_leave, user_id=user_id, leaves_at=at) is None:
            raise Missing("account")
        await shut(ctx, tx, user_id)
        letter = await tell_leaving(ctx, tx, user, at)
        delay_s = ctx.runtime.settings.auth.leaving_ttl_s + _SLACK_S
        await enqueue(ctx, ERASE_JOB, f"{user_id}/{letter.token_id}", tx=tx, after_s=delay_s)
        await record(ctx, "auth.leaving_asked", of="user", id=user_id, tx=tx)
    return at


async def tell_leaving(ctx: Ctx, tx: Tx, user: Record, at: datetime) -> Letter:
    """Queue the mail with the link that takes it back, good until `at`."""
    return await write(
        ctx,
        tx,
        LEAVING,
        to=Address(user["email_raw"], user["email_canon"]),
        ttl_s=max(1, int((at - ctx.now()).total_seconds())),
        user_id=user["user_id"],
        pending=leaving_words(user, at),
    )


def leaving_words(user: Record, at: datetime) -> dict[str, str]:
    return {"name": user["name"], "day": f"{day_text(at.date(), is_long=True)}, {at:%H:%M} UTC"}


async def is_open(ctx: Ctx, token: str) -> bool:
    """Whether this link can still take a deletion back."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(q.address_by_hash, token_sha256=digest(token), purpose=LEAVING, now=ctx.now())
    return row is not None


async def stay(ctx: Ctx, token: str) -> None:
    """Take a deletion back; nobody is signed in by it. Errors: Missing."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        link = await tx.maybe(q.token_spend, token_sha256=digest(token), purpose=LEAVING, now=ctx.now())
        if link is None or await tx.maybe(q.user_stay, user_id=link["user_id"]) is None:
            raise Missing(_DEAD)
        await tx.run(q.token_close, user_id=link["user_id"], purposes=[LEAVING], now=ctx.now())
        await record(ctx, "auth.leaving_taken_back", of="user", id=link["user_id"], tx=tx)


async def erase(ctx: Ctx, source: str) -> None:
    """Erase whoever left, where the time is over and it was not taken back. Running again changes nothing."""
    user_id = uuid.UUID(source.partition("/")[0])
    organisations = await ctx.db.all(q.person_tenants, user_id=user_id)
    if await ctx.db.maybe(q.user_erase, user_id=user_id, now=ctx.now()) is not None:
        await record(ctx, "auth.account_erased", of="user", id=user_id)
        await forget_operator(ctx.db, user_id)
        for row in organisations:
            async with ctx.begin(Scope(ctx.scope.realm_id, row["tenant_id"])) as tx:
                await erase_personal(ctx, f"address:{row['email_canon']}", tx=tx)


async def _ownerless(ctx: Ctx, tx: Tx) -> list[tuple[str, int]]:
    names = {
        row["tenant_id"]: row["name"] for row in await tx.all(q.organisations_hold, user_id=ctx.user.user_id)
    }
    rows = await tx.all(q.organisations_left_ownerless, user_id=ctx.user.user_id)
    return [(names[row["tenant_id"]], row["others"]) for row in rows]
