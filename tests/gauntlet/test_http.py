"""The examiner's HTTP caller, on real sockets: hosts, origin, cookies, bounds, tokens."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from shipworthy.contract.manifest import Login
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.http import HttpSession, Unanswered, sign_in
from tests.support.ledger import ACME, served


async def _echo(request: Request) -> Response:
    seen = {name: request.headers.get(name) for name in ("host", "origin", "cookie", "authorization")}
    answer = JSONResponse(seen)
    answer.set_cookie("sid", "s1")
    return answer


async def _large(_request: Request) -> Response:
    async def chunks() -> Any:
        for _ in range(100):
            yield b"x" * 1_000

    return StreamingResponse(chunks())


async def _trickle(_request: Request) -> Response:
    async def chunks() -> Any:
        while True:
            yield b"x"
            await asyncio.sleep(0.02)

    return StreamingResponse(chunks())


async def _token(request: Request) -> Response:
    body = await request.json()
    return JSONResponse({"access_token": f"for-{body['user']}"})


APP = Starlette(
    routes=[
        Route("/echo", _echo, methods=["GET", "POST"]),
        Route("/large", _large),
        Route("/trickle", _trickle),
        Route("/token", _token, methods=["POST"]),
        Route("/away", lambda _request: RedirectResponse("/echo", 303)),
    ]
)


async def test_a_site_under_localhost_is_reached_by_its_own_name_and_keeps_its_own_cookies() -> None:
    async with served(APP) as base_url:
        port = base_url.rpartition(":")[2]
        session = HttpSession(base_url, site_url=f"http://acme.localhost:{port}")
        await session.get("/echo")
        assert (await session.get("/echo")).json["cookie"] == "sid=s1"
        site = (await session.get("/echo", site=True)).json
        assert (site["host"], site["cookie"]) == (f"acme.localhost:{port}", None)
        await session.close()


async def test_unsafe_requests_say_where_they_come_from_and_redirects_are_answers() -> None:
    async with served(APP) as base_url:
        session = HttpSession(base_url)
        assert (await session.get("/echo")).json["origin"] is None
        assert (await session.post("/echo", json_body={})).json["origin"] == base_url
        away = await session.get("/away")
        assert (away.status, away.header("location")) == (303, "/echo")
        await session.close()


async def test_a_body_over_the_cap_is_cut_and_one_that_trickles_is_too_late() -> None:
    async with served(APP) as base_url:
        session = HttpSession(base_url)
        answer = await session.get("/large", body_bytes_max=5_000)
        assert (len(answer.body), answer.is_cut) == (5_000, True)
        with pytest.raises(Unanswered, match="within 0.2 s"):
            await session.get("/trickle", timeout_s=0.2)
        await session.close()


async def test_nobody_listening_is_unanswered_and_text_is_not_json() -> None:
    async with served(APP) as base_url:
        session = HttpSession(base_url)
        with pytest.raises(Undecided, match="is not JSON"):
            _ = (await session.get("/large")).json
        await session.close()
    session = HttpSession(base_url)
    with pytest.raises(Unanswered, match="GET /echo"):
        await session.get("/echo")
    await session.close()


async def test_a_token_in_the_answer_signs_later_requests() -> None:
    async with served(APP) as base_url:
        session = HttpSession(base_url)
        login = Login(route="POST /token", form={"user": "{email}", "pass": "{password}"}, media="json")
        await sign_in(session, login, ACME)
        assert (await session.get("/echo")).json["authorization"] == f"Bearer for-{ACME.email}"
        await session.close()
