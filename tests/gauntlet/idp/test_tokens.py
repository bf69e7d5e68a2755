"""Each wrong token is wrong in its own way, and only in that.

Covers: conduct.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from shipworthy.gauntlet.idp.stub import Stub
from tests.support.relying import Visit, sent_back


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Header and claims unverified, as an attacker reads them, and the signature."""
    header, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    return json.loads(header), json.loads(claims), signature


async def id_token(visit: Visit, **conduct: Any) -> str:
    await visit.stub.behave(**conduct)
    return str((await visit.tokens())["id_token"])


@pytest.mark.parametrize(
    "fault",
    [
        "wrong_kid",
        "unknown_kid",
        "bad_signature",
        "alg_none",
        "hs256_public_key",
        "jku_attacker",
        "x5u_attacker",
        "embedded_jwk",
    ],
)
async def test_the_published_keys_do_not_verify_it_and_its_claims_are_right(visit: Visit, fault: str) -> None:
    good = await visit.verified(await id_token(visit))
    bad = await id_token(visit, token=fault)
    with pytest.raises(JoseError):
        await visit.verified(bad)
    claims = parts(bad)[1]
    assert claims.keys() == good.keys()
    assert {**claims, "iat": 0, "exp": 0, "auth_time": 0} == {**good, "iat": 0, "exp": 0, "auth_time": 0}


@pytest.mark.parametrize(
    ("fault", "claim"),
    [("wrong_iss", "iss"), ("wrong_aud", "aud"), ("wrong_nonce", "nonce"), ("no_nonce", "nonce")],
)
async def test_the_signature_is_good_and_one_claim_is_not(visit: Visit, fault: str, claim: str) -> None:
    good = await visit.verified(await id_token(visit))
    bad = await visit.verified(await id_token(visit, token=fault))
    assert bad.get(claim) != good[claim]
    unlike = {name for name in good if bad.get(name) != good[name]}
    assert unlike - {"iat", "exp", "auth_time"} == {claim}


async def test_names_a_published_key_that_did_not_sign(visit: Visit) -> None:
    right, wrong = parts(await id_token(visit))[0], parts(await id_token(visit, token="wrong_kid"))[0]
    published = [key["kid"] for key in (await visit.session.get("/jwks")).json["keys"]]
    assert right["kid"] != wrong["kid"]
    assert {right["kid"], wrong["kid"]} <= set(published)


async def test_an_unknown_key_has_another_name_each_time(visit: Visit) -> None:
    kids = {parts(await id_token(visit, token="unknown_kid"))[0]["kid"] for _ in range(5)}
    published = {key["kid"] for key in (await visit.session.get("/jwks")).json["keys"]}
    assert len(kids) == 5
    assert not kids & published


async def test_times_are_off_by_as_much_as_was_said(visit: Visit) -> None:
    now = time.time()
    expired = await visit.verified(await id_token(visit, token="expired", off_s=61))
    early = await visit.verified(await id_token(visit, token="not_yet_valid", off_s=61))
    assert now - 62 <= expired["exp"] <= time.time() - 61
    assert now + 61 <= early["nbf"] <= time.time() + 62
    assert early["exp"] > early["nbf"]


async def test_a_clock_that_is_ahead_dates_everything_so(visit: Visit) -> None:
    now = time.time()
    ahead = await visit.verified(await id_token(visit, clock_ahead_s=61))
    behind = await visit.verified(await id_token(visit, clock_ahead_s=-61))
    assert ahead["iat"] >= int(now) + 61
    assert behind["iat"] <= time.time() - 61
    assert ahead["exp"] - ahead["iat"] == behind["exp"] - behind["iat"] == 300


async def test_no_algorithm_means_no_signature(visit: Visit) -> None:
    header, _, signature = parts(await id_token(visit, token="alg_none"))
    assert (header["alg"], signature) == ("none", b"")


async def test_the_public_key_as_a_shared_secret_really_verifies(visit: Visit) -> None:
    token = await id_token(visit, token="hs256_public_key")
    published = (await visit.session.get("/jwks")).json["keys"]
    key = next(k for k in published if k["kid"] == parts(token)[0]["kid"])
    pem = ECKey.import_key(key).as_pem(private=False)
    signed, _, signature = token.rpartition(".")
    made = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(made).rstrip(b"=").decode() == signature


@pytest.mark.parametrize(("fault", "header"), [("jku_attacker", "jku"), ("x5u_attacker", "x5u")])
async def test_who_believes_the_header_is_fooled_and_is_counted(
    visit: Visit, stub: Stub, fault: str, header: str
) -> None:
    token = await id_token(visit, token=fault)
    found = await visit.session.get(parts(token)[0][header].removeprefix(stub.issuer))
    key = ECKey.import_key(found.json["keys"][0] if header == "jku" else found.body)
    assert jwt.decode(token, key, algorithms=["ES256"]).claims["sub"] == stub.people[0].sub
    assert stub.counts["attacker"] == 1


async def test_who_believes_a_key_the_token_brings_is_fooled(visit: Visit, stub: Stub) -> None:
    token = await id_token(visit, token="embedded_jwk")
    key = ECKey.import_key(parts(token)[0]["jwk"])
    assert jwt.decode(token, key, algorithms=["ES256"]).claims["sub"] == stub.people[0].sub


async def test_addresses_are_anothers_or_unconfirmed_as_told(visit: Visit) -> None:
    async def told(**conduct: Any) -> tuple[Any, Any]:
        claims = await visit.verified(await id_token(visit, **conduct))
        return claims["email"], claims.get("email_verified")

    own, _ = await told()
    assert await told(email="victim@app.test") == ("victim@app.test", True)
    assert await told(email_verified="false") == (own, False)
    assert await told(email_verified="unsaid") == (own, None)


async def test_userinfo_speaks_of_somebody_else_when_told_to(visit: Visit, stub: Stub) -> None:
    await stub.behave(foreign_userinfo=True)
    tokens = await visit.tokens()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    told = (await visit.session.get("/userinfo", headers=bearer)).json
    assert told["sub"] != (await visit.verified(tokens["id_token"]))["sub"]


async def test_the_way_back_is_spoilt_as_told(visit: Visit, stub: Stub) -> None:
    async def back(fault: str) -> dict[str, str]:
        await stub.behave(callback=fault)
        return sent_back(await visit.authorize())

    assert "iss" not in await back("no_iss")
    assert (await back("wrong_iss"))["iss"] != stub.issuer
    assert "state" not in await back("no_state")
    assert (await back("wrong_state"))["state"] != "a state"
    denied = await back("denied")
    assert (denied["error"], denied.get("code"), denied["state"]) == ("access_denied", None, "a state")
    await stub.behave()
    assert set(sent_back(await visit.authorize())) == {"code", "state", "iss"}
