"""The jar keeps what is set and drops what is over."""

from __future__ import annotations

import pytest

from shipworthy.gauntlet.load.cookies import Jar


def jar_with(*set_cookies: str) -> Jar:
    jar = Jar()
    for set_cookie in set_cookies:
        jar.store(set_cookie)
    return jar


def test_cookies_are_sent_back_by_name_and_value_only() -> None:
    jar = jar_with("__Host-session=abc=; Path=/; Secure; HttpOnly; SameSite=Lax", "theme=dark; Max-Age=3600")
    assert jar.header == "__Host-session=abc=; theme=dark"


def test_a_later_value_replaces_an_earlier_one() -> None:
    assert jar_with("session=old", "session=new").header == "session=new"


@pytest.mark.parametrize(
    "over",
    [
        "session=; Max-Age=0",
        "session=x; max-age=-1",
        "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "session=; Path=/; Max-Age=0; Expires=Fri, 31 Dec 2999 23:59:59 GMT",
    ],
)
def test_a_cookie_that_is_over_is_dropped_and_the_others_stay(over: str) -> None:
    assert jar_with("session=abc", "theme=dark", over).header == "theme=dark"


@pytest.mark.parametrize(
    "lasting",
    ["session=x; Max-Age=10", "session=x; Expires=Fri, 31 Dec 2999 23:59:59 GMT", "session=x; Expires=soon"],
)
def test_a_cookie_that_lasts_is_kept(lasting: str) -> None:
    assert jar_with(lasting).header == "session=x"


def test_what_is_no_cookie_is_ignored() -> None:
    assert jar_with("", "=x", "novalue", ";").header == ""


def test_every_change_raises_the_version() -> None:
    jar = jar_with("session=abc")
    before = jar.version
    jar.store("session=def")
    assert jar.version > before
