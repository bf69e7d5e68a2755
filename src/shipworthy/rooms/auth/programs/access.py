"""Access tokens: signed, short-lived, read by us and by any service that knows our published keys.

Source:  RFC 9068 (profile of JWTs for access tokens), RFC 8725 (best practice for JWTs).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jws

from shipworthy.rooms.auth.oauth.jose import TokenRefused, read_header, verified
from shipworthy.rooms.auth.programs.keys import ALGORITHM, SigningKey

TYPE = "at+jwt"


@dataclass(frozen=True, kw_only=True)
class Access:
    """What an access token says: which program acts, and until when it may. Who that is for, the database knows."""

    program_id: uuid.UUID
    expires_at_s: float


def sign(
    key: SigningKey,
    *,
    issuer: str,
    program_id: uuid.UUID,
    user_id: uuid.UUID,
    tenant_id: uuid.UUID | None,
    token_id: uuid.UUID,
    now: datetime,
    ttl_s: int,
) -> str:
    """Return the token. `sid` and `client_id` are the program's: ending it ends the token."""
    made = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": issuer,
        "sub": str(user_id),
        "client_id": str(program_id),
        "sid": str(program_id),
        "jti": str(token_id),
        "iat": made,
        "exp": made + ttl_s,
    }
    if tenant_id is not None:
        claims["tid"] = str(tenant_id)
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
    return jws.serialize_compact(header, msgspec.json.encode(claims), key.key, algorithms=[ALGORITHM])


def read(token: str, *, keys: Sequence[SigningKey], issuer: str, now: datetime) -> Access:
    """Return what a token of ours says. No skew is allowed: the clock is our own.

    Errors:  TokenRefused for one that is another's, over, changed, or no access token.
    """
    header = read_header(token, algorithms=(ALGORITHM,))
    key = next((k for k in keys if k.kid == header.get("kid")), None)
    if header.get("typ") != TYPE or key is None:
        raise TokenRefused("not an access token that one of our keys signed")
    payload = verified(token, key.key, algorithms=(ALGORITHM,))
    try:
        claims = msgspec.json.decode(payload, type=_Claims)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise TokenRefused("claims that we did not write") from wrong
    if claims.iss != issuer or claims.aud != issuer or not claims.iat <= now.timestamp() < claims.exp:
        raise TokenRefused("for somebody else, or over")
    return Access(program_id=claims.sid, expires_at_s=claims.exp)


class _Claims(msgspec.Struct):
    iss: str
    aud: str
    sid: uuid.UUID
    iat: int
    exp: int
