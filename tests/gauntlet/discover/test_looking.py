"""What a running app shows to a visitor, on a real socket."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from shipworthy.gauntlet.discover.draft import Draft
from shipworthy.gauntlet.discover.looking import NothingThere, login_of, look
from shipworthy.gauntlet.http import HttpSession, sign_in
from shipworthy.gauntlet.load.page import forms_of
from shipworthy.local.ports import free_port
from tests.support.ledger import ACME, served

FORM = '<form method="post" action="/enter"><input type="hidden" name="csrf" value="{}"><input type="email" name="mail"><input type="password" name="secret"></form>'


class Stranger:
    """An app with a sign-in form whose token is made anew each time, as most frameworks do it."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/about", lambda _: HTMLResponse("<title>About</title>")),
                Route("/old", lambda _: RedirectResponse("/about")),
                Route("/members", self.page),
                Route("/enter", self.enter, methods=["POST"]),
                Route("/healthz", lambda _: JSONResponse({"ok": True})),
                Route("/sitemap.xml", lambda _: Response("<urlset/>", media_type="application/xml")),
                Route("/openapi.json", lambda _: JSONResponse({"paths": {"/api/notes": {"get": {}}}})),
            ]
        )

    async def home(self, _request: Request) -> Response:
        return HTMLResponse(
            "<title>The  Shop</title><a href='/about'>About</a><a href='/old'>Old</a><a href='/members'>Log in</a>"
            "<a href='http://[no'>Odd</a><a href='/missing'>Gone</a><a href='https://elsewhere.example/'>Away</a><a href='/about?x=1'>Again</a>"
        )

    async def page(self, _request: Request) -> Response:
        self.tokens.add(token := secrets.token_hex(8))
        answer = HTMLResponse(FORM.format(token))
        answer.set_cookie("csrf", token)
        return answer

    async def enter(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        is_ours = form.get("csrf") in self.tokens and form.get("csrf") == request.cookies.get("csrf")
        is_known = form["mail"] == ACME.email and form["secret"] == ACME.password
        return RedirectResponse("/", 302) if is_ours and is_known else Response(status_code=403)


async def test_a_visitor_sees_the_pages_the_form_the_document_and_the_sitemap() -> None:
    async with served(Stranger().asgi()) as url:
        seen = await look(url)
    assert seen.name is not None
    assert seen.name.value == "The Shop"
    assert seen.health is not None
    assert seen.health.value == "/healthz"
    assert seen.pages is not None
    assert seen.pages.value == ("/", "/about", "/members")
    assert seen.sitemap is not None
    assert seen.routes is not None
    assert [route.path for route in seen.routes.value] == ["/api/notes"]
    assert seen.openapi is not None
    assert seen.openapi.value == "/openapi.json"


async def test_the_form_that_was_seen_signs_in_with_the_token_of_its_page() -> None:
    app = Stranger()
    async with served(app.asgi()) as url:
        login = (await look(url)).login
        assert login is not None
        assert (login.value.route, login.value.page) == ("POST /enter", "/members")
        session = HttpSession(url)
        try:
            assert (await sign_in(session, login.value, ACME)).status == 302
            app.tokens.clear()
            assert (
                await session.post("/enter", form={"csrf": "", "mail": ACME.email, "secret": ACME.password})
            ).status == 403
        finally:
            await session.close()


async def test_where_every_address_answers_alike_a_200_says_nothing() -> None:
    async def alike(_request: Request) -> Response:
        return HTMLResponse("<title>One</title><div id=root></div><a href='/x'>x</a>")

    async with served(Starlette(routes=[Route("/{path:path}", alike)])) as url:
        seen = await look(url)
    assert seen.health is None
    assert seen.pages is not None
    assert seen.pages.value == ("/",)
    assert seen.login is None


async def test_nobody_there_is_said() -> None:
    with pytest.raises(NothingThere, match="Is the app running"):
        await look(f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    "html",
    [
        "<form method=post><input name=email><input type=password name=a><input type=password name=b></form>",
        "<form method=get><input name=email><input type=password name=a></form>",
        "<form method=post><input name=q></form>",
    ],
    ids=["a sign-up asks for the password twice", "a GET form", "a search"],
)
def test_other_forms_are_not_taken_for_a_sign_in(html: str) -> None:
    assert login_of(forms_of(html), "/login") is None


def test_what_an_earlier_source_said_stands_and_notes_are_kept_once() -> None:
    first, second = Draft(notes=("a", "b")), Draft(notes=("b", "c"))
    assert first.completed_by(second).notes == ("a", "b", "c")
