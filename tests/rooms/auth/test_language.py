"""A person chooses the language of their pages, signed in or not, and it stays chosen."""

from __future__ import annotations

import pytest

from tests.rooms.auth.conftest import SIGN_UP, AuthApp
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


async def test_a_choice_on_the_account_holds_in_every_session_and_every_browser(auth: AuthApp) -> None:
    english = {"accept-language": "en"}
    here, there = await auth.signed_in(), await auth.signed_in()
    assert language_of((await there.get("/account", headers=english)).text) == "en"
    chosen = await here.post("/language", form={"language": "de"}, headers=english)
    assert chosen.status == 303
    for client in (here, there, await auth.signed_in()):
        page = await client.get("/account", headers={**english, "accept": "text/html"})
        assert language_of(page.text) == "de"
        assert "Anmeldung in zwei Schritten" in page.text
    refused = await there.get("/invitation?token=none", headers={**english, "accept": "text/html"})
    assert (refused.status, language_of(refused.text)) == (404, "de")
    stranger = auth.client()
    assert language_of((await stranger.get("/login", headers=english)).text) == "en"


async def test_letters_are_in_the_language_of_their_reader_else_of_whoever_asked(auth: AuthApp) -> None:
    owner = await auth.signed_in()
    for chosen, expected in (("", "A new password for Test app"), ("de", "Ein neues Passwort für Test app")):
        if chosen:
            await owner.post("/language", form={"language": chosen})
        await auth.client().post(
            "/forgot", form={"email": auth.owner.email}, headers={"accept-language": "en"}
        )
        await auth.work()
        assert auth.mails[-1].subject == expected
    assert auth.mails[-1].text.startswith("Guten Tag ")
    assert "Der Link gilt 30 Minuten und nur einmal." in auth.mails[-1].text
    await auth.client().post("/signup", form=SIGN_UP, headers={"accept-language": "de"})
    await auth.work()
    assert auth.mails[-1].subject == "Bestätigen Sie Ihre Adresse für Test app"


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
