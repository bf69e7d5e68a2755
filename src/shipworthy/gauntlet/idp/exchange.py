"""Where the app's server goes: a code or a refresh token becomes tokens, and a token the person.

Source:  RFC 6749 2.3, 3.2, 5; RFC 7636 4.6; OpenID Connect Core 3.1.3 and 5.3.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from shipworthy.gauntlet.idp.forms import NO_STORE, as_json, parameters
from shipworthy.gauntlet.idp.grants import ACCESS_TTL_S, Grant
from shipworthy.gauntlet.idp.registry import Client
from shipworthy.gauntlet.idp.state import State
from shipworthy.gauntlet.idp.web import Request, Response

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class _Refused(Exception):
    """A token request that is refused, with its code of RFC 6749 5.2."""

    def __init__(self, code: str, why: str, *, status: int = 400) -> None:
        self.code, self.why, self.status = code, why, status
        super().__init__(why)


def token(state: State, request: Request) -> Response:
    """Give tokens for a code or a refresh token to the client it belongs to; each works once."""
    try:
        if request.method != "POST":
            raise _Refused("invalid_request", "the token endpoint takes POST", status=405)
        asked = parameters(request.body.decode("latin-1"))
        client = _authenticated(state, request, asked)
        return _granted(state, client, _claimed(state, client, asked))
    except _Refused as refused:
        headers = {"www-authenticate": 'Basic realm="stub"'} if refused.status == 401 else {}
        return as_json(
            {"error": refused.code, "error_description": refused.why},
            status=refused.status,
            headers={**NO_STORE, **headers},
        )


def _authenticated(state: State, request: Request, asked: dict[str, str]) -> Client:
    """Return who asks: by Basic, by a secret in the body, or by name alone if it has no secret."""
    name, secret = asked.get("client_id", ""), asked.get("client_secret")
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        if secret is not None:
            raise _Refused("invalid_request", "one way of authentication, not two")
        name, secret = _basic(value)
    client = state.clients.get(name)
    if client is None or (bool(client.secrets) and not client.knows(secret or "")):
        raise _Refused("invalid_client", "client_id or client_secret is wrong", status=401)
    if not client.secrets and secret:
        raise _Refused("invalid_client", "a public client has no secret", status=401)
    return client


def _claimed(state: State, client: Client, asked: dict[str, str]) -> Grant:
    match asked.get("grant_type"):
        case "authorization_code":
            grant = state.grants.redeem(asked.get("code", ""))
            _must_match(client, asked, grant)
        case "refresh_token":
            grant = state.grants.refresh(asked.get("refresh_token", ""))
        case other:
            raise _Refused("unsupported_grant_type", f"grant_type {other!r}")
    if grant is None or grant.client_id != client.client_id:
        raise _Refused("invalid_grant", "unknown, used, expired, or another client's")
    return grant


def _must_match(client: Client, asked: dict[str, str], grant: Grant | None) -> None:
    if grant is None or grant.client_id != client.client_id:
        return  # told apart from nothing: the caller learns only that the grant is no good
    if asked.get("redirect_uri") != grant.redirect_uri:
        raise _Refused("invalid_grant", "redirect_uri is not the one the code was sent to")
    verifier = asked.get("code_verifier", "")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(digest, grant.challenge.encode()):
        raise _Refused("invalid_grant", "code_verifier does not fit the code_challenge")


def _granted(state: State, client: Client, grant: Grant) -> Response:
    given: dict[str, Any] = {
        "access_token": state.grants.access_token(grant),
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TTL_S),
        "scope": " ".join(grant.scope),
    }
    if "offline_access" in grant.scope:
        given["refresh_token"] = state.grants.refresh_token(grant)
    if "openid" in grant.scope:
        nonce = {"nonce": grant.nonce} if grant.nonce else {}
        given["id_token"] = state.last_id_token = state.tokens.id_token(
            {
                "aud": client.client_id,
                "auth_time": grant.authenticated_at,
                **({"sub": grant.person.sub} if state.conduct.thin_id_token else _claims_of(state, grant)),
                **nonce,
            },
            algorithm=client.algorithm,
            conduct=state.conduct,
            issuer=state.issuer,
            now=state.clock(),
        )
    return as_json(given, headers=NO_STORE)


def userinfo(state: State, request: Request) -> Response:
    """Tell who the bearer of an access token speaks for."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    grant = state.grants.bearer(bearer) if scheme.lower() == "bearer" else None
    if grant is None:
        challenge = {"www-authenticate": 'Bearer error="invalid_token"', **NO_STORE}
        return as_json({"error": "invalid_token"}, status=401, headers=challenge)
    claims = _claims_of(state, grant)
    if state.conduct.foreign_userinfo:
        claims = {**claims, "sub": f"not-{grant.person.sub}"}
    return as_json(claims, headers=NO_STORE)


def _claims_of(state: State, grant: Grant) -> dict[str, Any]:
    """What is told of a person: as much as was asked for, bent as the conduct says."""
    person, conduct = grant.person, state.conduct
    if conduct.email is not None:
        person = replace(person, email=conduct.email)
    if conduct.email_verified is not None:
        said = {"true": True, "false": False, "unsaid": None}[conduct.email_verified]
        person = replace(person, email_verified=said)
    claims = person.claims()
    hidden = {"email": ("email", "email_verified"), "profile": ("name",)}
    left_out = {name for scope, names in hidden.items() if scope not in grant.scope for name in names}
    return {name: value for name, value in claims.items() if name not in left_out}


def _basic(value: str) -> tuple[str, str]:
    """Read Basic credentials; both parts are form-encoded (RFC 6749 2.3.1)."""
    try:
        name, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        name, colon, secret = "", "", ""
    if not colon:
        raise _Refused("invalid_client", "not Basic credentials", status=401)
    return unquote_plus(name), unquote_plus(secret)
