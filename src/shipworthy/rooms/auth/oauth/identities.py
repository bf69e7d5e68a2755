"""Whose account an identity opens.

An identity is issuer, subject and directory; an address is never a key. Where an address meets an
account that exists, its owner proves the account first (see proof.py); where the provider does not
vouch for the address, its mailbox answers first. What nobody ever confirmed is nobody's.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Forbidden, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import Address, read_address
from shipworthy.rooms.auth.admit import Person, SignedIn, begin_session, person_of, recognise
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.confirm import create_account, create_person
from shipworthy.rooms.auth.devices import Browser
from shipworthy.rooms.auth.factors.second import Halfway, ask_second
from shipworthy.rooms.auth.letters import tell
from shipworthy.rooms.auth.names import PERSON_CHARS_MAX, read_name
from shipworthy.rooms.auth.oauth.providers import Identity, Provider
from shipworthy.rooms.auth.orgs.accept import Invited, invited_with, join_invited
from shipworthy.rooms.auth.renewal import renew


class ProofNeeded(Exception):
    """The identity may come in once its owner has proven an account or a mailbox: `address`."""

    def __init__(self, address: Address) -> None:
        self.address = address
        super().__init__("a proof is needed")


async def sign_in(
    ctx: Ctx, provider: Provider, identity: Identity, *, browser: Browser, next: str = ""
) -> SignedIn | Halfway:
    """Begin a session in the account this identity opens; make one where the provider vouches for the address.

    Whoever came by an invitation to that address (`next` is its page) is made in its organisation.
    Errors:  ProofNeeded, Forbidden `auth.oauth_no_address` or `auth.account_closed`,
             Conflict `auth.already_confirmed`.
    """
    known = await _known(ctx, provider, identity, browser)
    if known is not None:
        return known
    address = _address(provider, identity)
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        user = await tx.maybe(q.user_to_prove, email_canon=address.canonical)
    if not identity.is_email_verified or (user is not None and user["verified_at"] is not None):
        raise ProofNeeded(address)
    invitation = await invited_with(ctx, next, email_canon=address.canonical)
    try:
        return await make_account(
            ctx, provider.name, identity, address, unproven=user, browser=browser, invitation=invitation
        )
    except Conflict:  # the same person, a moment earlier in another tab
        if again := await _known(ctx, provider, identity, browser):
            return again
        raise


async def make_account(
    ctx: Ctx,
    provider: str,
    identity: Identity,
    address: Address,
    *,
    unproven: Record | None,
    browser: Browser,
    invitation: Invited | None = None,
) -> SignedIn:
    """Make an account for somebody who owns this mailbox, and begin their session.

    An account with this address that was never confirmed goes first, with every way into it: who
    prepared it keeps nothing. Errors: Conflict `auth.already_confirmed`, Missing for an invitation that
    was used or taken back meanwhile.
    """
    name = read_name(identity.name, chars_max=PERSON_CHARS_MAX) or address.raw.partition("@")[0]
    person = Person(
        user_id=ctx.new_id(),
        email=address.raw,
        name=name,
        tenant_id=invitation.tenant_id if invitation else ctx.new_id(),
        tenant_name=invitation.organisation if invitation else f"{name}'s organisation",
        role=invitation.role if invitation else "owner",
    )
    if unproven is not None:
        await ctx.runtime.sessions.revoke_others(unproven["user_id"], keep=None)
    async with ctx.begin(Scope(ctx.scope.realm_id, person.tenant_id)) as tx:
        if unproven is not None:
            await tx.run(q.user_reclaim, user_id=unproven["user_id"], email_canon=address.canonical)
        if invitation is None:
            await create_account(ctx, tx, person, email_canon=address.canonical, password_hash=None)
        else:
            await create_person(ctx, tx, person, email_canon=address.canonical, password_hash=None)
            await join_invited(ctx, tx, invitation, user_id=person.user_id)
        await attach(ctx, tx, provider, identity, user_id=person.user_id)
        device = await recognise(ctx, tx, person.user_id, browser=browser.anew())
        await record(
            ctx, "auth.account_created", of="user", id=person.user_id, detail={"provider": provider}, tx=tx
        )
        begun = await begin_session(ctx, tx, person, device, amr=("fed",))
    return replace(begun, joined=invitation.organisation if invitation else "")


async def link(ctx: Ctx, provider: Provider, identity: Identity) -> str:
    """Let an identity open the account of whoever is signed in; return the cookie of the renewed session.

    Errors:  Conflict `auth.identity_taken`.
    """
    async with ctx.begin() as tx:
        user = await tx.one(q.user_lock, user_id=ctx.user.user_id)
        await attach(ctx, tx, provider.name, identity, user_id=ctx.user.user_id)
        await tell(ctx, tx, "identity_linked", user=user, provider=provider.label)
        await record(
            ctx,
            "auth.identity_linked",
            of="user",
            id=ctx.user.user_id,
            detail={"provider": provider.name},
            tx=tx,
        )
        return await renew(ctx, tx)


async def unlink(ctx: Ctx, identity_id: uuid.UUID) -> None:
    """Let an identity no longer open the account.

    Errors:  Missing, Conflict `auth.identity_last` when nothing else opens it.
    """
    async with ctx.begin() as tx:
        user = await tx.one(q.user_lock, user_id=ctx.user.user_id)
        if identity_id not in {
            row["identity_id"] for row in await tx.all(q.identity_list, user_id=ctx.user.user_id)
        }:
            raise Missing("linked sign-in")
        gone = await tx.maybe(q.identity_unlink, identity_id=identity_id, user_id=ctx.user.user_id)
        if gone is None:
            raise Conflict(
                "auth.identity_last", _("This is the only way into your account. Link another one first.")
            )
        provider: str = gone["provider"]
        await tell(ctx, tx, "identity_removed", user=user, provider=provider)
        await record(
            ctx, "auth.identity_removed", of="user", id=ctx.user.user_id, detail={"provider": provider}, tx=tx
        )


async def record_asked(ctx: Ctx, provider: Provider) -> None:
    """Record that somebody went off to link an identity; the link itself is another row."""
    async with ctx.begin() as tx:
        await record(
            ctx,
            "auth.identity_asked",
            of="user",
            id=ctx.user.user_id,
            detail={"provider": provider.name},
            tx=tx,
        )


async def attach(ctx: Ctx, tx: Tx, provider: str, identity: Identity, *, user_id: uuid.UUID) -> None:
    """Write the link. One that is there already stays. Errors: Conflict `auth.identity_taken`."""
    linked = await tx.maybe(
        q.identity_link,
        identity_id=ctx.new_id(),
        user_id=user_id,
        provider=provider,
        issuer=identity.issuer,
        subject=identity.subject,
        directory=identity.directory,
        email=identity.email,
        now=ctx.now(),
    )
    if linked is None:
        row = await tx.maybe(q.identity_account, **_key(identity))
        if row is None or row["user_id"] != user_id:
            raise Conflict(
                "auth.identity_taken", _("That sign-in opens another account already. Remove it there first.")
            )


async def _known(
    ctx: Ctx, provider: Provider, identity: Identity, browser: Browser
) -> SignedIn | Halfway | None:
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(q.identity_account, **_key(identity))
        if row is None:
            return None
        person = person_of(row)
        if not ctx.runtime.settings.auth.providers[provider.name].second_factor_trusted:
            halfway = await ask_second(ctx, tx, person, browser=browser, means=("fed",))
            if halfway is not None:
                return halfway
        device = await recognise(ctx, tx, person.user_id, browser=browser)
        await record(
            ctx, "auth.signed_in", of="user", id=person.user_id, detail={"provider": provider.name}, tx=tx
        )
        return await begin_session(ctx, tx, person, device, amr=("fed",))


def _key(identity: Identity) -> dict[str, Any]:
    return {"issuer": identity.issuer, "subject": identity.subject, "directory": identity.directory}


def _address(provider: Provider, identity: Identity) -> Address:
    address = read_address(identity.email)
    if address is None:
        raise Forbidden(
            "auth.oauth_no_address",
            _(
                "{provider} did not tell your e-mail address, and an account needs one. Allow it there, or sign up with a password.",
                provider=provider.label,
            ),
        )
    return address
