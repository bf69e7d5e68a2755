"""The provider itself: requests in, answers out, no sockets. Strict as the best-kept ones are.

Owns the list of endpoints, the counters, and what an app reads before anything else.
Source:  OpenID Connect Discovery 1.0; RFC 7517.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from shipworthy.gauntlet.idp.authorize import authorize, end_session
from shipworthy.gauntlet.idp.exchange import token, userinfo
from shipworthy.gauntlet.idp.forms import as_json, page
from shipworthy.gauntlet.idp.registry import Client
from shipworthy.gauntlet.idp.state import State
from shipworthy.gauntlet.idp.tokens import ATTACKER_JWKS, ATTACKER_X5U
from shipworthy.gauntlet.idp.web import Request, Response
from shipworthy.gauntlet.idp.wire import bent


class Provider:
    """One issuer on the wire.

    `counts` has the requests of each endpoint, and of "attacker": the addresses that only a
    token's own header names.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.counts: Counter[str] = Counter()

    def register(self, client: Client) -> None:
        """Let an app sign people in here, or change what is known of it."""
        self.state.ring.offer(client.algorithm)
        self.state.clients[client.client_id] = client

    def answer(self, request: Request) -> Response:
        """Answer one request as the conduct of now says."""
        name, respond = _ENDPOINTS.get(request.path, ("other", _not_found))
        self.counts[name] += 1
        return bent(respond(self.state, request), request, self.state.conduct, name)


def _discovery(state: State, _request: Request) -> Response:
    return as_json(
        {
            "issuer": state.issuer,
            "authorization_endpoint": f"{state.issuer}/authorize",
            "token_endpoint": f"{state.issuer}/token",
            "userinfo_endpoint": f"{state.issuer}/userinfo",
            "jwks_uri": f"{state.issuer}/jwks",
            "end_session_endpoint": f"{state.issuer}/end-session",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "email", "profile", "offline_access"],
            "claims_supported": ["sub", "email", "email_verified", "name", "nonce", "auth_time"],
            "id_token_signing_alg_values_supported": list(state.ring.algorithms),
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
                "none",
            ],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        },
        headers={"cache-control": "public, max-age=300"},
    )


def _jwks(state: State, _request: Request) -> Response:
    if state.conduct.keys == "new_every_fetch":
        state.ring.rename()
    age = state.conduct.jwks_max_age_s
    return as_json(
        {"keys": state.ring.published(crowded=state.conduct.keys == "thousand")},
        headers={"cache-control": f"public, max-age={age}" if age else "no-store"},
    )


def _attacker(state: State, request: Request) -> Response:
    """What only an app that believes a token's own header fetches."""
    if request.path == ATTACKER_JWKS:
        return as_json({"keys": [state.tokens.attacker.public]})
    return Response(body=state.tokens.attacker.public_pem, headers={"content-type": "application/x-pem-file"})


def _not_found(_state: State, _request: Request) -> Response:
    return page(404, "Nothing here.")


_ENDPOINTS: dict[str, tuple[str, Callable[[State, Request], Response]]] = {
    "/.well-known/openid-configuration": ("discovery", _discovery),
    "/authorize": ("authorize", authorize),
    "/token": ("token", token),
    "/userinfo": ("userinfo", userinfo),
    "/jwks": ("jwks", _jwks),
    "/end-session": ("end_session", end_session),
    ATTACKER_JWKS: ("attacker", _attacker),
    ATTACKER_X5U: ("attacker", _attacker),
}
