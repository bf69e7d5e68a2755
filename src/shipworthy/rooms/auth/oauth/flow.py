"""One attempt: out to the provider with a question, back with an answer to it and to no other.

The question (verifier, nonce, where to go on, who links) stays here in a row. Its name is the state
parameter; the row answers only the browser whose cookie began it, for the provider it began with,
once, within ten minutes. Somebody else's code and state therefore open nothing in this browser.
Source:  RFC 9700 2.1 and 4.7; RFC 7636; GHSA-x445-f3h2-j279 (a cookie not bound to its provider).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.egress import ProviderFailed
from shipworthy.kernel.errors import Busy, Forbidden
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.origin import origin_of
from shipworthy.kernel.language import _
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.oauth.providers import Attempt, Identity, Provider, SignInRefused
from shipworthy.rooms.auth.tokens import digest

COOKIE = "oauth"
TTL_S = 600
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_CODE_CHARS_MAX = 2_048


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Where the browser goes, and the cookie by which it is known when it comes back."""

    address: str
    cookie: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the provider sends back through the browser."""

    state: str
    code: str
    error: str
    iss: str | None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Who came back. `user_id` is whose account the identity is to be linked to, if it was for that."""

    identity: Identity
    user_id: uuid.UUID | None
    next: str


async def depart(
    ctx: Ctx, provider: Provider, *, next: str = "", user_id: uuid.UUID | None = None
) -> Departure:
    """Begin an attempt: to sign in, or to link an identity to the account of `user_id`.

    Several may be under way in one browser. Errors: Busy `auth.provider_unavailable`.
    Cost:    two statements, no disk flush; nothing is asked of the provider while its documents are fresh.
    """
    state, browser = secrets.token_urlsafe(32), _browser(ctx) or secrets.token_urlsafe(32)
    attempt = Attempt(
        redirect_uri=f"{origin_of(ctx)}/oauth/{provider.name}/callback",
        verifier=secrets.token_urlsafe(48),
        nonce=secrets.token_urlsafe(24),
    )
    try:
        address = await provider.address(attempt, state=state, challenge=_challenge(attempt.verifier))
    except ProviderFailed as failed:
        raise _unavailable(ctx, provider, failed) from failed
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        await tx.run(
            q.oauth_state_create,
            state_sha256=digest(state),
            browser_sha256=digest(browser),
            provider=provider.name,
            user_id=user_id,
            verifier=attempt.verifier,
            nonce=attempt.nonce,
            redirect_uri=attempt.redirect_uri,
            next=next,
            expires_at=ctx.now() + timedelta(seconds=TTL_S),
        )
        await tx.run(q.oauth_state_purge, now=ctx.now())
    return Departure(
        address=address, cookie=cookies.write(ctx.runtime.settings, COOKIE, browser, max_age_s=TTL_S)
    )


async def arrive(ctx: Ctx, provider: Provider, reply: Reply) -> Arrival:
    """Return who came back, once. No connection is held while the provider is asked.

    Errors:  Forbidden `auth.oauth_state`, `auth.oauth_denied` or `auth.oauth_refused`,
             Busy `auth.provider_unavailable`.
    """
    browser, row = _browser(ctx), None
    if browser and _TOKEN.fullmatch(reply.state):
        async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
            row = await tx.maybe(
                q.oauth_state_take,
                state_sha256=digest(reply.state),
                browser_sha256=digest(browser),
                provider=provider.name,
                now=ctx.now(),
            )
    if row is None:
        raise Forbidden(
            "auth.oauth_state",
            _(
                "This sign-in was not begun in this browser, was used already or took too long. Begin it again."
            ),
        )
    if reply.error or not 0 < len(reply.code) <= _CODE_CHARS_MAX:
        raise Forbidden(
            "auth.oauth_denied",
            _("{provider} did not sign you in. Nothing was changed; try again.", provider=provider.label),
        )
    attempt = Attempt(redirect_uri=row["redirect_uri"], verifier=row["verifier"], nonce=row["nonce"])
    try:
        identity = await provider.identify(attempt, reply.code, iss=reply.iss, now=ctx.now())
    except ProviderFailed as failed:
        raise _unavailable(ctx, provider, failed) from failed
    except SignInRefused as refused:
        log.warning(
            "sign-in refused",
            extra={"provider": provider.name, "reason": str(refused), "trace_id": ctx.trace_id},
        )
        raise Forbidden(
            "auth.oauth_refused",
            _(
                "What {provider} answered could not be verified. Nothing was changed; try again.",
                provider=provider.label,
            ),
        ) from refused
    return Arrival(identity=identity, user_id=row["user_id"], next=row["next"])


def _browser(ctx: Ctx) -> str | None:
    header = ctx.extra["headers"].get("cookie", "")
    token = cookies.read(header, cookies.name(ctx.runtime.settings, COOKIE))
    return token if token and _TOKEN.fullmatch(token) else None


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _unavailable(ctx: Ctx, provider: Provider, failed: ProviderFailed) -> Busy:
    log.warning(
        "provider unavailable",
        extra={"provider": provider.name, "reason": str(failed), "trace_id": ctx.trace_id},
    )
    return Busy(
        "auth.provider_unavailable",
        _(
            "{provider} does not answer as it should. Nothing was changed; try again in a few seconds, or sign in another way.",
            provider=provider.label,
        ),
        retry_after_s=3 + secrets.randbelow(5),
    )
