"""Signing in brings a session, or says plainly why not."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.load.signin import SignInFailed, sign_in
from tests.gauntlet.load.servers import Handler, answer, answering, serving
from tests.gauntlet.load.test_client import closing, pool_to

ADA = Credential(email="ada@example.org", password="it's & secret")
FORM = Login(route="POST /login", form={"email": "{email}", "password": "{password}", "next": "/home"})
SESSION = answer(status="303 See Other", headers="Location: /home\r\nSet-Cookie: session=abc; HttpOnly\r\n")


async def test_a_form_login_sends_the_fields_and_returns_the_cookies() -> None:
    async with serving(answering(SESSION)) as server, pool_to(server.url) as pool:
        jar = await sign_in(FORM, ADA, pool=pool, timeout_s=1.0)
    assert jar.header == "session=abc"
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.headers["origin"]) == ("POST", "/login", server.url)
    assert parse_qs(seen.body.decode()) == {
        "email": [ADA.email],
        "password": [ADA.password],
        "next": ["/home"],
    }


async def test_a_json_login_sends_json() -> None:
    login = Login(route="POST /api/login", form=FORM.form, media="json")
    async with serving(answering(SESSION)) as server, pool_to(server.url) as pool:
        await sign_in(login, ADA, pool=pool, timeout_s=1.0)
    assert json.loads(server.seen[0].body) == {"email": ADA.email, "password": ADA.password, "next": "/home"}


async def test_a_form_with_a_token_is_sent_as_its_page_gave_it() -> None:
    page = b'<form method=post action=/login><input type=hidden name=csrf value="t&amp;1"><input name=email><input type=password name=password></form>'
    handler = answering(answer(page, headers="Set-Cookie: csrf=t1\r\nContent-Type: text/html\r\n"), SESSION)
    login = replace(FORM, form={"email": "{email}", "password": "{password}"}, page="/login")
    async with serving(handler) as server, pool_to(server.url) as pool:
        jar = await sign_in(login, ADA, pool=pool, timeout_s=1.0)
    assert jar.header == "csrf=t1; session=abc"
    asked, sent = server.seen
    assert (asked.method, asked.path) == ("GET", "/login")
    assert sent.headers["cookie"] == "csrf=t1"
    assert parse_qs(sent.body.decode())["csrf"] == ["t&1"]


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        pytest.param(answering(answer(status="401 Unauthorized")), "answered 401, 200 or 303", id="refused"),
        pytest.param(answering(answer()), "without a cookie", id="no cookie"),
        pytest.param(closing, "closed", id="dies"),
    ],
)
async def test_a_failed_login_names_the_user_and_what_was_answered(handler: Handler, says: str) -> None:
    async with serving(handler) as server, pool_to(server.url) as pool:
        with pytest.raises(SignInFailed, match=f"ada@example.org by POST /login.*{says}"):
            await sign_in(FORM, ADA, pool=pool, timeout_s=1.0)


async def test_a_failed_login_does_not_say_the_password() -> None:
    async with serving(answering(answer(status="401 Unauthorized"))) as server, pool_to(server.url) as pool:
        with pytest.raises(SignInFailed) as failed:
            await sign_in(FORM, ADA, pool=pool, timeout_s=1.0)
    assert "secret" not in str(failed.value)
