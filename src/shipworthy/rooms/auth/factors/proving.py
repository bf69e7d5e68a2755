"""A signed-in person proves once more that it is them, before a change that a stolen session must not make.

They give the best they have: a second factor where they have one, else the password, else a code mailed to
their address. The session then has another id, and the proof is good for ten minutes (`step_up_s`).
"""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import Address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.factors.means import amr_of
from shipworthy.rooms.auth.factors.second import is_code_right
from shipworthy.rooms.auth.letters import write
from shipworthy.rooms.auth.renewal import renew
from shipworthy.rooms.auth.throttle import (
    confirm_budget,
    give_back,
    mail_budget,
    password_budget,
    proof_budget,
    reserve,
)
from shipworthy.rooms.auth.tokens import digest, is_code
from shipworthy.rooms.auth.verify import is_right

STEP_UP_S = 600  # how long a proof is good for the account's sensitive routes
CODE_TTL_S = 600
COOKIE = "confirm"


@dataclass(frozen=True, kw_only=True)
class Ways:
    """What a person may prove themselves with: codes and passkeys, or the password, or a mailed code."""

    has_totp: bool
    has_passkey: bool
    has_recovery: bool
    has_password: bool

    @property
    def asks_factor(self) -> bool:
        return self.has_totp or self.has_passkey

    @property
    def asks_password(self) -> bool:
        return self.has_password and not self.asks_factor

    @property
    def asks_mail(self) -> bool:
        return not (self.asks_factor or self.has_password)


async def ways_of(ctx: Ctx) -> Ways:
    async with ctx.begin() as tx:
        held = await tx.one(q.factors_held, user_id=ctx.user.user_id)
    return Ways(
        has_totp=held["has_totp"],
        has_passkey=held["has_passkey"],
        has_recovery=held["recovery_left"] > 0,
        has_password=held["has_password"],
    )


async def mail_code(ctx: Ctx) -> str:
    """Mail a code to somebody who has nothing else; return the token for the cookie.

    Errors:  Missing where they have something else, TooMany `auth.throttled`.
    """
    if not (await ways_of(ctx)).asks_mail:
        raise Missing("code to be mailed")
    async with ctx.begin() as tx:
        user = await tx.one(q.user_lock, user_id=ctx.user.user_id)
        await reserve(ctx, tx, mail_budget(ctx, account=user["email_canon"]))
        letter = await write(
            ctx,
            tx,
            "confirm_code",
            to=Address(user["email_raw"], user["email_canon"]),
            ttl_s=CODE_TTL_S,
            user_id=ctx.user.user_id,
            pending={"name": user["name"]},
        )
        await record(ctx, "auth.proof_asked", of="user", id=ctx.user.user_id, tx=tx)
    return letter.token


async def prove(ctx: Ctx, *, code: str, password: str, token: str | None) -> str:
    """Take the proof; return the cookie of the renewed session.

    Errors:  Invalid `auth.confirm_wrong`, TooMany `auth.throttled`, Busy `auth.busy`.
    """
    ways = await ways_of(ctx)
    if ways.asks_factor:
        return await _by_factor(ctx, code)
    if ways.asks_password:
        return await _by_password(ctx, password)
    return await _by_mail(ctx, code, token)


async def proven(ctx: Ctx, tx: Tx, *means: str) -> str:
    """Write down in the session that its person has just proven themselves; return its new cookie."""
    await record(ctx, "auth.confirmed", of="user", id=ctx.user.user_id, detail={"by": " ".join(means)}, tx=tx)
    return await renew(ctx, tx, amr=amr_of(*ctx.user.amr, *means))


async def _by_factor(ctx: Ctx, code: str) -> str:
    budget = confirm_budget(ctx)
    async with ctx.begin() as tx:
        await reserve(ctx, tx, budget)
    async with ctx.begin() as tx:
        if await is_code_right(ctx, tx, ctx.user.user_id, code):
            await give_back(tx, budget)
            return await proven(ctx, tx, "otp")
        await record(ctx, "auth.confirm_refused", of="user", id=ctx.user.user_id, tx=tx)
    raise _wrong("code", _("This code is not right, or was used. Wait for the next one."))


async def _by_password(ctx: Ctx, password: str) -> str:
    budget = password_budget(ctx)
    async with ctx.begin() as tx:
        await reserve(ctx, tx, budget)
        row = await tx.maybe(q.credential_get, user_id=ctx.user.user_id)
    is_known = await is_right(ctx, password, stored=row["password_hash"] if row else None, budget=budget)
    async with ctx.begin() as tx:
        if is_known:
            await give_back(tx, budget)
            return await proven(ctx, tx, "pwd")
        await record(ctx, "auth.confirm_refused", of="user", id=ctx.user.user_id, tx=tx)
    raise _wrong("password", _("This is not your password."))


async def _by_mail(ctx: Ctx, code: str, token: str | None) -> str:
    async with ctx.begin() as tx:
        row = await tx.maybe(
            q.proof_by_hash, token_sha256=digest(token or ""), purpose="confirm_code", now=ctx.now()
        )
        if row is None or row["user_id"] != ctx.user.user_id:
            raise _wrong("code", _("There is no code for this browser any more. Have another one mailed."))
        await reserve(ctx, tx, proof_budget(ctx, token_id=row["token_id"]))
    async with ctx.begin() as tx:
        is_known = is_code(
            ctx.runtime.signing_key, code, realm_id=ctx.scope.realm_id, token_id=row["token_id"]
        )
        if is_known and await tx.maybe(q.proof_use, token_id=row["token_id"], now=ctx.now()):
            return await proven(ctx, tx, "mail")
        await record(ctx, "auth.confirm_refused", of="user", id=ctx.user.user_id, tx=tx)
    raise _wrong("code", _("This code is not right. Use the latest mail."))


def _wrong(field: str, problem: str) -> Invalid:
    return Invalid("auth.confirm_wrong", _("That did not confirm that it is you."), fields={field: problem})
