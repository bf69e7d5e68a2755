"""Setting up a person's factors and taking them away.

Each change is recorded, told by mail, ends the trust in browsers and gives the session another id. With
the first factor come recovery codes; with the last they go.
"""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _, mark
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.factors import authenticator
from shipworthy.rooms.auth.factors.recovery_codes import replace_codes
from shipworthy.rooms.auth.letters import tell
from shipworthy.rooms.auth.renewal import renew
from shipworthy.rooms.auth.throttle import confirm_budget, give_back, reserve

APP = mark("an authenticator app")


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a change leaves to be shown: the cookie of the renewed session, and codes where there are new ones."""

    cookie: str
    codes: tuple[str, ...] = ()


async def begin_totp(ctx: Ctx) -> None:
    """Errors: Conflict `auth.totp_present`."""
    async with ctx.begin() as tx:
        await tx.one(q.user_lock, user_id=ctx.user.user_id)
        await authenticator.begin(ctx, tx)
        await record(ctx, "auth.totp_begun", of="user", id=ctx.user.user_id, tx=tx)


async def confirm_totp(ctx: Ctx, code: str) -> Changed:
    """Set the authenticator app up, once it has shown a right code.

    Errors:  Invalid `auth.code_wrong` (field `code`), TooMany `auth.throttled`.
    """
    budget = confirm_budget(ctx)
    async with ctx.begin() as tx:
        await reserve(ctx, tx, budget)
    async with ctx.begin() as tx:
        user = await tx.one(q.user_lock, user_id=ctx.user.user_id)
        if await authenticator.use_code(ctx, tx, ctx.user.user_id, "".join(code.split()), is_setup=True):
            await give_back(tx, budget)
            return await added(ctx, tx, user, APP, "auth.totp_added")
    raise Invalid(
        "auth.code_wrong",
        _("That code is not right."),
        fields={
            "code": _(
                "This is not the code the app shows now. Check the phone's clock, then try the next one."
            )
        },
    )


async def remove_totp(ctx: Ctx) -> Changed:
    """Errors: Missing."""
    async with ctx.begin() as tx:
        user = await tx.one(q.user_lock, user_id=ctx.user.user_id)
        gone = await tx.maybe(q.totp_remove, user_id=ctx.user.user_id)
        if gone is None:
            raise Missing("authenticator app")
        return await removed(ctx, tx, user, APP, "auth.totp_removed")


async def new_recovery_codes(ctx: Ctx) -> Changed:
    """Errors: Conflict `auth.factor_missing`."""
    async with ctx.begin() as tx:
        user = await tx.one(q.user_lock, user_id=ctx.user.user_id)
        held = await tx.one(q.factors_held, user_id=ctx.user.user_id)
        if not (held["has_totp"] or held["has_passkey"]):
            raise Conflict(
                "auth.factor_missing", _("There is nothing to recover yet. Set up an app or a passkey first.")
            )
        codes = await replace_codes(ctx, tx)
        await tx.run(q.device_distrust_all, user_id=ctx.user.user_id)
        await tell(ctx, tx, "factor_added", user=user, what=mark("new recovery codes"))
        await record(ctx, "auth.recovery_codes_made", of="user", id=ctx.user.user_id, tx=tx)
        return Changed(cookie=await renew(ctx, tx), codes=tuple(codes))


async def added(ctx: Ctx, tx: Tx, user: Record, what: str, action: str) -> Changed:
    """Finish the setting up of `what` in its transaction."""
    held = await tx.one(q.factors_held, user_id=ctx.user.user_id)
    codes = await replace_codes(ctx, tx) if held["recovery_left"] == 0 else []
    await tell(ctx, tx, "factor_added", user=user, what=what)
    await record(ctx, action, of="user", id=ctx.user.user_id, tx=tx)
    return Changed(cookie=await renew(ctx, tx), codes=tuple(codes))


async def removed(ctx: Ctx, tx: Tx, user: Record, what: str, action: str) -> Changed:
    """Finish the taking away of `what` in its transaction."""
    held = await tx.one(q.factors_held, user_id=ctx.user.user_id)
    if not (held["has_totp"] or held["has_passkey"]):
        await tx.run(q.recovery_forget, user_id=ctx.user.user_id)
    await tx.run(q.device_distrust_all, user_id=ctx.user.user_id)
    await tell(ctx, tx, "factor_removed", user=user, what=what)
    await record(ctx, action, of="user", id=ctx.user.user_id, tx=tx)
    return Changed(cookie=await renew(ctx, tx))
