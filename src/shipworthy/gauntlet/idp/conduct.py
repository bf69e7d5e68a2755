"""`Conduct`: how the stub behaves right now. Everything left out is what a good provider does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TokenFault = Literal[
    "wrong_kid",  # names a published key that did not sign
    "unknown_kid",  # names a key nobody publishes, another one each time
    "bad_signature",  # names the right key, signed by another
    "expired",  # `off_s` seconds ago
    "not_yet_valid",  # for another `off_s` seconds
    "wrong_iss",
    "wrong_aud",
    "wrong_nonce",
    "no_nonce",
    "alg_none",  # not signed at all
    "hs256_public_key",  # signed with the published key taken for a shared secret
    "jku_attacker",  # the header points to the attacker's keys
    "x5u_attacker",  # the same with a certificate
    "embedded_jwk",  # the header brings the attacker's key along
]
CallbackFault = Literal["no_iss", "wrong_iss", "no_state", "wrong_state", "denied"]
WireFault = Literal[
    "slow",  # after `delay_s`
    "unavailable",  # 503
    "refused",  # nobody listens; at every endpoint, whatever `at` says
    "not_json",
    "truncated",  # half the body, then a hang-up
    "huge",  # 10 MB
    "redirect_loop",
]
KeysFault = Literal["thousand", "new_every_fetch"]
Endpoint = Literal["discovery", "authorize", "token", "userinfo", "jwks", "end_session"]
# What an app fetches from its own server; the others are visited by the person's browser.
FETCHED: tuple[Endpoint, ...] = ("discovery", "token", "userinfo", "jwks")


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """One way to behave. Faults of different kinds may be had at once.

    Units:   `delay_s`, `off_s`, `clock_ahead_s`, `jwks_max_age_s`, `id_token_ttl_s` seconds;
             `clock_ahead_s` may be negative.
    """

    token: TokenFault | None = None
    off_s: float = 300.0
    callback: CallbackFault | None = None
    wire: WireFault | None = None
    at: tuple[Endpoint, ...] = FETCHED
    delay_s: float = 0.0
    keys: KeysFault | None = None
    email: str | None = None  # everybody's address, instead of their own
    email_verified: Literal["true", "false", "unsaid"] | None = None  # None: as the person's is
    thin_id_token: bool = False  # address and name are told by userinfo only (OpenID Connect Core 5.4)
    foreign_userinfo: bool = False  # userinfo speaks of somebody else than the ID token
    clock_ahead_s: float = 0.0
    jwks_max_age_s: int = 300  # 0: no-store
    id_token_ttl_s: int = 300
    person: str = ""  # sub or email of who signs in; empty: the first, "*": all in turn
