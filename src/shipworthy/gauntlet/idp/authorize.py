"""Where the person's browser goes: the consent, given at once by whoever was chosen; signing out.

Source:  RFC 6749 4.1, 7636 (PKCE), 9207 (`iss`), 9700; OpenID Connect RP-Initiated Logout 1.0.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from shipworthy.gauntlet.idp.forms import NO_STORE, page, parameters
from shipworthy.gauntlet.idp.grants import Grant
from shipworthy.gauntlet.idp.registry import Person
from shipworthy.gauntlet.idp.state import State
from shipworthy.gauntlet.idp.web import Request, Response

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url, RFC 7636 4.2


def authorize(state: State, request: Request) -> Response:
    """Send the browser back with a code, or with what was wrong; never to an unregistered address."""
    asked = parameters(request.query if request.method == "GET" else request.body.decode("latin-1"))
    client = state.clients.get(asked.get("client_id", ""))
    if client is None:
        return page(400, "This app is not known here: client_id")
    redirect_uri = asked.get("redirect_uri", "")
    # Never sent on to an address that was not registered letter for letter (RFC 9700 2.1).
    if redirect_uri not in client.redirect_uris:
        return page(400, f"redirect_uri {redirect_uri!r} is not registered for {client.client_id}")
    if wrong := _wrong_request(asked):
        code, why = wrong
        return _sent_back(state, redirect_uri, asked, error=code, error_description=why)
    if state.conduct.callback == "denied":
        return _sent_back(state, redirect_uri, asked, error="access_denied")
    grant = Grant(
        client_id=client.client_id,
        person=_who(state, asked.get("login_hint", "")),
        redirect_uri=redirect_uri,
        scope=tuple(asked.get("scope", "").split()),
        nonce=asked.get("nonce", ""),
        challenge=asked["code_challenge"],
        authenticated_at=int(state.clock()),
    )
    return _sent_back(state, redirect_uri, asked, code=state.grants.code(grant))


def _sent_back(state: State, redirect_uri: str, asked: dict[str, str], **answer: str) -> Response:
    fault = state.conduct.callback
    if "state" in asked and fault != "no_state":
        answer["state"] = "wrong" if fault == "wrong_state" else asked["state"]
    if fault != "no_iss":
        answer["iss"] = "https://attacker.test" if fault == "wrong_iss" else state.issuer
    joint = "&" if "?" in redirect_uri else "?"
    return Response(status=303, headers={"location": f"{redirect_uri}{joint}{urlencode(answer)}", **NO_STORE})


def _who(state: State, hint: str) -> Person:
    """The one the request hints at, else the one the conduct names, else the first."""
    wanted = hint or state.conduct.person
    if wanted == "*":
        return next(state.turns)
    return state.person(wanted)


def end_session(state: State, request: Request) -> Response:
    """Say goodbye, and send the browser on to an address the client has registered."""
    asked = parameters(request.query if request.method == "GET" else request.body.decode("latin-1"))
    goal = asked.get("post_logout_redirect_uri", "")
    client = state.clients.get(asked.get("client_id", ""))
    if not goal:
        return page(200, "Signed out.")
    if client is None or goal not in client.signed_out_uris:
        return page(400, f"post_logout_redirect_uri {goal!r} is not registered")
    echo = f"?{urlencode({'state': asked['state']})}" if "state" in asked else ""
    return Response(status=303, headers={"location": goal + echo, **NO_STORE})


def _wrong_request(asked: dict[str, str]) -> tuple[str, str] | None:
    """Return what is wrong with an authorization request, as (code, why)."""
    if asked.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code"
    if asked.get("response_mode", "query") != "query":
        return "invalid_request", "response_mode must be query"
    if asked.get("code_challenge_method") != "S256":
        return "invalid_request", "PKCE with code_challenge_method S256 is required; plain is refused"
    if not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        return "invalid_request", "code_challenge must be a SHA-256 in base64url"
    return None
