"""The examiner's Chromium: it goes to the examined hosts only, as whom it is told, and leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as Path_

from shipworthy.gauntlet.browser import DESKTOP, PHONE, chromium, cookies_of, only_hosts
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.http import HttpSession
from shipworthy.gauntlet.processid import ProcessId, children_of, process_id
from tests.support.browser import needs_chromium
from tests.support.ledger import served


async def page(request: Request) -> Response:
    name = request.cookies.get("sid", "nobody")
    inside = '<img src="https://cdn.example/a.png"><iframe src="//other.localhost/"></iframe>'
    answer = HTMLResponse(
        f"<!doctype html><title>{name}</title><meta name=viewport content='width=device-width'>{inside}",
        headers={"content-security-policy": "script-src 'none'"},
    )
    answer.set_cookie("sid", "ann", httponly=True)
    return answer


@needs_chromium
@pytest.mark.browser
async def test_it_goes_to_the_examined_hosts_only_and_as_whom_it_is_told() -> None:
    async with served(Starlette(routes=[Path_("/", page)])) as base_url:
        site_url = base_url.replace("127.0.0.1", "acme.localhost")
        session = HttpSession(base_url)
        await session.get("/")
        async with chromium(base_url, site_url) as browser:
            async with browser.tab(PHONE, cookies=cookies_of(session, base_url), is_dark=True) as tab:
                await tab.page.goto(base_url)
                assert await tab.page.title() == "ann"
                assert tab.elsewhere == {"cdn.example", "other.localhost"}
                assert await tab.page.evaluate("innerWidth") == PHONE.width_px
                assert await tab.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
            async with browser.tab(DESKTOP) as tab:
                await tab.page.goto(site_url)
                assert await tab.page.title() == "nobody"  # another visitor, and another host
        await session.close()


@needs_chromium
@pytest.mark.browser
async def test_its_processes_end_whatever_happens() -> None:
    before, started = descendants(os.getpid()), set[ProcessId]()
    with pytest.raises(ZeroDivisionError):
        async with chromium("http://127.0.0.1:1/"):
            started = descendants(os.getpid()) - before
            assert started
            raise ZeroDivisionError
    assert not [process for process in started if process.is_alive]


async def test_a_browser_that_is_missing_or_does_not_start_is_said_to_be_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHIPWORTHY_CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(Unmeasurable, match="No Chromium"):
        async with chromium("http://127.0.0.1/"):
            pass
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("SHIPWORTHY_CHROMIUM", str(broken))
    with pytest.raises(Unmeasurable, match="did not start"):
        async with chromium("http://127.0.0.1/"):
            pass


def test_the_rule_of_hosts_lets_the_named_ones_through() -> None:
    rule = only_hosts(["http://127.0.0.1:8000/", "https://acme.localhost/"])
    assert rule == (
        "MAP acme.localhost 127.0.0.1, MAP *.acme.localhost 127.0.0.1, MAP * ~NOTFOUND, "
        "EXCLUDE 127.0.0.1, EXCLUDE acme.localhost"
    )


def descendants(pid: int) -> set[ProcessId]:
    found: set[ProcessId] = set()
    for child in children_of(pid):
        known = process_id(child)
        found |= descendants(child) | ({known} if known else set())
    return found
