"""The ID token, right (OpenID Connect Core 2) or wrong in exactly one way.

Right ones are signed by the library. Those no library will make are put together here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from joserfc import jwt

from shipworthy.gauntlet.idp.conduct import Conduct
from shipworthy.gauntlet.idp.keys import Algorithm, KeyRing, SigningKey, new_key

ATTACKER_JWKS = "/attacker/jwks"
ATTACKER_X5U = "/attacker/x5u"


class TokenMaker:
    """Makes ID tokens with the keys of the ring. The attacker's key is one nobody publishes for us."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self.attacker = new_key("ES256")

    def id_token(  # noqa: PLR0911 - one line for each fault
        self, claims: dict[str, Any], *, algorithm: Algorithm, conduct: Conduct, issuer: str, now: float
    ) -> str:
        """Return a token with these claims (aud and nonce among them), dated `now` by our own clock.

        Units:   `now` seconds since 1970; what it becomes in the token is whole seconds.
        """
        dated = int(now + conduct.clock_ahead_s)
        claims = {"iss": issuer, "iat": dated, "exp": dated + conduct.id_token_ttl_s, **claims}
        claims = _bent(claims, conduct, now)
        key = self._ring.signing(algorithm)
        match conduct.token:
            case "wrong_kid":
                return _signed(claims, key, kid=self._ring.beside(algorithm).kid)
            case "unknown_kid":
                return _signed(claims, self.attacker, kid=secrets.token_urlsafe(8))
            case "bad_signature":
                return self._badly_signed(claims, key)
            case "alg_none":
                return _joined({"alg": "none", "typ": "JWT"}, claims, sign=lambda _: b"")
            case "hs256_public_key":
                return _hs256(claims, key)
            case "jku_attacker":
                return self._by_attacker(claims, jku=issuer + ATTACKER_JWKS)
            case "x5u_attacker":
                return self._by_attacker(claims, x5u=issuer + ATTACKER_X5U)
            case "embedded_jwk":
                return self._by_attacker(claims, jwk=self.attacker.public)
            case _:
                return _signed(claims, key)

    def _by_attacker(self, claims: dict[str, Any], **where: Any) -> str:
        return _signed(claims, self.attacker, **where)

    def _badly_signed(self, claims: dict[str, Any], key: SigningKey) -> str:
        """Right in form and name: the header of the real key, a signature of its right length, wrong."""
        head, _, signature = _signed(claims, key).rpartition(".")
        _, _, other = _signed({**claims, "sub": "somebody else"}, key).rpartition(".")
        assert other != signature
        return f"{head}.{other}"


def _bent(  # noqa: PLR0911 - one line for each fault
    claims: dict[str, Any], conduct: Conduct, now: float
) -> dict[str, Any]:
    match conduct.token:
        case "expired":
            ended = int(now - conduct.off_s)
            return {**claims, "iat": ended - conduct.id_token_ttl_s, "exp": ended}
        case "not_yet_valid":
            begins = int(now + conduct.off_s) + 1
            return {**claims, "iat": begins, "nbf": begins, "exp": begins + conduct.id_token_ttl_s}
        case "wrong_iss":
            return {**claims, "iss": "https://attacker.test"}
        case "wrong_aud":
            return {**claims, "aud": "somebody-elses-app"}
        case "wrong_nonce":
            return {**claims, "nonce": secrets.token_urlsafe(16)}
        case "no_nonce":
            return {name: value for name, value in claims.items() if name != "nonce"}
        case _:
            return claims


def _signed(claims: dict[str, Any], key: SigningKey, *, kid: str = "", **header: Any) -> str:
    head = {"alg": key.algorithm, "kid": kid or key.kid, **header}
    return jwt.encode(head, claims, key.pair, algorithms=[key.algorithm])


def _hs256(claims: dict[str, Any], key: SigningKey) -> str:
    """The classic confusion: a verifier that hands its public key to whatever `alg` the token names."""
    secret = key.public_pem
    return _joined(
        {"alg": "HS256", "typ": "JWT", "kid": key.kid},
        claims,
        sign=lambda signed: hmac.new(secret, signed, hashlib.sha256).digest(),
    )


def _joined(header: dict[str, Any], claims: dict[str, Any], *, sign: Any) -> str:
    head = b".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
    return (head + b"." + _b64(sign(head))).decode()


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
