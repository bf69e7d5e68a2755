"""What happens once a password was right: the browser is known, a session begins."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Forbidden
from shipworthy.kernel.language import _
from shipworthy.kernel.sessions.store import NewSession
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import Browser, new_token
from shipworthy.rooms.auth.tokens import digest


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who signs in, and for which organisation."""

    user_id: uuid.UUID
    email: str
    name: str
    tenant_id: uuid.UUID | None = None  # known once the session begins, as is what follows
    tenant_name: str = ""
    role: str | None = None


@dataclass(frozen=True, kw_only=True)
class KnownDevice:
    """A browser that is remembered, by the token in its cookie."""

    device_id: uuid.UUID
    token: str
    name: str
    language: str  # the one its person chose on their account, if they did


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A session that has begun, with what the browser is to keep. `joined` names an organisation joined with it."""

    person: Person
    session_token: str
    device: KnownDevice
    joined: str = ""


async def recognise(ctx: Ctx, tx: Tx, user_id: uuid.UUID, *, browser: Browser) -> KnownDevice:
    """Remember the browser, in the transaction of the sign-in. One without a cookie of ours gets one.

    Errors:  Forbidden `auth.account_closed` when the account was closed meanwhile.
    """
    token = browser.token or new_token(ctx.runtime)
    row = await tx.maybe(
        q.device_remember,
        device_id=ctx.new_id(),
        user_id=user_id,
        cookie_sha256=digest(token),
        name=browser.name,
        now=ctx.now(),
    )
    if row is None:
        raise _closed()
    return KnownDevice(device_id=row["device_id"], token=token, name=browser.name, language=row["language"])


def person_of(row: Record) -> Person:
    """Return who may come in. Errors: Forbidden `auth.account_closed`."""
    if row["status"] != "active" or row["verified_at"] is None:
        raise _closed()
    return Person(
        user_id=row["user_id"],
        email=row["email_raw"],
        name=row["name"],
        tenant_id=row["tenant_id"],
        tenant_name=row["tenant_name"] or "",
        role=row["role"],
    )


async def begin_session(
    ctx: Ctx,
    tx: Tx,
    person: Person,
    device: KnownDevice,
    *,
    amr: tuple[str, ...],
    entered: Record | None = None,
) -> SignedIn:
    """Begin the session, in the transaction of the sign-in; `amr` says how its person was recognised.

    Whoever lets somebody in asks first whether they have a second factor (factors/second.py). It begins
    for the organisation that was entered last. That membership is held until the transaction ends, so
    that whoever removes it finds this session. `entered` is for who has looked it up and holds it.
    """
    row = entered or await tx.maybe(q.membership_to_enter, user_id=person.user_id)
    person = replace(
        person,
        tenant_id=row["tenant_id"] if row else None,
        tenant_name=(row["tenant_name"] if row else None) or "",
        role=row["role"] if row else None,
    )
    token = await ctx.runtime.sessions.create(
        NewSession(
            user_id=person.user_id,
            device_id=device.device_id,
            device_name=device.name,
            email=person.email,
            name=person.name,
            tenant_id=person.tenant_id,
            tenant_name=person.tenant_name,
            role=person.role,
            amr=amr,
            language=device.language,
        ),
        tx=tx,
    )
    return SignedIn(person=person, session_token=token, device=device)


def _closed() -> Forbidden:
    return Forbidden(
        "auth.account_closed", _("This account cannot be signed in to. Ask whoever runs this app.")
    )
