"""Access tokens: believed only as we sign them."""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from shipworthy.rooms.auth.oauth.jose import TokenRefused
from shipworthy.rooms.auth.programs.access import read, sign
from shipworthy.rooms.auth.programs.keys import SigningKey, keys_at

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEYS = keys_at(b"key", realm_id=uuid.UUID(int=1), now=NOW)
PROGRAM = uuid.UUID(int=5)
ISSUER = "https://app.example"


def made(key: SigningKey = KEYS[0], **changed: Any) -> str:
    facts: dict[str, Any] = {
        "issuer": ISSUER, "program_id": PROGRAM, "user_id": uuid.UUID(int=6), "tenant_id": uuid.UUID(int=7),
        "token_id": uuid.UUID(int=8), "now": NOW, "ttl_s": 300,
    }  # fmt: skip
    return sign(key, **{**facts, **changed})


def forged(*, header: dict[str, Any], claims: dict[str, Any], key: Any, alg: str) -> str:
    return jws.serialize_compact({"alg": alg, **header}, json.dumps(claims).encode(), key, algorithms=[alg])


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return value


def test_a_token_says_which_program_acts_and_until_when() -> None:
    said = read(made(), keys=KEYS, issuer=ISSUER, now=NOW)
    assert (said.program_id, said.expires_at_s) == (PROGRAM, NOW.timestamp() + 300)
    assert set(claims_of(made())) == {"iss", "aud", "sub", "client_id", "sid", "jti", "iat", "exp", "tid"}
    assert "tid" not in claims_of(made(tenant_id=None))


def test_it_is_over_to_the_second_and_not_before_its_time() -> None:
    token = made()
    read(token, keys=KEYS, issuer=ISSUER, now=NOW + timedelta(seconds=299))
    for seconds in (300, 10**7, -1):
        with pytest.raises(TokenRefused):
            read(token, keys=KEYS, issuer=ISSUER, now=NOW + timedelta(seconds=seconds))


def test_a_published_key_of_the_last_period_is_still_believed() -> None:
    read(made(KEYS[2]), keys=KEYS, issuer=ISSUER, now=NOW)


def test_what_is_not_an_access_token_of_ours_is_refused() -> None:
    header, claims = {"typ": "at+jwt", "kid": KEYS[0].kid}, claims_of(made())
    stranger = ECKey.generate_key("P-256", private=True)
    key = KEYS[0].key
    cases = {
        "another key under our kid": forged(header=header, claims=claims, key=stranger, alg="ES256"),
        "its own key in the header": forged(
            header={**header, "jwk": stranger.as_dict(private=False)},
            claims=claims,
            key=stranger,
            alg="ES256",
        ),
        "our public key as a shared secret": _shared_secret(
            header, claims, KEYS[0].key.as_pem(private=False)
        ),
        "an ID token": forged(header={**header, "typ": "JWT"}, claims=claims, key=key, alg="ES256"),
        "no type": forged(header={"kid": KEYS[0].kid}, claims=claims, key=key, alg="ES256"),
        "no kid": forged(header={"typ": "at+jwt"}, claims=claims, key=key, alg="ES256"),
        "another audience": forged(
            header=header, claims={**claims, "aud": "https://x"}, key=key, alg="ES256"
        ),
        "two audiences": forged(header=header, claims={**claims, "aud": [ISSUER, "x"]}, key=key, alg="ES256"),
        "another issuer": forged(header=header, claims={**claims, "iss": "https://x"}, key=key, alg="ES256"),
        "no exp": forged(
            header=header, claims={k: v for k, v in claims.items() if k != "exp"}, key=key, alg="ES256"
        ),
        "a claim that is no id": forged(header=header, claims={**claims, "sid": "me"}, key=key, alg="ES256"),
        "alg none": ".".join((_part({"alg": "none", **header}), made().split(".")[1], "")),
        "empty": "",
        "bytes that are no text": "\udcff.\udcff.\udcff",
        "endless": made() + "A" * 20_000,
    }
    for what, token in cases.items():
        with pytest.raises(TokenRefused):
            read(token, keys=KEYS, issuer=ISSUER, now=NOW)
            pytest.fail(f"believed: {what}")


def _shared_secret(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    said = f"{_part({'alg': 'HS256', **header})}.{_part(claims)}"
    mac = hmac.digest(secret, said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
