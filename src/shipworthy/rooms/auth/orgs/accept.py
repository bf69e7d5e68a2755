"""Accepting an invitation. It belongs to the address it was sent to.

Its link reached that mailbox and nobody else, so whoever is new signs up with that very address and
is confirmed at once: link and password come from the same hand. Whoever has an account signs in to
it first; a session of another address is told so and joins nothing.
Source:  GHSA-fmh4-wcc4-5jm3 (invitations accepted by somebody who had not proven the address).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Forbidden, Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import read_address
from shipworthy.rooms.auth.admit import Person, SignedIn, begin_session, recognise
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.confirm import create_person
from shipworthy.rooms.auth.devices import Browser
from shipworthy.rooms.auth.hashing import pool_of
from shipworthy.rooms.auth.names import PERSON_CHARS_MAX, read_name
from shipworthy.rooms.auth.orgs.organisations import refuse_one_more, step_in
from shipworthy.rooms.auth.passwords import normalised, password_problem
from shipworthy.rooms.auth.throttle import reserve, sign_up_budget
from shipworthy.rooms.auth.tokens import digest

PATH = "/invitation"
_DEAD = "open invitation behind this link"


@dataclass(frozen=True, kw_only=True)
class Invited:
    """What an invitation says to whoever opens its link."""

    invitation_id: uuid.UUID
    tenant_id: uuid.UUID
    organisation: str
    inviter: str
    role: str
    email: str
    has_account: bool
    is_for_whom_is_here: bool


async def invited(ctx: Ctx, token: str) -> Invited:
    """Return the invitation behind a link. Errors: Missing."""
    tenant_id = await _tenant_of(ctx, token)
    async with ctx.begin(Scope(ctx.scope.realm_id, tenant_id)) as tx:
        row = await tx.maybe(q.invitation_by_link, token_sha256=digest(token), now=ctx.now())
        if row is None:
            raise Missing(_DEAD)
        user = await tx.maybe(q.user_by_email, email_canon=row["email_canon"])
    here = read_address(ctx.principal.email) if ctx.principal else None
    return Invited(
        invitation_id=row["invitation_id"],
        tenant_id=tenant_id,
        organisation=row["organisation"],
        inviter=row["inviter"] or "",
        role=row["role"],
        email=row["email_raw"],
        has_account=user is not None and user["verified_at"] is not None,
        is_for_whom_is_here=here is not None and here.canonical == row["email_canon"],
    )


async def accept(ctx: Ctx, token: str) -> str:
    """Join as whoever is signed in, and act for the organisation; return the cookie of the renewed session.

    Of twenty at once one joins. Errors: Missing, Forbidden `auth.invitation_other_address`,
    Conflict `auth.organisations_full`.
    """
    tenant_id, user_id = await _tenant_of(ctx, token), ctx.user.user_id
    async with ctx.begin(Scope(ctx.scope.realm_id, tenant_id)) as tx:
        user = await tx.one(q.user_lock, user_id=user_id)
        taken = await _taken(ctx, tx, token)
        if user["email_canon"] != taken["email_canon"] or user["verified_at"] is None:
            raise Forbidden(
                "auth.invitation_other_address",
                _(
                    "This invitation was sent to another address than yours. Sign in with that address to accept it."
                ),
            )
        refuse_one_more(len(await tx.all(q.membership_list, user_id=user_id)))
        await _join(ctx, tx, taken, user_id)
        return await step_in(ctx, tx)


async def sign_up_invited(ctx: Ctx, token: str, *, name: str, password: str, browser: Browser) -> SignedIn:
    """Make an account of the invited address, in the organisation, and begin its session.

    Errors:  Missing, Invalid `auth.sign_up_invalid`, Conflict `auth.already_confirmed`,
             TooMany `auth.throttled`, Busy `auth.busy`.
    """
    invitation = await invited(ctx, token)
    known_as = _checked(ctx, invitation, name=name, password=password)
    pool = pool_of(ctx.runtime)
    pool.refuse_when_full()
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        await reserve(ctx, tx, sign_up_budget(ctx))
    password_hash = await pool.hash(normalised(password))
    person = Person(
        user_id=ctx.new_id(),
        email=invitation.email,
        name=known_as,
        tenant_id=invitation.tenant_id,
        tenant_name=invitation.organisation,
        role=invitation.role,
    )
    async with ctx.begin(Scope(ctx.scope.realm_id, invitation.tenant_id)) as tx:
        taken = await _taken(ctx, tx, token)
        if (user := await tx.maybe(q.user_by_email, email_canon=taken["email_canon"])) is not None:
            if user["verified_at"] is not None:
                raise Conflict(
                    "auth.already_confirmed", _("This address is confirmed already. Sign in with it.")
                )
            # Prepared by somebody who never confirmed the address: they keep nothing.
            await tx.run(q.user_reclaim, user_id=user["user_id"], email_canon=taken["email_canon"])
        await create_person(ctx, tx, person, email_canon=taken["email_canon"], password_hash=password_hash)
        await _join(ctx, tx, taken, person.user_id)
        device = await recognise(ctx, tx, person.user_id, browser=browser.anew())
        await record(ctx, "auth.account_created", of="user", id=person.user_id, tx=tx)
        return await begin_session(ctx, tx, person, device, amr=("mail", "pwd"))


async def invited_with(ctx: Ctx, next: str, *, email_canon: str) -> Invited | None:
    """Return the invitation whose page `next` is, where it was sent to this address and is open; else None."""
    parts = urlsplit(next)
    token = dict(parse_qsl(parts.query)).get("token", "")
    if parts.path != PATH or not token:
        return None
    try:
        invitation = await invited(ctx, token)
    except Missing:
        return None
    sent_to = read_address(invitation.email)
    return invitation if sent_to is not None and sent_to.canonical == email_canon else None


async def join_invited(ctx: Ctx, tx: Tx, invitation: Invited, *, user_id: uuid.UUID) -> None:
    """Let a person who was made in this transaction join, as the invitation says. Errors: Missing."""
    await _join(ctx, tx, await _taken_by_id(ctx, tx, invitation.invitation_id), user_id)


async def _tenant_of(ctx: Ctx, token: str) -> uuid.UUID:
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(q.invitation_tenant, token_sha256=digest(token), now=ctx.now())
    if row is None:
        raise Missing(_DEAD)
    tenant_id: uuid.UUID = row["tenant_id"]
    return tenant_id


async def _taken(ctx: Ctx, tx: Tx, token: str) -> Record:
    """Use the invitation up, in the organisation's own transaction. Errors: Missing."""
    row = await tx.maybe(q.invitation_by_link, token_sha256=digest(token), now=ctx.now())
    if row is None:
        raise Missing(_DEAD)
    return await _taken_by_id(ctx, tx, row["invitation_id"])


async def _taken_by_id(ctx: Ctx, tx: Tx, invitation_id: uuid.UUID) -> Record:
    taken = await tx.maybe(q.invitation_take, invitation_id=invitation_id, now=ctx.now())
    if taken is None:
        raise Missing(_DEAD)
    return taken


async def _join(ctx: Ctx, tx: Tx, taken: Record, user_id: uuid.UUID) -> None:
    """Who is in it already keeps the role they have."""
    role, at = taken["role"], ctx.now()
    await tx.run(q.membership_create, tenant_id=tx.scope.tenant_id, user_id=user_id, role=role, now=at)
    await record(
        ctx,
        "auth.invitation_accepted",
        of="invitation",
        id=taken["invitation_id"],
        detail={"user_id": str(user_id), "role": role},
        tx=tx,
    )


def _checked(ctx: Ctx, invitation: Invited, *, name: str, password: str) -> str:
    known_as = read_name(name, chars_max=PERSON_CHARS_MAX)
    weakness = password_problem(
        password,
        chars_min=ctx.runtime.settings.auth.password_chars_min,
        known_words=(name, invitation.organisation, invitation.email, ctx.runtime.settings.app.name),
    )
    problems = {
        "name": None
        if known_as
        else _("Enter your name, at most {count} characters.", count=PERSON_CHARS_MAX),
        "password": weakness,
    }
    wrong = {field: problem for field, problem in problems.items() if problem}
    if wrong or known_as is None:
        raise Invalid("auth.sign_up_invalid", _("Some entries need another value."), fields=wrong)
    return known_as
