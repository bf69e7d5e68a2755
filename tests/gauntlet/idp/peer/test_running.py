"""The way through another provider's pages: forms are filled in, dead ends are said."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from shipworthy.gauntlet.http import HttpSession
from shipworthy.gauntlet.idp.peer.running import LostAtPeer, through
from tests.support.ledger import served

FORM = '<form action="/sent"><input name="prompt" value="login"></form>'


async def form(_request: Request) -> Response:
    return HTMLResponse(FORM)


async def sent(request: Request) -> Response:
    who = dict(parse_qsl((await request.body()).decode()))["login"]
    return RedirectResponse(f"http://app.example/back?code={who}", 303)


async def circle(_request: Request) -> Response:
    return RedirectResponse("/circle", 303)


async def dead_end(_request: Request) -> Response:
    return HTMLResponse("<p>Only <b>words</b></p>")


PAGES = Starlette(
    routes=[
        Route("/form", form),
        Route("/sent", sent, methods=["POST"]),
        Route("/circle", circle),
        Route("/dead-end", dead_end),
    ]
)


async def test_forms_are_filled_in_and_dead_ends_are_said() -> None:
    async with served(PAGES) as issuer:
        browser = HttpSession(issuer)
        assert await through(browser, issuer, f"{issuer}/form", "ann") == "/back?code=ann"
        with pytest.raises(LostAtPeer, match="round in circles"):
            await through(browser, issuer, f"{issuer}/circle", "ann")
        with pytest.raises(LostAtPeer, match="no form at /dead-end: Only words"):
            await through(browser, issuer, f"{issuer}/dead-end", "ann")
        with pytest.raises(LostAtPeer, match="404"):
            await through(browser, issuer, f"{issuer}/nowhere", "ann")
        await browser.close()
