"""The door: refused by the head of a request, in the same words, whoever is meant."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import uvicorn

from shipworthy.kernel.http.server import BoundedHttp, options
from shipworthy.rooms.auth.gate.line import Caller, Standing
from shipworthy.rooms.auth.hashing import HashPool, pool_of
from tests.rooms.auth.conftest import PASSWORD, AuthApp
from tests.support.client import Client
from tests.support.hashing import full_line


@pytest.fixture
async def port(auth: AuthApp) -> AsyncIterator[int]:
    """The app on a real socket, as `serve` runs it."""
    config = uvicorn.Config(auth.running.asgi, **{**options(), "lifespan": "off"})
    config.load()
    state = uvicorn.Server(config).server_state
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(
        lambda: BoundedHttp(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    yield listener.sockets[0].getsockname()[1]
    listener.close()


def ready(pool: HashPool) -> int:
    """How many are looked up and wait for nothing but a worker."""
    return sum(len(flow.ready) for lane in pool._line._lanes.values() for flow in lane.flows.values())


async def ask(port: int, *, email: str, head: str = "", cookie: str = "") -> str:
    """Post a sign-in; return the answer's text, as read to its end."""
    body = f"email={email}&password=wrong+wrong+wrong"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    kept = f"cookie: {cookie}\r\n" if cookie else ""
    writer.write(
        f"POST /login HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\n{kept}{head}"
        f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        "GET /-/healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
    )
    async with asyncio.timeout(30):
        text = (await reader.read()).decode()
    writer.close()
    assert text.endswith("ok\n"), text  # the connection goes on behind a refusal
    return text.partition("HTTP/1.1 200 OK")[0]


async def test_a_full_line_is_told_at_once_and_in_the_same_words_to_everybody(
    auth: AuthApp, port: int
) -> None:
    async with full_line(auth.running.runtime):
        answers = [await ask(port, email=email) for email in (auth.owner.email, "nobody@nowhere.example")]
        program = await ask(port, email="x@y.example", head="accept: application/json\r\n")
        assert (await Client(auth.running.asgi).get("/login")).status == 200
    for text in answers:
        assert text.startswith("HTTP/1.1 503 Service Unavailable\r\n")
        for header in ("cache-control: no-store", "content-security-policy: ", "x-frame-options: DENY"):
            assert header in text
        assert re.search(r"\r\nretry-after: [1-4]\r\n", text)
    assert len({text.partition("\r\n\r\n")[2] for text in answers}) == 1
    assert "Many people are signing in" in answers[0]
    assert '"code":"auth.busy"' in program
    assert "HTTP/1.1 401 " in await ask(port, email=auth.owner.email)
    metrics = (await Client(auth.running.asgi).get("/-/metrics")).text
    assert 'http_server_request_duration_seconds_count{route="POST /login",status="5xx"} 3.0' in metrics


async def test_a_known_browser_is_let_in_where_a_stranger_is_not(auth: AuthApp, port: int) -> None:
    home = await auth.signed_in(address="203.0.113.7")
    async with full_line(auth.running.runtime) as hasher:
        cookie = f"device={home.cookies['device']}"
        assert "503" in (await ask(port, email=auth.owner.email)).split("\r\n")[0]
        assert (
            "503" in (await ask(port, email=auth.owner.email, cookie="device=" + "A" * 43)).split("\r\n")[0]
        )
        waiting = asyncio.create_task(ask(port, email=auth.owner.email, cookie=cookie))
        known = Caller(Standing.KNOWN_DEVICE, home.cookies["device"])
        while not pool_of(auth.running.runtime)._line.places_of(known):
            await asyncio.sleep(0.005)
        hasher.release()
        assert "HTTP/1.1 401 " in await waiting


async def test_a_cancelled_request_frees_its_place_only_when_its_hash_is_done(auth: AuthApp) -> None:
    async with full_line(auth.running.runtime, room=3) as hasher:
        pool = pool_of(auth.running.runtime)
        asking = asyncio.create_task(auth.sign_in(password=PASSWORD))
        while ready(pool) < 2:  # it is looked up, and waits behind the one that waited already
            await asyncio.sleep(0.005)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert pool._line.waiting == 2
        hasher.release()
        while not pool.is_idle:
            await asyncio.sleep(0.005)
        assert pool._line.waiting == 0
        assert PASSWORD not in hasher.done  # nobody was there to be hashed for


async def test_who_is_cancelled_while_being_looked_up_leaves_no_place_behind(auth: AuthApp) -> None:
    pool = pool_of(auth.running.runtime)
    for steps in range(0, 40, 5):  # fewer than failures are forgiven: on a slow machine each counts as one
        asking = asyncio.create_task(auth.sign_in())
        for _ in range(steps):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    while not pool.is_idle:
        await asyncio.sleep(0.005)
    assert pool._line.waiting == 0
    assert (await auth.sign_in()).status == 303
