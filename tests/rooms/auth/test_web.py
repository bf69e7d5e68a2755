"""The room's pages: every one renders, strictly, and says what it should."""

from __future__ import annotations

import re

import pytest

from tests.rooms.auth.conftest import SIGN_UP, AuthApp
from tests.support.client import Answer

PAGES = {
    "/login": "Sign in",
    "/signup": "Create your account",
    "/signup/sent": "Check your mail",
    "/signup/again": "Send the mail again",
    "/verify?token=x": "This link no longer works",
}


@pytest.mark.parametrize(("path", "heading"), PAGES.items())
async def test_every_page_has_one_heading_and_nothing_inline(auth: AuthApp, path: str, heading: str) -> None:
    _strict(await auth.client().get(path), heading)


async def test_the_pages_for_those_who_are_known_do_too(auth: AuthApp) -> None:
    client = await auth.signed_in()
    await auth.signed_in()
    _strict(await client.get("/account"), "Account")
    await auth.client().post("/signup", form=SIGN_UP)
    _strict(await auth.client().get(await auth.link_mailed_to(SIGN_UP["email"])), "Confirm your address")


async def test_what_people_type_is_shown_as_text(auth: AuthApp) -> None:
    hostile = '"><script>alert(1)</script>'
    pages = [
        await auth.client().post("/login", form={"email": hostile, "password": hostile, "next": hostile}),
        await auth.client().post("/signup", form=dict.fromkeys(SIGN_UP, hostile)),
        await auth.client().post("/signup/again", form={"email": hostile}),
        await auth.client().get("/login?next=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E"),
    ]
    assert not [page for page in pages if "<script>alert" in page.text]


async def test_the_signed_in_do_not_see_the_door(auth: AuthApp) -> None:
    client = await auth.signed_in()
    assert (await client.get("/login")).header("location") == "/account"


async def test_a_wrong_method_says_which_are_right(auth: AuthApp) -> None:
    answer = await auth.client().get("/logout")
    assert (answer.status, answer.header("allow")) == (405, "POST")


def _strict(page: Answer, heading: str) -> None:
    assert re.findall(r"<h1[^>]*>([^<]+)</h1>", page.text) == [heading] or f">{heading}</h1>" in page.text
    assert page.text.count("<h1") == 1
    assert not re.search(r"<[^>]+\son[a-z]+=|<[^>]+\sstyle=|<style|javascript:", page.text)
    assert "default-src 'none'" in (page.header("content-security-policy") or "")
    assert page.header("cache-control") == "no-store"
    for field in re.findall(r"<input (?!type=\"hidden\")[^>]*>", page.text):
        if " hidden>" in field:
            continue  # tells a password manager whose password it is
        name = re.search(r'id="([^"]+)"', field)
        assert name, field
        assert f'for="{name.group(1)}"' in page.text
