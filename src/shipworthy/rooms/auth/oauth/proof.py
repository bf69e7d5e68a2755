"""Proving an account or a mailbox before an identity may open it.

The identity waits in a row that only this browser can name. A code goes to the stored address, and
an identity whose provider vouches for the address may give the account's password instead. For an
address nobody vouches for, an account that exists and one that does not look the same: whoever
types it learns nothing, and whoever gets the mail unasked has nothing to press.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing, SignInNeeded
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import Address
from shipworthy.rooms.auth.admit import SignedIn, begin_session, person_of, recognise
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import Browser
from shipworthy.rooms.auth.factors.second import Halfway, ask_second
from shipworthy.rooms.auth.letters import tell, write
from shipworthy.rooms.auth.oauth.identities import attach, make_account
from shipworthy.rooms.auth.oauth.providers import Identity, Provider
from shipworthy.rooms.auth.throttle import (
    Budget,
    give_back,
    login_budget,
    mail_budget,
    proof_budget,
    reserve,
)
from shipworthy.rooms.auth.tokens import digest, is_code
from shipworthy.rooms.auth.verify import is_right

COOKIE = "proof"
TTL_S = 600


class Waiting:
    """What the page shows of an identity that waits."""

    def __init__(self, row: Record) -> None:
        pending = row["pending"]
        self.token_id: uuid.UUID = row["token_id"]
        self.email: str = pending["identity"]["email"]
        self.canonical: str = row["email_canon"]
        self.provider: str = pending["provider"]
        self.label: str = pending["label"]
        self.takes_password: bool = pending["takes_password"]
        self.identity = Identity(**pending["identity"])


async def ask(ctx: Ctx, provider: Provider, identity: Identity, address: Address) -> str:
    """Let an identity wait, mail its code, and return the token for the cookie.

    Errors:  TooMany `auth.throttled`.
    Cost:    six statements, whether there is an account or not.
    """
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        await reserve(ctx, tx, mail_budget(ctx, account=address.canonical))
        user = await tx.maybe(q.user_to_prove, email_canon=address.canonical)
        has_password = user is not None and user["password_hash"] is not None
        letter = await write(
            ctx,
            tx,
            "identity_code",
            to=Address(user["email_raw"], address.canonical) if user else address,
            ttl_s=TTL_S,
            pending={
                "provider": provider.name,
                "label": provider.label,
                "identity": asdict(identity),
                "takes_password": has_password and identity.is_email_verified,
            },
        )
        await record(ctx, "auth.proof_asked", of="one_time_token", id=letter.token_id, tx=tx)
    return letter.token


async def waiting(ctx: Ctx, token: str | None) -> Waiting:
    """Return the identity that waits in this browser. Errors: Missing."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(
            q.proof_by_hash, token_sha256=digest(token or ""), purpose="identity_code", now=ctx.now()
        )
    if row is None:
        raise Missing("sign-in waiting in this browser")
    return Waiting(row)


async def prove(
    ctx: Ctx, token: str | None, *, code: str, password: str, browser: Browser
) -> SignedIn | Halfway:
    """Link the identity that waits to the account just proven, or make one, and begin its session.

    An account with a second factor asks for it first, and its owner links the identity from within.
    Errors:  Missing, SignInNeeded `auth.proof_wrong`, TooMany `auth.throttled`, Busy `auth.busy`,
             Forbidden `auth.account_closed`, Conflict `auth.identity_taken`.
    """
    waits = await waiting(ctx, token)
    is_by_password = bool(password) and waits.takes_password
    budgets = [proof_budget(ctx, token_id=waits.token_id)]
    if is_by_password:
        budgets.append(login_budget(ctx, account=waits.canonical))
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        for budget in budgets:
            await reserve(ctx, tx, budget)
        user = await tx.maybe(q.user_to_prove, email_canon=waits.canonical)
    if not await _is_proven(ctx, waits, user, code, password if is_by_password else "", budgets[-1]):
        raise SignInNeeded(
            "auth.proof_wrong", _("That is not right, or no longer. Use the latest mail, or begin again.")
        )
    address = Address(user["email_raw"] if user else waits.email, waits.canonical)
    if user is not None and user["verified_at"] is not None:
        means = "pwd" if is_by_password else "mail"
        return await _link(ctx, waits, user, budgets[1:], means, browser)
    await _use(ctx, waits)
    return await make_account(ctx, waits.provider, waits.identity, address, unproven=user, browser=browser)


async def _is_proven(
    ctx: Ctx, waits: Waiting, user: Record | None, code: str, password: str, budget: Budget
) -> bool:
    if password:
        return await is_right(ctx, password, stored=user["password_hash"] if user else None, budget=budget)
    return is_code(ctx.runtime.signing_key, code, realm_id=ctx.scope.realm_id, token_id=waits.token_id)


async def _link(
    ctx: Ctx, waits: Waiting, user: Record, budgets: list[Budget], means: str, browser: Browser
) -> SignedIn | Halfway:
    person = person_of(user)
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        if await tx.maybe(q.proof_use, token_id=waits.token_id, now=ctx.now()) is None:
            raise Missing("sign-in waiting in this browser")
        for budget in budgets:
            await give_back(tx, budget)
        halfway = await ask_second(ctx, tx, person, browser=browser, means=(means,))
        if halfway is not None:
            return halfway
        await attach(ctx, tx, waits.provider, waits.identity, user_id=person.user_id)
        owner = {**dict(user), "email_canon": waits.canonical}
        await tell(ctx, tx, "identity_linked", user=owner, provider=waits.label)
        device = await recognise(ctx, tx, person.user_id, browser=browser.anew())
        await record(
            ctx,
            "auth.identity_linked",
            of="user",
            id=person.user_id,
            detail={"provider": waits.provider},
            tx=tx,
        )
        return await begin_session(ctx, tx, person, device, amr=(means, "fed"))


async def _use(ctx: Ctx, waits: Waiting) -> None:
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        if await tx.maybe(q.proof_use, token_id=waits.token_id, now=ctx.now()) is None:
            raise Missing("sign-in waiting in this browser")
