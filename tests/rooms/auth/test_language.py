"""A person chooses the language of their pages, signed in or not, and it stays chosen."""

from __future__ import annotations

import pytest

from tests.rooms.auth.conftest import AuthApp
from tests.support.page import parse


def language_of(text: str) -> str | None:
    return parse(text).one("html").attributes["lang"]


async def test_a_choice_holds_over_what_the_browser_asks_for_and_leads_back(auth: AuthApp) -> None:
    client = auth.client()
    english = {"accept-language": "en", "referer": "http://localhost/signup"}
    assert language_of((await client.get("/login", headers=english)).text) == "en"
    chosen = await client.post("/language", form={"language": "de"}, headers=english)
    assert (chosen.status, chosen.header("location")) == (303, "/signup")
    page = await client.get("/login", headers=english)
    assert language_of(page.text) == "de"
    assert "Zum Inhalt springen" in page.text


async def test_without_a_choice_the_browser_decides_and_then_the_app(auth: AuthApp) -> None:
    assert language_of((await auth.client().get("/login", headers={"accept-language": "de-AT"})).text) == "de"
    assert language_of((await auth.client().get("/login", headers={"accept-language": "fi"})).text) == "en"


@pytest.mark.parametrize(
    "referer", ["http://elsewhere.example/x", "http://[", "", "http://localhost//evil.example"]
)
async def test_it_never_leads_to_another_site(auth: AuthApp, referer: str) -> None:
    chosen = await auth.client().post("/language", form={"language": "de"}, headers={"referer": referer})
    assert chosen.header("location") == "/"


async def test_a_language_nobody_speaks_here_is_refused(auth: AuthApp) -> None:
    client = auth.client()
    refused = await client.post("/language", form={"language": "xx"}, headers={"accept": "text/html"})
    assert refused.status == 422
    assert client.cookies == {}
