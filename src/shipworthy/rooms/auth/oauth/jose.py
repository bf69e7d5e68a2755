"""Believing an ID token: one strict door around the library.

The algorithm is ours to choose and the key is the issuer's to publish; whatever a token's own header
says of keys (jku, x5u, jwk, x5c) is not read. What the header calls critical we do not know, so it
is refused.
Source:  RFC 7515, RFC 8725; OpenID Connect Core 3.1.3.7; the table of faults in the stub provider.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from shipworthy.rooms.auth.oauth.keys import Key, Keys

Algorithm = str
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
SKEW_S = 60
TOKEN_CHARS_MAX = 16_384
AGE_S_MAX = 24 * 3600  # a token this old was not made for this sign-in, whatever its exp says
_PART = re.compile(r"[A-Za-z0-9_-]+")
_SUBJECT_CHARS_MAX = 255  # OpenID Connect Core 2


class TokenRefused(Exception):
    """A token is not to be believed. The message is for the log."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a token must say. `issuer` judges the `iss` claim beside the others (Entra's names a directory)."""

    issuer: Callable[[dict[str, Any]], bool]
    client_id: str
    nonce: str
    now_s: float


async def read_id_token(
    token: str, *, keys: Keys, algorithms: tuple[Algorithm, ...], expected: Expected
) -> dict[str, Any]:
    """Return the claims of a token that the issuer made for us, now, in answer to our question.

    Errors:  TokenRefused, ProviderFailed when the keys cannot be had.
    """
    header = read_header(token, algorithms=algorithms)
    if header.get("typ", "JWT").upper() not in ("JWT", "APPLICATION/JWT"):
        raise TokenRefused(f"typ {header['typ']!r} is no ID token's")
    key = await keys.find(header.get("kid"), algorithm=header["alg"])
    if key is None:
        raise TokenRefused("signed with a key the issuer does not publish")
    claims = _object(verified(token, key, algorithms=(header["alg"],)), "payload")
    _check(claims, expected)
    return claims


def read_header(token: str, *, algorithms: tuple[Algorithm, ...]) -> dict[str, Any]:
    """Return the header of a compact token. Errors: TokenRefused."""
    parts = token.split(".")
    if len(token) > TOKEN_CHARS_MAX or len(parts) != 3 or not all(map(_PART.fullmatch, parts)):
        raise TokenRefused("not a compact signed token")
    header = _object(_decoded(parts[0]), "header")
    if header.get("alg") not in algorithms:
        raise TokenRefused(f"alg {header.get('alg')!r} is not one of {', '.join(algorithms)}")
    if "crit" in header or "b64" in header:
        raise TokenRefused("the header asks for what we do not know")
    if not all(isinstance(header.get(name, ""), str) for name in ("kid", "typ")):
        raise TokenRefused("kid or typ is no text")
    return header


def verified(token: str, key: Key, *, algorithms: tuple[Algorithm, ...]) -> bytes:
    """Return the payload of a token that this key signed. Errors: TokenRefused."""
    read_header(token, algorithms=algorithms)
    try:
        # "EdDSA" is the name with which the world signs; the library lists it apart as superseded.
        payload = jws.deserialize_compact(token, key, algorithms=list(algorithms)).payload
    except (JoseError, ValueError, TypeError) as wrong:
        raise TokenRefused(f"signature: {type(wrong).__name__}") from wrong
    return bytes(payload)


def _check(claims: dict[str, Any], expected: Expected) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    subject, now_s = claims.get("sub"), expected.now_s
    ends, made, begins = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    nonce = claims.get("nonce")
    faults = {
        "iss": not isinstance(claims.get("iss"), str) or not expected.issuer(claims),
        "aud": expected.client_id not in audiences,
        "azp": claims.get("azp", expected.client_id) != expected.client_id
        or (len(audiences) > 1 and "azp" not in claims),
        "exp": ends is None or now_s > ends + SKEW_S,
        "iat": made is None or made > now_s + SKEW_S or made < now_s - AGE_S_MAX,
        "nbf": begins is not None and begins > now_s + SKEW_S,
        "nonce": not isinstance(nonce, str)
        or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()),
        "sub": not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_CHARS_MAX or "\0" in subject,
    }
    wrong = [name for name, is_wrong in faults.items() if is_wrong]
    if wrong:
        raise TokenRefused(f"claims: {', '.join(wrong)}")


def _time(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**40:
        raise TokenRefused(f"{name} is no time")
    return float(value)


def _object(raw: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object in which no name stands twice: two readers could take different ones."""
    try:
        value = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError) as broken:
        raise TokenRefused(f"the {what} is no JSON object") from broken
    if not isinstance(value, dict):
        raise TokenRefused(f"the {what} is no JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as broken:
        raise TokenRefused("not base64url") from broken
