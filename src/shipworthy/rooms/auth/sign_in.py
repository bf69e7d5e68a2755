"""Signing in with a password.

A place in the line, read and count (one statement), hash (no connection held), let in. An address
nobody has goes the same way, against a hash that no password makes.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

from shipworthy.kernel.audit.record import entry, record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.edge.networks import network_of
from shipworthy.kernel.errors import Busy, SignInNeeded
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import read_address
from shipworthy.rooms.auth.admit import KnownDevice, Person, SignedIn, begin_session
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import Browser, new_token
from shipworthy.rooms.auth.factors.second import Halfway, ask_second
from shipworthy.rooms.auth.gate.door import caller_of
from shipworthy.rooms.auth.gate.networks import networks_of
from shipworthy.rooms.auth.gate.suspects import watch
from shipworthy.rooms.auth.hashing import HashPool, pool_of
from shipworthy.rooms.auth.letters import tell
from shipworthy.rooms.auth.passwords import normalised
from shipworthy.rooms.auth.throttle import (
    ACCOUNTS_PER_NETWORK_MAX,
    Budget,
    device_budget,
    give_back,
    given_back,
    login_budget,
    purge,
    refuse_for,
    seconds_of,
    window,
)
from shipworthy.rooms.auth.tokens import digest
from shipworthy.rooms.auth.verify import is_right


async def sign_in(ctx: Ctx, *, email: str, password: str, browser: Browser) -> SignedIn | Halfway:
    """Begin a session for whoever knows the password of this address, or ask for their second factor.

    Errors:  Busy `auth.busy`, TooMany `auth.throttled`, SignInNeeded `auth.refused`. Each is the same for
             a wrong password, an unknown address and an account that may not sign in.
    Cost:    three statements (one more where the hash is renewed, two where the owner is told of failures, and
             each hour one for the networks) in two transactions, one of them flushed.
    """
    pool = pool_of(ctx.runtime)
    with pool.ticket(caller_of(ctx.runtime, token=browser.token, client=ctx.client)) as ticket:
        attempt = await _begin(ctx, email, browser)
        knows = await is_right(ctx, password, stored=attempt.stored, budget=attempt.budget, ticket=ticket)
    if not knows or attempt.person is None or attempt.stored is None:
        watch(ctx, browser, account=email, is_right=False)
        await _count_refusal(ctx, attempt)
        raise refused()
    watch(ctx, browser, account=email, is_right=True)
    renewed = await _renewed(pool, password, attempt.stored)
    return await _let_in(ctx, attempt, attempt.person, browser, renewed)


def refused() -> SignInNeeded:
    """Return the refusal of a sign-in, the same whatever was wrong."""
    return SignInNeeded(
        "auth.refused",
        _(
            "That address and password do not belong together. If the account is new, confirm its address first."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """A try that has been counted. `person` is who may come in, if the password is right."""

    row: Record
    user_id: uuid.UUID | None
    person: Person | None
    stored: str | None
    budget: Budget


async def _begin(ctx: Ctx, email: str, browser: Browser) -> _Attempt:
    address = read_address(email)
    account = address.canonical if address else email
    known, strange = (
        device_budget(ctx, account=account, browser=browser),
        login_budget(ctx, account=account),
    )
    async with ctx.begin(_realm(ctx)) as tx:
        await networks_of(ctx.runtime).read_when_due(ctx, tx)
        row = await tx.one(
            q.login_begin,
            email_canon=address.canonical if address else "",
            cookie_sha256=browser.digest,
            device=known.near,
            network=strange.near,
            spread=strange.spread,
            account=strange.wide,
            near_max=strange.near_max,
            spread_max=ACCOUNTS_PER_NETWORK_MAX,
            wide_max=strange.wide_max,
            period=window(ctx),
            now=ctx.now(),
        )
        refuse_for(seconds_of(row["wait"]))
    return _Attempt(
        row=row,
        user_id=row["user_id"],
        person=_person(row) if _may_enter(row) else None,
        stored=row["password_hash"],
        budget=strange if row["device_id"] is None else known,
    )


def _may_enter(row: Record) -> bool:
    return row["status"] == "active" and row["verified_at"] is not None and row["password_hash"] is not None


def _person(row: Record) -> Person:
    return Person(user_id=row["user_id"], email=row["email_raw"], name=row["name"])


async def _count_refusal(ctx: Ctx, attempt: _Attempt) -> None:
    async with ctx.begin(_realm(ctx)) as tx:
        await record(ctx, "auth.sign_in_refused", of="user", id=attempt.user_id or "unknown", tx=tx)
        await purge(ctx, tx)


async def _renewed(pool: HashPool, password: str, stored: str) -> str | None:
    """Return a hash with today's parameters where the stored one is older and there is time for it."""
    if pool.is_outdated(stored):
        with suppress(Busy):
            return await pool.hash(normalised(password))
    return None


async def _let_in(
    ctx: Ctx, attempt: _Attempt, person: Person, browser: Browser, renewed: str | None
) -> SignedIn | Halfway:
    token, now, networks = browser.token or new_token(ctx.runtime), ctx.now(), networks_of(ctx.runtime)
    network = networks.to_write(network_of(ctx.client), now)
    async with ctx.begin(_realm(ctx)) as tx:
        if renewed:
            await tx.run(
                q.credential_renew,
                user_id=person.user_id,
                judged=attempt.stored,
                password_hash=renewed,
                now=now,
            )
        halfway = await ask_second(ctx, tx, person, browser=browser, means=("pwd",), known=attempt.row)
        if halfway is not None:
            await give_back(tx, attempt.budget)
            return halfway
        row = await tx.maybe(
            q.login_accepted,
            judged=renewed or attempt.stored,
            **given_back(attempt.budget),
            network=network,
            device_id=ctx.new_id(),
            user_id=person.user_id,
            cookie_sha256=digest(token),
            name=browser.name,
            now=now,
            **entry(ctx, "auth.signed_in", of="user", id=person.user_id),
        )
        if row is None:  # closed, or given another password, while this one was hashed
            raise refused()
        device = KnownDevice(
            device_id=row["device_id"], token=token, name=browser.name, language=row["language"]
        )
        await _tell_of_failures(ctx, tx, attempt.row, (row["failures"] or 1) - 1, device)
        signed_in = await begin_session(ctx, tx, person, device, amr=("pwd",), entered=row)
    if network is not None:
        networks.written(network, now)
    return signed_in


async def _tell_of_failures(ctx: Ctx, tx: Tx, user: Record, failures: int, device: KnownDevice) -> None:
    """Tell the owner when a stranger got in after as many failures as a whole budget: a guess, or they themselves."""
    if failures >= ctx.runtime.settings.auth.login_failures_max:
        await tell(ctx, tx, "signed_in_after_failures", user=user, what=device.name, tries=failures)


def _realm(ctx: Ctx) -> Scope:
    """The directory, whoever this browser belonged to before."""
    return Scope(ctx.scope.realm_id)
