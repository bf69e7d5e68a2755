"""A person's passkeys: made, listed, named, taken away, and shown.

A question lives in a row until its answer comes, once, from the browser it was asked in and for the purpose
it was asked for. A passkey whose counter went back is refused and its owner told: it may have been copied.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Forbidden, Invalid, Missing, SignInNeeded
from shipworthy.kernel.language import _
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.auth.admit import SignedIn, begin_session, person_of, recognise
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import Browser
from shipworthy.rooms.auth.factors import webauthn
from shipworthy.rooms.auth.factors.changes import Changed, added, removed
from shipworthy.rooms.auth.factors.means import amr_of
from shipworthy.rooms.auth.factors.proving import proven
from shipworthy.rooms.auth.factors.second import let_in, waiting
from shipworthy.rooms.auth.letters import tell
from shipworthy.rooms.auth.names import read_name
from shipworthy.rooms.auth.tokens import digest

COOKIE = "passkey"
TTL_S = 600
PASSKEYS_MAX = 20  # of one person
NAME_CHARS_MAX = 100
SHOWN = ("pop", "user")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the browser is asked, and the token by which it is known when it answers."""

    asked: dict[str, Any]
    token: str


async def ask_to_register(ctx: Ctx, token: str | None) -> Question:
    """Errors: Conflict `auth.passkeys_full`."""
    async with ctx.begin() as tx:
        rows = await tx.all(q.passkey_list, user_id=ctx.user.user_id)
    if len(rows) >= PASSKEYS_MAX:
        raise Conflict(
            "auth.passkeys_full",
            _("You have {count} passkeys already. Remove one first.", count=PASSKEYS_MAX),
        )
    party, challenge = webauthn.party_of(ctx), secrets.token_bytes(32)
    asked = webauthn.questions_to_register(
        party,
        challenge,
        user_id=ctx.user.user_id,
        email=ctx.user.email,
        name=ctx.user.name,
        known=[row["credential_id"] for row in rows],
    )
    return Question(asked=asked, token=await _keep(ctx, "register", challenge, token, ctx.user.user_id))


async def ask_to_sign_in(ctx: Ctx, token: str | None) -> Question:
    """Ask for any passkey of this host: who it is, it tells itself."""
    challenge = secrets.token_bytes(32)
    asked = webauthn.questions_to_prove(webauthn.party_of(ctx), challenge, allowed=[])
    return Question(asked=asked, token=await _keep(ctx, "sign_in", challenge, token, None))


async def ask_for_second(ctx: Ctx, token: str | None, *, second_token: str | None) -> Question:
    """Errors: Missing where no sign-in waits in this browser."""
    waits = await waiting(ctx, second_token)
    return await _ask_of(ctx, "second_passkey", token, waits.user_id)


async def ask_to_confirm(ctx: Ctx, token: str | None) -> Question:
    return await _ask_of(ctx, "confirm", token, ctx.user.user_id)


async def register(ctx: Ctx, token: str | None, answer: str, *, name: str) -> Changed:
    """Add the passkey that was made. Errors: Invalid `auth.passkey_refused`, Conflict `auth.passkeys_full`."""
    try:
        said, challenge = webauthn.read_answer(answer)
        await _take(ctx, "register", challenge, token, ctx.user.user_id)
        party = webauthn.party_of(ctx)
        key = webauthn.read_registration(party, challenge, said)
    except webauthn.AnswerRefused as refused:
        _log(ctx, refused)
        raise Invalid(
            "auth.passkey_refused", _("That passkey could not be verified. Nothing was changed; try again.")
        ) from None
    async with ctx.begin() as tx:
        user = await tx.one(q.user_lock, user_id=ctx.user.user_id)
        known_as = read_name(name, chars_max=NAME_CHARS_MAX) or "Passkey"
        row = await tx.maybe(
            q.passkey_create,
            passkey_id=ctx.new_id(),
            user_id=ctx.user.user_id,
            rp_id=party.rp_id,
            credential_id=key.credential_id,
            public_key=key.public_key,
            sign_count=key.sign_count,
            name=known_as,
            now=ctx.now(),
            passkeys_max=PASSKEYS_MAX,
        )
        if row is None:
            raise Conflict(
                "auth.passkeys_full", _("This passkey is here already, or you have too many of them.")
            )
        return await added(ctx, tx, user, _("the passkey “{name}”", name=known_as), "auth.passkey_added")


async def rename(ctx: Ctx, passkey_id: uuid.UUID, name: str) -> None:
    """Errors: Missing, Invalid `auth.name_invalid`."""
    known_as = read_name(name, chars_max=NAME_CHARS_MAX)
    if known_as is None:
        problem = _("Name the passkey, in at most {count} characters.", count=NAME_CHARS_MAX)
        raise Invalid("auth.name_invalid", problem)
    async with ctx.begin() as tx:
        if not await tx.run(q.passkey_rename, passkey_id=passkey_id, user_id=ctx.user.user_id, name=known_as):
            raise Missing("passkey")
        await record(ctx, "auth.passkey_renamed", of="passkey", id=passkey_id, tx=tx)


async def remove(ctx: Ctx, passkey_id: uuid.UUID) -> Changed:
    """Errors: Missing."""
    async with ctx.begin() as tx:
        user = await tx.one(q.user_lock, user_id=ctx.user.user_id)
        gone = await tx.maybe(q.passkey_remove, passkey_id=passkey_id, user_id=ctx.user.user_id)
        if gone is None:
            raise Missing("passkey")
        return await removed(
            ctx, tx, user, _("The passkey “{name}”", name=gone["name"]), "auth.passkey_removed"
        )


async def sign_in(ctx: Ctx, token: str | None, answer: str, *, browser: Browser) -> SignedIn:
    """Begin a session for whoever holds a passkey and is verified by it: two factors in one.

    Errors:  SignInNeeded `auth.passkey_wrong`, Forbidden `auth.passkey_copied` or `auth.account_closed`.
    Cost:    no password hash, and no place in the queue for one.
    """
    key, count = await _proof(ctx, "sign_in", token, answer, None)
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        if await tx.maybe(q.passkey_used, passkey_id=key["passkey_id"], sign_count=count, now=ctx.now()):
            row = await tx.one(q.person_get, user_id=key["user_id"])
            person = person_of(row)
            device = await recognise(ctx, tx, person.user_id, browser=browser)
            await record(ctx, "auth.signed_in", of="user", id=person.user_id, detail={"by": "passkey"}, tx=tx)
            return await begin_session(ctx, tx, person, device, amr=amr_of(*SHOWN))
    raise await _copied(ctx, key)


async def finish_second(
    ctx: Ctx, token: str | None, answer: str, *, second_token: str | None, browser: Browser, is_trusted: bool
) -> SignedIn:
    """Finish the second step of a sign-in with a passkey. Errors: Missing, and those of `sign_in`."""
    waits = await waiting(ctx, second_token)
    key, count = await _proof(ctx, "second_passkey", token, answer, waits.user_id)
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        if await tx.maybe(q.passkey_used, passkey_id=key["passkey_id"], sign_count=count, now=ctx.now()):
            return await let_in(
                ctx, tx, second_token, waits.user_id, SHOWN, browser=browser, is_trusted=is_trusted
            )
    raise await _copied(ctx, key)


async def confirm(ctx: Ctx, token: str | None, answer: str) -> str:
    """Prove with a passkey that it is still the same person; return the cookie of the renewed session."""
    key, count = await _proof(ctx, "confirm", token, answer, ctx.user.user_id)
    async with ctx.begin() as tx:
        if await tx.maybe(q.passkey_used, passkey_id=key["passkey_id"], sign_count=count, now=ctx.now()):
            return await proven(ctx, tx, *SHOWN)
    raise await _copied(ctx, key)


async def _ask_of(ctx: Ctx, purpose: str, token: str | None, user_id: uuid.UUID) -> Question:
    party, challenge = webauthn.party_of(ctx), secrets.token_bytes(32)
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        rows = await tx.all(q.passkey_list, user_id=user_id)
    allowed = [row["credential_id"] for row in rows if row["rp_id"] == party.rp_id]
    asked = webauthn.questions_to_prove(party, challenge, allowed=allowed)
    return Question(asked=asked, token=await _keep(ctx, purpose, challenge, token, user_id))


async def _keep(
    ctx: Ctx, purpose: str, challenge: bytes, token: str | None, user_id: uuid.UUID | None
) -> str:
    """Let a question wait for its answer. Cost: two statements, no disk flush."""
    browser = token or secrets.token_urlsafe(32)
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        await tx.run(
            q.factor_challenge_create,
            challenge_sha256=_digest(challenge),
            browser_sha256=digest(browser),
            purpose=purpose,
            user_id=user_id,
            device_id=None,
            amr="",
            expires_at=ctx.now() + timedelta(seconds=TTL_S),
        )
        await tx.run(q.factor_challenge_purge, now=ctx.now())
    return browser


async def _take(
    ctx: Ctx, purpose: str, challenge: bytes, token: str | None, user_id: uuid.UUID | None
) -> None:
    """Errors: AnswerRefused where this was not asked here, for this, of this person, or was answered."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        taken = await tx.maybe(
            q.factor_challenge_take,
            challenge_sha256=_digest(challenge),
            browser_sha256=digest(token or ""),
            purpose=purpose,
            now=ctx.now(),
        )
    if taken is None or taken["user_id"] != user_id:
        raise webauthn.AnswerRefused("not asked here, too late, or answered before")


async def _proof(
    ctx: Ctx, purpose: str, token: str | None, answer: str, user_id: uuid.UUID | None
) -> tuple[Record, int]:
    """Return the passkey that answered and its counter. Errors: SignInNeeded `auth.passkey_wrong`."""
    try:
        said, challenge = webauthn.read_answer(answer)
        await _take(ctx, purpose, challenge, token, user_id)
        credential_id, handle = webauthn.credential_id_of(said), webauthn.user_id_of(said)
        async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
            key = await tx.maybe(q.passkey_by_credential, credential_id=credential_id)
        party = webauthn.party_of(ctx)
        if key is None or key["rp_id"] != party.rp_id or (user_id is not None and key["user_id"] != user_id):
            raise webauthn.AnswerRefused("no such passkey here")
        if handle is not None and handle != key["user_id"].bytes:
            raise webauthn.AnswerRefused("another person's handle")
        count = webauthn.read_proof(party, challenge, said, public_key=key["public_key"])
    except webauthn.AnswerRefused as refused:
        _log(ctx, refused)
        raise SignInNeeded(
            "auth.passkey_wrong", _("That passkey does not open this. Try again, or use another way.")
        ) from None
    return key, count


async def _copied(ctx: Ctx, key: Record) -> Forbidden:
    """The counter went back: write it down, tell the owner, and return the refusal."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        user = await tx.one(q.user_lock, user_id=key["user_id"])
        await record(ctx, "auth.passkey_copied", of="passkey", id=key["passkey_id"], tx=tx)
        await tell(ctx, tx, "passkey_copied", user=user, what=key["name"])
    return Forbidden(
        "auth.passkey_copied",
        _(
            "This passkey counts backwards, as a copy would. Sign in another way, remove it, and make a new one."
        ),
    )


def _digest(challenge: bytes) -> bytes:
    return digest(challenge.hex())


def _log(ctx: Ctx, refused: webauthn.AnswerRefused) -> None:
    log.warning("passkey refused", extra={"reason": str(refused), "trace_id": ctx.trace_id})
