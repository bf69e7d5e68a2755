"""Signing up: nothing but a mail comes of it until the address is confirmed (see confirm.py)."""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import Address, read_address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.hashing import pool_of
from shipworthy.rooms.auth.names import ORGANISATION_CHARS_MAX, PERSON_CHARS_MAX, read_name
from shipworthy.rooms.auth.offer import offer
from shipworthy.rooms.auth.passwords import normalised, password_problem
from shipworthy.rooms.auth.throttle import reserve, sign_up_budget


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A sign-up whose every field is in order."""

    name: str
    organisation: str
    address: Address
    password: str


def read_sign_up(ctx: Ctx, *, name: str, organisation: str, email: str, password: str) -> Wanted:
    """Return the sign-up. Errors: Invalid `auth.sign_up_invalid`, naming every field that is not in order."""
    person = read_name(name, chars_max=PERSON_CHARS_MAX)
    company = read_name(organisation, chars_max=ORGANISATION_CHARS_MAX)
    address = read_address(email)
    weakness = password_problem(
        password,
        chars_min=ctx.runtime.settings.auth.password_chars_min,
        known_words=(name, organisation, email, ctx.runtime.settings.app.name),
    )
    problems = {
        "name": None if person else _("Enter your name, at most {count} characters.", count=PERSON_CHARS_MAX),
        "organisation": None
        if company
        else _("Enter its name, at most {count} characters.", count=ORGANISATION_CHARS_MAX),
        "email": None if address else _("Enter an e-mail address like ada@example.com."),
        "password": weakness,
    }
    wrong = {field: problem for field, problem in problems.items() if problem}
    if wrong or not (person and company and address):
        raise Invalid("auth.sign_up_invalid", _("Some entries need another value."), fields=wrong)
    return Wanted(name=person, organisation=company, address=address, password=password)


async def sign_up(ctx: Ctx, wanted: Wanted) -> None:
    """Mail a link that makes the account; somebody who has one already is told so by mail.

    Sending it again mails again and makes nothing twice: an address has one account.
    Errors:  Busy `auth.busy`, TooMany `auth.throttled` (this network, whatever the address).
    """
    pool = pool_of(ctx.runtime)
    pool.refuse_when_full()
    realm = Scope(ctx.scope.realm_id)
    async with ctx.begin(realm) as tx:
        await reserve(ctx, tx, sign_up_budget(ctx))
    password_hash = await pool.hash(normalised(wanted.password))
    pending = {
        "name": wanted.name,
        "organisation": wanted.organisation,
        "password_hash": password_hash,
    }
    async with ctx.begin(realm) as tx:
        await offer(ctx, tx, wanted.address, pending=pending)


async def mail_again(ctx: Ctx, email: str) -> None:
    """Mail the link of an open sign-up again; the caller is told the same whatever the address.

    Errors:  Invalid `auth.address_invalid`, TooMany `auth.throttled`.
    """
    address = read_address(email)
    if address is None:
        problem = _("Enter an e-mail address like ada@example.com.")
        raise Invalid("auth.address_invalid", _("This is no e-mail address."), fields={"email": problem})
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        await reserve(ctx, tx, sign_up_budget(ctx))
        row = await tx.maybe(q.token_pending, email_canon=address.canonical, now=ctx.now())
        if row:  # write to the address as it was signed up with, not as it is typed now
            address = Address(row["email_raw"], address.canonical)
        await offer(ctx, tx, address, pending=row["pending"] if row else None)
