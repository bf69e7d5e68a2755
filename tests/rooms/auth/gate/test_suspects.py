"""Strangers from where stolen lists are tried compute before their password is judged; owners in their browsers never do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from shipworthy.gauntlet.browser import ARGUMENTS, browser_path
from shipworthy.kernel.edge.challenge import Challenge, solve
from shipworthy.kernel.edge.section import EdgeSection
from shipworthy.kernel.http.server import BoundedHttp, options
from shipworthy.kernel.settings import HttpSection, MailSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.auth.room import ROOM
from tests.rooms.auth.conftest import PASSWORD, AuthApp, Clock, add_owner, auth_settings
from tests.support.app import app_running
from tests.support.browser import needs_chromium
from tests.support.client import Answer, Client

STRANGER, NETWORK = "203.0.113.7", "203.0.113.0/24"
CANARY = "payroll@acme.example"


@pytest.fixture
async def watched(
    cluster: PostgresAddress, tmp_path: Path, clock: Clock, mail_port: int
) -> AsyncIterator[AuthApp]:
    """The app behind one proxy, with a canary."""
    settings = auth_settings(
        mail=MailSection(port=mail_port),
        http=HttpSection(trusted_proxies=1),
        edge=EdgeSection(canary_accounts=(CANARY,)),
    )
    async with app_running(cluster, (ROOM,), tmp_path, settings=settings, now=clock) as running:
        tenant_id, owner = await add_owner(running)
        yield AuthApp(running, clock, tmp_path / "mails", owner, tenant_id)


async def attacked(app: AuthApp, *, lists: int = 12) -> None:
    """Let somebody try a list from the stranger's network."""
    attacker = app.client(address="203.0.113.99")
    for n in range(lists):
        await app.sign_in(attacker, email=f"victim{n}@mail.example", password="some stolen password")


async def sign_in_as_json(app: AuthApp, client: Client, **extra: str) -> Answer:
    body = {"email": app.owner.email, "password": PASSWORD, **extra}
    return await client.post("/login", json_body=body)


async def test_a_list_is_asked_to_compute_and_who_computes_comes_in(watched: AuthApp) -> None:
    stranger = watched.client(address=STRANGER)
    await attacked(watched)
    refused = await sign_in_as_json(watched, stranger)
    assert (refused.status, refused.json["code"]) == (403, "edge.challenge")
    solution = solve(Challenge(refused.json["challenge"], refused.json["bits"]))
    assert (await sign_in_as_json(watched, stranger, proof=solution + "0")).status == 403
    assert (await sign_in_as_json(watched, stranger, proof=solution)).status == 200
    # Spent, and another network owes nothing.
    assert (await sign_in_as_json(watched, watched.client(address=STRANGER), proof=solution)).status == 403
    assert (await sign_in_as_json(watched, watched.client(address="198.51.100.7"))).status == 200


async def test_an_owner_in_their_own_browser_is_never_asked(watched: AuthApp) -> None:
    own = watched.client(address=STRANGER)
    assert (await watched.sign_in(own)).status == 303
    await attacked(watched)
    assert (await watched.sign_in(own)).status == 303
    assert (await watched.sign_in(watched.client(address=STRANGER))).status == 403


async def test_the_form_carries_the_challenge_while_it_is_asked_for_and_nothing_else(
    watched: AuthApp,
) -> None:
    stranger = watched.client(address=STRANGER)
    assert "data-challenge" not in (await stranger.get("/login")).text
    await attacked(watched)
    page = (await stranger.get("/login", headers={"accept-language": "de"})).text
    found = re.search(r'data-challenge="([^"]+)" data-bits="(\d+)"', page)
    assert found is not None and "<noscript>" in page and "Ihr Browser rechnet" in page
    solution = solve(Challenge(found[1], int(found[2])))
    assert (await watched.sign_in(stranger, proof=solution)).status == 303


async def test_the_trap_and_the_canary_make_suspect_and_look_like_any_wrong_password(
    watched: AuthApp,
) -> None:
    wrong = await watched.sign_in(watched.client(address="198.51.100.1"), password="not the password")
    trapped = await watched.sign_in(watched.client(address="198.51.101.1"), fax="1")
    canary = await watched.sign_in(watched.client(address="198.51.102.1"), email=CANARY)
    assert {wrong.status, trapped.status, canary.status} == {401}
    for address, expected in (("198.51.100.1", 303), ("198.51.101.1", 403), ("198.51.102.1", 403)):
        assert (await watched.sign_in(watched.client(address=address))).status == expected
    watched.clock.move(25 * 3600)
    assert (await watched.sign_in(watched.client(address="198.51.101.1"))).status == 303


async def test_this_machine_is_never_asked(watched: AuthApp) -> None:
    for n in range(12):
        await watched.sign_in(email=f"victim{n}@mail.example", password="some stolen password")
    assert (await watched.sign_in()).status == 303


@needs_chromium
async def test_a_browser_solves_it_with_the_keyboard_alone(watched: AuthApp) -> None:
    from playwright.async_api import async_playwright

    config = uvicorn.Config(watched.running.asgi, **{**options(), "lifespan": "off"})
    config.load()
    state = uvicorn.Server(config).server_state
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(
        lambda: BoundedHttp(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    port = listener.sockets[0].getsockname()[1]
    await attacked(watched)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        page = await browser.new_page(extra_http_headers={"x-forwarded-for": STRANGER})
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"http://localhost:{port}/login")
        await page.keyboard.type(watched.owner.email)
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")  # most likely before it is solved: the form waits for it
        await page.wait_for_url("**/account")
        await browser.close()
    listener.close()
    assert complaints == []
