"""The strict door: what no token may get through, by hand, by the stub's faults, and by Wycheproof."""

from __future__ import annotations

import base64
import hmac
import json
import os
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shipworthy.rooms.auth.oauth.jose import (
    ALGORITHMS,
    Expected,
    TokenRefused,
    read_header,
    read_id_token,
    verified,
)
from shipworthy.rooms.auth.oauth.keys import Keys, pick

NOW_S = 1_800_000_000
CLAIMS: dict[str, Any] = {
    "iss": "https://issuer.example", "sub": "1", "aud": "ours", "exp": NOW_S + 300, "iat": NOW_S, "nonce": "n",
}  # fmt: skip
PAIRS = {
    "ES256": ECKey.generate_key("P-256"),
    "RS256": RSAKey.generate_key(2048),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}


def signed(claims: Any = None, *, algorithm: str = "ES256", raw: bytes | None = None, **header: Any) -> str:
    payload = raw if raw is not None else json.dumps(CLAIMS if claims is None else claims).encode()
    head = {"alg": algorithm, "kid": algorithm, **header}
    return jws.serialize_compact(head, payload, PAIRS[algorithm], algorithms=[algorithm])


async def read(
    token: str, *, now_s: float = NOW_S, algorithms: tuple[str, ...] = ALGORITHMS
) -> dict[str, Any]:
    published = tuple({**pair.as_dict(private=False), "kid": name} for name, pair in PAIRS.items())

    async def fetch() -> tuple[tuple[dict[str, Any], ...], float]:
        return published, 600.0

    return await read_id_token(
        token,
        keys=Keys(fetch, clock=lambda: 0.0),
        algorithms=algorithms,
        expected=Expected(
            issuer=lambda said: said["iss"] == CLAIMS["iss"], client_id="ours", nonce="n", now_s=now_s
        ),
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_of_each_algorithm_is_read(algorithm: str) -> None:
    assert await read(signed(algorithm=algorithm)) == CLAIMS
    assert await read(signed(algorithm=algorithm, typ="JWT")) == CLAIMS


async def test_a_token_without_a_key_name_is_read_with_the_only_key_that_fits() -> None:
    head = {"alg": "ES256"}
    token = jws.serialize_compact(head, json.dumps(CLAIMS).encode(), PAIRS["ES256"], algorithms=["ES256"])
    assert await read(token) == CLAIMS


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://issuer.example/"}, {"iss": None}, {"aud": "another"}, {"aud": []}, {"aud": None},
        {"aud": ["ours", "another"]}, {"azp": "another"}, {"aud": ["ours", "another"], "azp": "another"},
        {"nonce": "m"}, {"nonce": None}, {"nonce": ["n"]}, {"sub": ""}, {"sub": 1}, {"sub": "x" * 256}, {"sub": "a\0b"},
        {"exp": None}, {"exp": "soon"}, {"exp": True}, {"exp": -1}, {"iat": None}, {"iat": "x"},
        {"iat": NOW_S - 90_000}, {"nbf": NOW_S + 61}, {"nbf": "x"},
    ],
    ids=str,
)  # fmt: skip
async def test_claims_that_are_not_for_us_now_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        await read(signed({**CLAIMS, **change}))


async def test_two_audiences_are_fine_where_we_are_named_as_the_one_it_is_for() -> None:
    claims = {**CLAIMS, "aud": ["ours", "another"], "azp": "ours"}
    assert await read(signed(claims)) == claims


async def test_clocks_may_differ_by_sixty_seconds_and_not_by_sixty_one() -> None:
    for claims, at in (
        ({"exp": NOW_S, "iat": NOW_S - 9}, NOW_S + 60),
        ({"iat": NOW_S + 60, "nbf": NOW_S + 60}, NOW_S),
    ):
        assert await read(signed({**CLAIMS, **claims}), now_s=at)
    for claims, at in (
        ({"exp": NOW_S}, NOW_S + 61),
        ({"iat": NOW_S + 61}, NOW_S),
        ({"nbf": NOW_S + 61}, NOW_S),
    ):
        with pytest.raises(TokenRefused):
            await read(signed({**CLAIMS, **claims}), now_s=at)


async def test_an_algorithm_that_is_not_this_providers_is_refused() -> None:
    with pytest.raises(TokenRefused, match="alg"):
        await read(signed(algorithm="ES256"), algorithms=("RS256",))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"}, {"typ": "logout+jwt"}, {"typ": 1}, {"kid": 1}, {"kid": "nobody"}, {"kid": "RS256"},
        {"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"alg": "none"}, {"alg": "HS256"}, {"alg": "ES384"},
        {"alg": ["ES256"]}, {"alg": None}, {"alg": "es256"},
    ],
    ids=str,
)  # fmt: skip
async def test_headers_that_are_not_in_order_are_refused(header: dict[str, Any]) -> None:
    _, payload, signature = signed().split(".")
    head = b64(json.dumps({"alg": "ES256", "kid": "ES256", **header}).encode())
    with pytest.raises(TokenRefused):
        await read(f"{head}.{payload}.{signature}")


async def test_what_a_header_says_of_keys_is_not_read() -> None:
    attacker = ECKey.generate_key("P-256")
    brought = {"jwk": attacker.as_dict(private=False), "jku": "https://evil.example/keys"}
    for name in ("ES256", "evil"):
        head = {"alg": "ES256", "kid": name, **brought}
        token = jws.serialize_compact(head, json.dumps(CLAIMS).encode(), attacker, algorithms=["ES256"])
        with pytest.raises(TokenRefused):
            await read(token)


async def test_a_public_key_is_no_shared_secret() -> None:
    text = b".".join(
        b64(part).encode() for part in (b'{"alg":"HS256","kid":"RS256"}', json.dumps(CLAIMS).encode())
    )
    mac = hmac.digest(PAIRS["RS256"].as_pem(private=False), text, "sha256")
    token = f"{text.decode()}.{b64(mac)}"
    with pytest.raises(TokenRefused):
        await read(token)


@pytest.mark.parametrize("payload", [b"[]", b"1", b"{", b"\xff", b'{"iss": "a", "iss": "b"}'])
async def test_a_payload_that_is_no_plain_object_is_refused(payload: bytes) -> None:
    with pytest.raises(TokenRefused):
        await read(signed(raw=payload))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b", "a.b.c.d", "a.b.c", "é.b.c", "x" * 20_000, "e30.e30.", "e30=.e30.AA"]
)
async def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        await read(token)


async def test_every_changed_byte_of_a_signature_is_noticed() -> None:
    token = signed(algorithm="EdDSA")
    head, payload, signature = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    for at in range(len(raw)):
        changed = bytes(raw[:at]) + bytes([raw[at] ^ 1]) + bytes(raw[at + 1 :])
        with pytest.raises(TokenRefused):
            await read(f"{head}.{payload}.{b64(changed)}")


def test_wycheproof_finds_no_invalid_signature_that_we_accept() -> None:
    accepted, refused, judged = [], [], 0
    for case, key_set, jws_text in _wycheproof():
        judged += 1
        is_accepted = _accepts(jws_text, key_set)
        if is_accepted and case["result"] == "invalid":
            accepted.append((case["tcId"], case["comment"]))
        if not is_accepted and case["result"] == "valid" and _is_ours(jws_text):
            refused.append((case["tcId"], case["comment"]))
    assert judged > 200
    assert not accepted
    # What says nothing names nobody: valid as a signature, and never an ID token.
    assert [comment for _, comment in refused] == ["emptyPayload"]


def _wycheproof() -> list[tuple[dict[str, Any], tuple[dict[str, Any], ...], str]]:
    folder = _vectors()
    if folder is None:
        pytest.skip(
            "the Wycheproof vectors (C2SP/wycheproof, testvectors_v1) are not at hand: set SHIPWORTHY_WYCHEPROOF"
        )
    cases = []
    for name in ("json_web_signature_test.json", "json_web_key_test.json"):
        for group in json.loads((folder / name).read_text(encoding="utf-8"))["testGroups"]:
            given = group.get("public") or group["private"]
            keys = tuple(_public(key) for key in given.get("keys", [given]))
            for case in group["tests"]:
                text = case["jws"] if isinstance(case["jws"], str) else json.dumps(case["jws"])
                cases.append((case, keys, text))
    return cases


def _vectors() -> Path | None:
    beside = [parent / "shared" / "data" / "wycheproof" for parent in Path(__file__).resolve().parents]
    places = [Path(os.environ["SHIPWORTHY_WYCHEPROOF"])] if "SHIPWORTHY_WYCHEPROOF" in os.environ else beside
    found = (place / "testvectors_v1" for place in places)
    return next((folder for folder in found if folder.is_dir()), None)


def _public(key: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}


def _accepts(token: str, published: tuple[dict[str, Any], ...]) -> bool:
    try:
        header = read_header(token, algorithms=ALGORITHMS)
        key = pick(published, header.get("kid"), algorithm=header["alg"])
        if key is None:
            return False
        verified(token, key, algorithms=(header["alg"],))
    except TokenRefused:
        return False
    return True


def _is_ours(token: str) -> bool:
    head = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"] in ALGORITHMS


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
