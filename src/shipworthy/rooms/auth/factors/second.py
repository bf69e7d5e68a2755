"""The second step of a sign-in: between a right password, or another's sign-in, and the session.

Until a factor is shown there is no session, only a row that the cookie of one browser names, for ten
minutes and five tries. The browser is not remembered either: whoever knows a password alone gains none
of the trust the throttle gives to known browsers, and no second budget of tries.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Missing, SignInNeeded
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.admit import Person, SignedIn, begin_session, person_of, recognise
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import Browser
from shipworthy.rooms.auth.factors.authenticator import use_code
from shipworthy.rooms.auth.factors.means import amr_of
from shipworthy.rooms.auth.factors.recovery_codes import use_recovery_code
from shipworthy.rooms.auth.throttle import OTP_TRIES_MAX, give_back, otp_budget, purge, reserve
from shipworthy.rooms.auth.tokens import digest

COOKIE = "second"
TTL_S = 600
TRUST_S = 30 * 24 * 3600
_WAITING = "sign-in waiting in this browser"


@dataclass(frozen=True, kw_only=True)
class Halfway:
    """A sign-in that waits for its second step; the token is the browser's."""

    token: str


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What the page shows of it."""

    user_id: uuid.UUID
    has_totp: bool
    has_passkey: bool
    has_recovery: bool


async def ask_second(
    ctx: Ctx,
    tx: Tx,
    person: Person,
    *,
    browser: Browser,
    means: tuple[str, ...],
    known: Record | None = None,
) -> Halfway | None:
    """Let the sign-in wait where its person has a second factor; None: let them in.

    Called in the transaction that would begin the session; `known` is what somebody has read already
    (has_factor, device_id, trusted_until). Cost: one statement without it; three more to wait.
    """
    row = known or await tx.one(q.second_factor_asked, user_id=person.user_id, cookie_sha256=browser.digest)
    is_trusted = row["trusted_until"] is not None and row["trusted_until"] > ctx.now()
    if not row["has_factor"] or is_trusted:
        return None
    token = secrets.token_urlsafe(32)
    await tx.run(
        q.factor_challenge_create,
        challenge_sha256=digest(token),
        browser_sha256=digest(token),
        purpose="second",
        user_id=person.user_id,
        device_id=row["device_id"],
        amr=" ".join(means),
        expires_at=ctx.now() + timedelta(seconds=TTL_S),
    )
    await tx.run(q.factor_challenge_purge, now=ctx.now())
    await record(ctx, "auth.second_factor_asked", of="user", id=person.user_id, tx=tx)
    return Halfway(token=token)


async def waiting(ctx: Ctx, token: str | None) -> Waiting:
    """Return the sign-in that waits in this browser. Errors: Missing."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(
            q.factor_challenge_get,
            challenge_sha256=digest(token or ""),
            tries_max=OTP_TRIES_MAX,
            now=ctx.now(),
        )
        if row is None:
            raise Missing(_WAITING)
        held = await tx.one(q.factors_held, user_id=row["user_id"])
    return Waiting(
        user_id=row["user_id"],
        has_totp=held["has_totp"],
        has_passkey=held["has_passkey"],
        has_recovery=held["recovery_left"] > 0,
    )


async def finish(ctx: Ctx, token: str | None, *, code: str, browser: Browser, is_trusted: bool) -> SignedIn:
    """Begin the session for whoever shows a code of the app, or a recovery code.

    Errors:  Missing, SignInNeeded `auth.code_wrong`, TooMany `auth.throttled`, Forbidden `auth.account_closed`.
    """
    realm = Scope(ctx.scope.realm_id)
    async with ctx.begin(realm) as tx:
        tried = await tx.maybe(
            q.factor_challenge_try,
            challenge_sha256=digest(token or ""),
            tries_max=OTP_TRIES_MAX,
            now=ctx.now(),
        )
        if tried is None:
            raise Missing(_WAITING)
        budget = otp_budget(ctx, user_id=tried["user_id"], device_id=tried["device_id"])
        await reserve(ctx, tx, budget)
    async with ctx.begin(realm) as tx:
        if await is_code_right(ctx, tx, tried["user_id"], code):
            await give_back(tx, budget)
            return await let_in(
                ctx, tx, token, tried["user_id"], ("otp",), browser=browser, is_trusted=is_trusted
            )
        await record(ctx, "auth.second_factor_refused", of="user", id=tried["user_id"], tx=tx)
        await purge(ctx, tx)
    raise SignInNeeded("auth.code_wrong", _("That code is not right, or was used. Wait for the next one."))


async def is_code_right(ctx: Ctx, tx: Tx, user_id: uuid.UUID, code: str) -> bool:
    """Use up a code of the authenticator app, or a recovery code: which it is shows in its length."""
    digits = "".join(code.split())
    if digits.isascii() and digits.isdecimal():
        return await use_code(ctx, tx, user_id, digits)
    return await use_recovery_code(tx, user_id, code)


async def let_in(
    ctx: Ctx,
    tx: Tx,
    token: str | None,
    user_id: uuid.UUID,
    shown: tuple[str, ...],
    *,
    browser: Browser,
    is_trusted: bool,
) -> SignedIn:
    """Begin the session of the sign-in that waited, in the transaction that used the factor up.

    Errors:  Missing where another request was first: what it used up here comes back.
    """
    taken = await tx.maybe(
        q.factor_challenge_take,
        challenge_sha256=digest(token or ""),
        browser_sha256=digest(token or ""),
        purpose="second",
        now=ctx.now(),
    )
    if taken is None or taken["user_id"] != user_id:
        raise Missing(_WAITING)
    row = await tx.one(q.person_get, user_id=user_id)
    person = person_of(row)
    device = await recognise(ctx, tx, person.user_id, browser=browser)
    if is_trusted:
        until = ctx.now() + timedelta(seconds=TRUST_S)
        await tx.run(q.device_trust, device_id=device.device_id, user_id=person.user_id, trusted_until=until)
    await record(ctx, "auth.signed_in", of="user", id=person.user_id, detail={"by": " ".join(shown)}, tx=tx)
    return await begin_session(ctx, tx, person, device, amr=amr_of(*taken["amr"].split(), *shown))
