"""A lost password: a mailed link, good once and for half an hour, sets another one.

Asking tells nothing about an address: the answer, the statements and the job are the same for all.
Looking at the link spends nothing, so neither a mail scanner nor a prefetching browser uses it up;
the form does. Whoever sets a password owns the mailbox: everything that was open is closed then,
and what else opens the account is shown (ways_in.py).
"""

from __future__ import annotations

from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import Address, read_address
from shipworthy.rooms.auth.admit import SignedIn, begin_session, person_of, recognise
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import Browser
from shipworthy.rooms.auth.factors.second import Halfway, ask_second
from shipworthy.rooms.auth.hashing import pool_of
from shipworthy.rooms.auth.letters import tell, write
from shipworthy.rooms.auth.oauth.installed import providers_of
from shipworthy.rooms.auth.passwords import normalised, password_problem
from shipworthy.rooms.auth.recovery.leaving import LEAVING, leaving_words
from shipworthy.rooms.auth.recovery.shut import shut
from shipworthy.rooms.auth.throttle import mail_budget, reserve, sign_up_budget, wait_of
from shipworthy.rooms.auth.tokens import digest

_DEAD = "open link to a new password"


async def ask(ctx: Ctx, email: str) -> None:
    """Mail what helps whoever has this address; the caller is told the same whatever it is.

    Errors:  Invalid `auth.address_invalid`, TooMany `auth.throttled` (this network, whatever the address).
    Cost:    eight statements, whatever the address.
    """
    address = read_address(email)
    if address is None:
        problem = _("Enter an e-mail address like ada@example.com.")
        raise Invalid("auth.address_invalid", _("This is no e-mail address."), fields={"email": problem})
    async with ctx.begin(_realm(ctx)) as tx:
        await reserve(ctx, tx, sign_up_budget(ctx))
        is_too_often = await wait_of(ctx, tx, mail_budget(ctx, account=address.canonical)) > 0
        user = await tx.maybe(q.reset_account, email_canon=address.canonical)
        signing_up = await tx.maybe(q.token_pending, email_canon=address.canonical, now=ctx.now())
        purpose = "nothing" if is_too_often else _purpose(user, signing_up)
        letter = await write(
            ctx,
            tx,
            purpose,
            to=Address(user["email_raw"], address.canonical) if user else address,
            ttl_s=_ttl_s(ctx, user, purpose),
            user_id=user["user_id"] if user else None,
            pending=_words(ctx, user, purpose) if user else None,
        )
        await tx.run(q.token_purge, now=ctx.now())
        await record(ctx, "auth.reset_asked", of="one_time_token", id=letter.token_id, tx=tx)


async def address_of(ctx: Ctx, token: str) -> str | None:
    """Return the address whose password this link would set, or None when it is no longer good."""
    async with ctx.begin(_realm(ctx)) as tx:
        row = await tx.maybe(q.reset_by_hash, token_sha256=digest(token), now=ctx.now())
    return row["email_raw"] if row else None


async def reset(ctx: Ctx, *, token: str, new: str, browser: Browser) -> SignedIn | Halfway:
    """Set the password, close everything that was open, and begin the owner's session, or ask for their second factor.

    Errors:  Missing for a link that is no longer good, Invalid `auth.password_invalid` (field `new`),
             Forbidden `auth.account_closed`, Busy `auth.busy`.
    """
    pool = pool_of(ctx.runtime)
    pool.refuse_when_full()
    async with ctx.begin(_realm(ctx)) as tx:
        user = await tx.maybe(q.reset_by_hash, token_sha256=digest(token), now=ctx.now())
    if user is None:
        raise Missing(_DEAD)
    _check(ctx, new, user)
    password_hash = await pool.hash(normalised(new))
    async with ctx.begin(_realm(ctx)) as tx:
        return await _set(ctx, tx, user, token, password_hash, browser)


async def _set(
    ctx: Ctx, tx: Tx, user: Record, token: str, password_hash: str, browser: Browser
) -> SignedIn | Halfway:
    now, user_id = ctx.now(), user["user_id"]
    if await tx.maybe(q.token_spend, token_sha256=digest(token), purpose="reset", now=now) is None:
        raise Missing(_DEAD)
    person = person_of(await tx.one(q.user_to_prove, email_canon=user["email_canon"]))
    await tx.run(
        q.credential_set, credential_id=ctx.new_id(), user_id=user_id, password_hash=password_hash, now=now
    )
    await shut(ctx, tx, user_id)
    await tell(ctx, tx, "password_reset", user=user)
    await record(ctx, "auth.password_reset", of="user", id=user_id, tx=tx)
    halfway = await ask_second(ctx, tx, person, browser=browser, means=("mail", "pwd"))
    if halfway is not None:
        return halfway
    device = await recognise(ctx, tx, user_id, browser=browser.anew())
    return await begin_session(ctx, tx, person, device, amr=("mail", "pwd"))


def _purpose(user: Record | None, signing_up: Record | None) -> str:
    if user is not None:
        return {"active": "reset", LEAVING: LEAVING}.get(user["status"], "nothing")
    return "reset_unconfirmed" if signing_up is not None else "nothing"


def _ttl_s(ctx: Ctx, user: Record | None, purpose: str) -> int:
    if user is not None and purpose == LEAVING:
        return max(1, int((user["leaves_at"] - ctx.now()).total_seconds()))
    return ctx.runtime.settings.auth.reset_ttl_s


def _words(ctx: Ctx, user: Record, purpose: str) -> dict[str, Any]:
    if purpose == LEAVING:
        return leaving_words(user, user["leaves_at"])
    labels = {p.name: p.label for p in providers_of(ctx.runtime).values()}
    providers = _(" or ").join(labels.get(name, name.capitalize()) for name in user["providers"])
    return {"name": user["name"], "has_password": user["has_password"], "providers": providers}


def _check(ctx: Ctx, new: str, user: Record) -> None:
    settings = ctx.runtime.settings
    problem = password_problem(
        new,
        chars_min=settings.auth.password_chars_min,
        known_words=(user["name"], user["email_raw"], settings.app.name),
    )
    if problem:
        raise Invalid("auth.password_invalid", _("The new password will not do."), fields={"new": problem})


def _realm(ctx: Ctx) -> Scope:
    """The directory, whoever this browser belonged to before."""
    return Scope(ctx.scope.realm_id)
