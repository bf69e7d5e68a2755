"""After signing in one lands on this app, whatever the link said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.rooms.auth.landing import is_own_path
from tests.rooms.auth.conftest import AuthApp

HOSTILE = [
    "https://evil.example", "http://evil.example/account", "//evil.example", "///evil.example", "////evil.example",
    "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "/%5cevil.example", "/%2fevil.example",
    "/%252fevil.example", "/%25252fevil.example", "/%2525252525252fevil.example", "//evil.example@localhost",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "mailto:eve@evil.example", "evil.example",
    "account", " /account", "\t//evil.example", "/\t/evil.example", "/\n/evil.example", "/account\r\nset-cookie: sid=x",
    "/%0d%0aset-cookie:sid=x", "/\x1f/evil.example", "/%00", "/..//evil.example", "/a/..//evil.example", "/./../x",
    "/%2e%2e//evil.example", "/;//evil.example", "?next=//evil.example", "#//evil.example", "", "/é", "/\u2215evil",
    "/" + "a" * 3_000, "/login", "/login?next=/login", "/logout", "/signup", "/verify?token=x",
    "/oauth/stub", "/oauth/stub/callback?code=x", "//evil.example%2f@localhost", "http:evil.example", "http:/evil.example",
    "https:///evil.example", "//evil%00.example", "/%09/evil.example", "/%5c%5cevil.example", "/%2f%5cevil.example",
    "//\uff0fevil.example", "/\uff0f/evil.example", "vbscript:x", "blob:https://evil.example/x", "//[::1]/", "//0x7f000001/",
]  # fmt: skip
HONEST = [
    "/account", "/", "/invoices?status=open&page=2", "/invoices/018f-7#line-3", "/a/b;c=1/d,e", "/search?q=a%20b%2Fc",
    "/pages?url=https://other.example//x", "/x~y_z.html",
]  # fmt: skip


async def test_a_hostile_next_is_never_followed_and_an_honest_one_is(auth: AuthApp) -> None:
    client = await auth.signed_in()
    for wanted in HOSTILE:
        answer = await auth.sign_in(next=wanted)
        # What is not written plainly does not get past the edge.
        assert (answer.status, answer.header("location")) in ((303, "/account"), (400, None)), wanted
    for wanted in HONEST:
        assert (await auth.sign_in(next=wanted)).header("location") == wanted
    already = await client.get("/login?next=%2F%2Fevil.example")
    assert already.header("location") == "/account"
    assert (await client.get("/login?next=/invoices")).header("location") == "/invoices"


async def test_the_form_carries_an_honest_next_only(auth: AuthApp) -> None:
    page = await auth.client().get("/login?next=/invoices")
    assert 'name="next" value="&#x2f;invoices"' in page.text
    assert "evil" not in (await auth.client().get("/login?next=//evil.example")).text


@pytest.mark.parametrize("wanted", HONEST)
def test_an_honest_path_is_ours(wanted: str) -> None:
    assert is_own_path(wanted)


@given(st.text(alphabet="/\\.:@%2fF5cC0dDa?#ex \t\n", max_size=24))
def test_what_is_ours_keeps_its_host_in_every_reading(tail: str) -> None:
    wanted = "/" + tail
    if is_own_path(wanted):
        from urllib.parse import unquote, urljoin, urlsplit

        for reading in (wanted, unquote(wanted), unquote(unquote(wanted)), wanted.replace("\\", "/")):
            assert urlsplit(urljoin("http://here.example/login", reading)).netloc == "here.example"
