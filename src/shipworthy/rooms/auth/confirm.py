"""Confirming an address: the mailed link and the password of the sign-up, together, make the account.

The link alone is not enough. Somebody else may have signed up with this address and a password of
their own, and wait for its owner to press the button; without the password the owner presses in
vain, and without the link nobody else does.
"""

from __future__ import annotations

from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Missing, SignInNeeded
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.admit import Person, SignedIn, begin_session, recognise
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import Browser
from shipworthy.rooms.auth.hashing import pool_of
from shipworthy.rooms.auth.orgs.organisations import make
from shipworthy.rooms.auth.throttle import give_back, login_budget, reserve
from shipworthy.rooms.auth.tokens import digest
from shipworthy.rooms.auth.verify import is_right


async def address_to_confirm(ctx: Ctx, token: str) -> str | None:
    """Return the address a link would confirm, or None when it is used, too old or was never one."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(q.token_by_hash, token_sha256=digest(token), now=ctx.now())
    return row["email_raw"] if row else None


async def confirm(ctx: Ctx, *, token: str, password: str, browser: Browser) -> SignedIn:
    """Make the account, its organisation and its owner, and begin the owner's session.

    Errors:  Missing for a link that is no longer good, SignInNeeded `auth.confirm_refused`,
             Conflict `auth.already_confirmed`, TooMany `auth.throttled`, Busy `auth.busy`.
    """
    pool_of(ctx.runtime).refuse_when_full()
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(q.token_by_hash, token_sha256=digest(token), now=ctx.now())
        if row is None:
            raise Missing("open sign-up behind this link")
        budget = login_budget(ctx, account=str(row["token_id"]))
        await reserve(ctx, tx, budget)
    if not await is_right(ctx, password, stored=row["pending"]["password_hash"], budget=budget):
        raise SignInNeeded(
            "auth.confirm_refused",
            _(
                "This is not the password chosen with this sign-up. If you signed up more than once, use the latest mail."
            ),
        )
    person = _owner(ctx, row)
    assert person.tenant_id is not None
    async with ctx.begin(Scope(ctx.scope.realm_id, person.tenant_id)) as tx:
        await create_account(
            ctx, tx, person, email_canon=row["email_canon"], password_hash=row["pending"]["password_hash"]
        )
        await give_back(tx, budget)
        device = await recognise(ctx, tx, person.user_id, browser=browser.anew())
        await record(ctx, "auth.account_created", of="user", id=person.user_id, tx=tx)
        return await begin_session(ctx, tx, person, device, amr=("mail", "pwd"))


def _owner(ctx: Ctx, row: Record) -> Person:
    return Person(
        user_id=ctx.new_id(),
        email=row["email_raw"],
        name=row["pending"]["name"],
        tenant_id=ctx.new_id(),
        tenant_name=row["pending"]["organisation"],
        role="owner",
    )


async def create_account(
    ctx: Ctx, tx: Tx, owner: Person, *, email_canon: str, password_hash: str | None
) -> None:
    """Make the person as `create_person` does, and their organisation. Errors: Conflict `auth.already_confirmed`."""
    await create_person(ctx, tx, owner, email_canon=email_canon, password_hash=password_hash)
    await make(ctx, tx, name=owner.tenant_name, owner_id=owner.user_id)


async def create_person(
    ctx: Ctx, tx: Tx, person: Person, *, email_canon: str, password_hash: str | None
) -> None:
    """Make the person, with a confirmed address, and, where there is one, their password; open sign-ups end.

    Errors:  Conflict `auth.already_confirmed`.
    """
    now = ctx.now()
    # The address decides who is first: links used at the same moment wait here for one another.
    is_first = await tx.maybe(
        q.user_create,
        user_id=person.user_id,
        email_raw=person.email,
        email_canon=email_canon,
        name=person.name,
        now=now,
    )
    if not is_first:
        raise Conflict("auth.already_confirmed", _("This address is confirmed already. Sign in with it."))
    await tx.run(q.token_use, email_canon=email_canon, now=now)
    if password_hash is not None:
        await tx.run(q.credential_create, **_credential(ctx, person, password_hash))


def _credential(ctx: Ctx, person: Person, password_hash: str) -> dict[str, Any]:
    return {
        "credential_id": ctx.new_id(),
        "user_id": person.user_id,
        "password_hash": password_hash,
        "now": ctx.now(),
    }
