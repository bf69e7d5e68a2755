"""A good provider: what it publishes, what it signs, and all that it refuses.

Covers: authorize, exchange, forms, state, registry, stub.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import quote

import pytest

from shipworthy.gauntlet.idp.registry import Client, seeded_people
from shipworthy.gauntlet.idp.stub import Stub, stub_running
from tests.support.relying import APP, CALLBACK, Visit, sent_back


async def test_a_sign_in_ends_with_a_token_that_the_published_keys_verify(visit: Visit, stub: Stub) -> None:
    tokens = await visit.tokens()
    claims = await visit.verified(tokens["id_token"])
    person = stub.people[0]
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (stub.issuer, "app", visit.nonce)
    assert (claims["sub"], claims["email"], claims["email_verified"]) == (person.sub, person.email, True)
    assert claims["exp"] - claims["iat"] == 300
    told = await visit.session.get("/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert told.json == {
        "sub": person.sub,
        "email": person.email,
        "email_verified": True,
        "name": person.name,
    }
    assert stub.counts == {"authorize": 1, "token": 1, "jwks": 1, "userinfo": 1}


async def test_rs256_is_signed_for_a_client_that_wants_it() -> None:
    client = replace(APP, algorithm="RS256")
    async with stub_running(clients=[client]) as stub:
        visit = Visit(stub, client)
        claims = await visit.verified((await visit.tokens())["id_token"])
        discovery = (await visit.session.get("/.well-known/openid-configuration")).json
        await visit.session.close()
    assert claims["sub"] == stub.people[0].sub
    assert discovery["id_token_signing_alg_values_supported"] == ["ES256", "RS256"]
    assert discovery["issuer"] == stub.issuer


async def test_the_answer_carries_state_and_issuer(visit: Visit, stub: Stub) -> None:
    answer = sent_back(await visit.authorize(state="s & t"))
    assert answer["state"] == "s & t"
    assert answer["iss"] == stub.issuer


async def test_scopes_decide_what_is_told(visit: Visit) -> None:
    assert "id_token" not in await visit.tokens(scope="email")
    claims = await visit.verified((await visit.tokens(scope="openid"))["id_token"])
    assert not {"email", "email_verified", "name"} & set(claims)


@pytest.mark.parametrize(
    "asked",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge": ""},
        {"code_challenge": "short"},
        {"response_type": "token"},
        {"response_mode": "fragment"},
    ],
)
async def test_a_wrong_request_goes_back_with_an_error_and_no_code(
    visit: Visit, asked: dict[str, str]
) -> None:
    answer = sent_back(await visit.authorize(**asked))
    assert "code" not in answer
    assert answer["error"] in ("invalid_request", "unsupported_response_type")
    assert "code" in sent_back(await visit.authorize())


@pytest.mark.parametrize(
    "redirect_uri",
    [
        CALLBACK + "/",
        CALLBACK + "?x=1",
        CALLBACK + "#x",
        CALLBACK.upper(),
        CALLBACK.replace("127.0.0.1", "127.0.0.1@evil.test"),
        "//evil.test",
        "",
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_registered(visit: Visit, redirect_uri: str) -> None:
    answer = await visit.authorize(redirect_uri=redirect_uri)
    assert answer.status == 400
    assert not answer.header("location")


async def test_an_unknown_client_is_not_sent_anywhere(visit: Visit) -> None:
    assert (await visit.authorize(client_id="nobody")).status == 400


async def test_a_code_works_once_and_its_second_use_takes_everything_back(visit: Visit) -> None:
    code = await visit.code(scope="openid offline_access")
    tokens = (await visit.token(code)).json
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await visit.session.get("/userinfo", headers=bearer)).status == 200
    again = await visit.token(code)
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    assert (await visit.session.get("/userinfo", headers=bearer)).status == 401
    assert (await _refreshed(visit, tokens["refresh_token"])).status == 400


async def _refreshed(visit: Visit, token: str):  # type: ignore[no-untyped-def]
    return await visit.session.post(
        "/token",
        form={
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": "app",
            "client_secret": APP.secrets[0],
        },
    )


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(visit: Visit) -> None:
    first = (await visit.tokens(scope="openid offline_access"))["refresh_token"]
    second = (await _refreshed(visit, first)).json["refresh_token"]
    assert (await _refreshed(visit, first)).status == 400
    assert (await _refreshed(visit, second)).status == 400


@pytest.mark.parametrize(
    "sent",
    [
        {"code_verifier": "x" * 64},
        {"code_verifier": ""},
        {"redirect_uri": CALLBACK + "2"},
        {"grant_type": "password"},
        {"grant_type": ""},
    ],
)
async def test_a_code_is_good_only_with_its_verifier_and_address(visit: Visit, sent: dict[str, str]) -> None:
    answer = await visit.token(await visit.code(), **sent)
    assert answer.status == 400
    assert answer.json["error"] in ("invalid_grant", "unsupported_grant_type")
    assert (await visit.token(await visit.code())).status == 200


async def test_a_code_of_one_client_is_no_good_to_another(visit: Visit, stub: Stub) -> None:
    stub.register(Client(client_id="other", secrets=("o",), redirect_uris=(CALLBACK,)))
    code = await visit.code()
    stolen = await visit.token(code, client_id="other", client_secret="o")
    assert stolen.json["error"] == "invalid_grant"


async def test_both_secrets_are_good_by_basic_and_in_the_body_and_no_third(visit: Visit) -> None:
    for secret in APP.secrets:
        assert (await visit.token(await visit.code(), client_secret=secret)).status == 200
        basic = base64.b64encode(f"app:{quote(secret, safe='')}".encode()).decode()
        answer = await _with_basic(visit, basic)
        assert answer.status == 200, answer.text
    wrong = await visit.token(await visit.code(), client_secret="s3")
    assert (wrong.status, wrong.json["error"]) == (401, "invalid_client")
    assert (await _with_basic(visit, base64.b64encode(b"app:s3").decode())).status == 401
    assert (await _with_basic(visit, "no basic")).status == 401
    assert (await _with_basic(visit, base64.b64encode(b"app").decode())).status == 401


async def _with_basic(visit: Visit, value: str):  # type: ignore[no-untyped-def]
    form = {
        "grant_type": "authorization_code",
        "code": await visit.code(),
        "redirect_uri": CALLBACK,
        "code_verifier": visit.verifier,
    }
    return await visit.session.post("/token", form=form, headers={"authorization": f"Basic {value}"})


async def test_a_public_client_needs_no_secret_and_may_bring_none() -> None:
    public = Client(client_id="spa", redirect_uris=(CALLBACK,))
    async with stub_running(clients=[public]) as stub:
        visit = Visit(stub, public)
        assert (await visit.token(await visit.code())).status == 200
        assert (await visit.token(await visit.code(), client_secret="x")).status == 401
        await visit.session.close()


async def test_the_same_seed_gives_the_same_people_and_fresh_keys() -> None:
    async with stub_running(clients=[APP]) as one, stub_running(clients=[APP]) as other:
        assert one.people == other.people == seeded_people(10)
        visits = Visit(one), Visit(other)
        kids = [{k["kid"] for k in (await v.session.get("/jwks")).json["keys"]} for v in visits]
        for visit in visits:
            await visit.session.close()
    assert not kids[0] & kids[1]
    assert seeded_people(2, seed="other") != seeded_people(2)


async def test_who_signs_in_can_be_chosen_by_hint_by_conduct_and_in_turn(visit: Visit, stub: Stub) -> None:
    async def signed_in(**asked: str) -> str:
        return (await visit.verified((await visit.tokens(**asked))["id_token"]))["sub"]

    assert await signed_in(login_hint=stub.people[3].email) == stub.people[3].sub
    await stub.behave(person=stub.people[2].sub)
    assert await signed_in() == stub.people[2].sub
    await stub.behave(person="*")
    assert [await signed_in() for _ in range(2)] == [p.sub for p in stub.people[:2]]


async def test_rotation_takes_the_old_key_away_or_leaves_it(visit: Visit, stub: Stub) -> None:
    before = (await visit.tokens())["id_token"]
    stub.rotate(keep_old=True)
    await visit.verified(before)
    await visit.verified((await visit.tokens())["id_token"])
    stub.rotate()
    with pytest.raises(Exception, match="key"):
        await visit.verified(before)
    await visit.verified((await visit.tokens())["id_token"])


async def test_signing_out_sends_on_to_registered_addresses_only(visit: Visit, stub: Stub) -> None:
    stub.register(replace(APP, signed_out_uris=("http://127.0.0.1:1/bye",)))
    known = "client_id=app&post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fbye"
    there = await visit.session.get(f"/end-session?{known}&state=x")
    assert there.header("location") == "http://127.0.0.1:1/bye?state=x"
    assert (await visit.session.get(f"/end-session?{known}2")).status == 400
    assert (await visit.session.get("/end-session")).status == 200


async def test_a_parameter_that_comes_twice_counts_for_nothing(visit: Visit) -> None:
    answer = await visit.session.get("/authorize?client_id=app&client_id=app")
    assert answer.status == 400
    assert (await visit.session.get("/nowhere")).status == 404
    assert (await visit.session.get("/token")).status == 405


async def test_cache_headers_are_as_told(visit: Visit, stub: Stub) -> None:
    assert (await visit.session.get("/jwks")).header("cache-control") == "public, max-age=300"
    await stub.behave(jwks_max_age_s=0)
    assert (await visit.session.get("/jwks")).header("cache-control") == "no-store"
