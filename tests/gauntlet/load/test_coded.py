"""Journeys as code: cookies, redirects, forms and what is kept; and whatever they do, the load ends.

Covers: code, page, pools.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shipworthy.contract.manifest import Journey, Slo
from shipworthy.gauntlet.load.code import load_code
from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.page import forms_of, pkce_pair
from shipworthy.gauntlet.load.plan import PlanRefused
from shipworthy.gauntlet.load.result import JourneyResult
from tests.gauntlet.load.servers import OK, Seen, answer, answering, never, plan_of, serving

SLO = Slo(name="fast", quantile=0.95, threshold_ms=400.0)


async def travelled(
    url: str, folder: Path, code: str, *, rate_per_s: float = 20.0, **plan: Any
) -> JourneyResult:
    """Offer one coded journey, written into a file of its own."""
    (folder / "journey.py").write_text(code, encoding="utf-8")
    journey = Journey(name="j", slo="fast", rate_per_s=rate_per_s, login=False, code="journey.py:visit")
    made = replace(plan_of(url), journeys=(journey,), slos=(SLO,), code_folder=str(folder), **plan)
    return (await offer(made)).journey("j")


def page(body: str, *, status: str = "200 OK", headers: str = "") -> bytes:
    data = body.encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n{headers}\r\n".encode() + data


async def test_a_visitor_signs_in_through_a_form_and_is_led_on_with_the_cookie(tmp_path: Path) -> None:
    form = '<form method=post action="/in?x=1"><input type=hidden name=csrf value="a&amp;b"><input name=who></form>'

    async def shop(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.path == "/door":
            writer.write(page(form, headers="Set-Cookie: pre=1; Path=/\r\n"))
        elif seen.path == "/in?x=1":
            fields = parse_qs(seen.body.decode())
            is_right = fields == {"csrf": ["a&b"], "who": ["ann"]} and seen.headers["cookie"] == "pre=1"
            moved = "Location: ../home\r\nSet-Cookie: sid=s1\r\n"
            writer.write(page("", status="303 See Other" if is_right else "400 Bad", headers=moved))
        else:
            assert (seen.method, seen.body) == ("GET", b"")
            writer.write(page(json.dumps({"cookie": seen.headers.get("cookie", "")})))

    code = """
async def visit(v):
    door = await v.get("/door", measured=False)
    home = await v.submit(door, who="ann", how={"follow": True, "expect": (200,)})
    assert home.json() == {"cookie": "pre=1; sid=s1"}, home.text
    assert home.url.endswith("/home"), home.url
    assert v.cookie("sid") == "s1"
    assert home.header("content-length")
"""
    async with serving(shop) as server:
        found = await travelled(server.url, tmp_path, code)
    assert (found.failures, found.requests) == ({}, 10)
    assert Counter(seen.path for seen in server.seen) == {"/door": 10, "/in?x=1": 10, "/home": 10}


async def test_what_one_visit_keeps_another_takes_alone(tmp_path: Path) -> None:
    code = """
async def visit(v):
    token = v.keep.take("token")
    answer = await v.post("/token", json={"token": token, "n": v.n, "luck": v.rng.random(), "goal": v.facts["goal"]})
    v.keep.give("token", v.n)
    if v.n == 3:
        v.observe("third", "seen")
"""
    async with serving(answering(OK)) as server:
        found = await travelled(server.url, tmp_path, code, facts={"goal": 7})
        again = len(server.seen)
        await travelled(server.url, tmp_path, code, facts={"goal": 7})
    assert (found.failures, found.observed, found.samples["third"]) == ({}, {"third": 1}, "seen")
    bodies = [json.loads(seen.body) for seen in server.seen]
    taken = [body["token"] for body in bodies[:again] if body["token"] is not None]
    assert len(taken) == len(set(taken)) > 0
    assert {body["goal"] for body in bodies} == {7}
    luck = [sorted(body["luck"] for body in part) for part in (bodies[:again], bodies[again:])]
    assert luck[0] == luck[1]  # the same seed: the same visits


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ("await v.get('/')\n    raise KeyError('oh')", "journey_error"),
        ("pass", "nothing_measured"),
        ("await v.get('/', measured=False)", "nothing_measured"),
        ("await v.get('/', expect=(201,), measured=False)", "status_200"),
        ("await v.get('http://example.com/')", "redirect_astray"),
        ("await v.get('/', headers={'x': 'a\\r\\nb: c'})", "journey_error"),
        ("while True:\n        await v.get('/')", "too_many_requests"),
        ("try:\n        await v.get('/', expect=(201,))\n    except Exception:\n        pass", "status_200"),
        ("(await v.get('/')).json()", "journey_error"),
        ("await v.submit(await v.get('/'))", "journey_error"),
    ],
)
async def test_a_journey_that_goes_wrong_is_a_failure_with_a_code(
    tmp_path: Path, body: str, failure: str
) -> None:
    async with serving(answering(OK)) as server:
        found = await travelled(server.url, tmp_path, f"async def visit(v):\n    {body}\n")
    assert set(found.failures) == {failure}
    assert found.failures[failure] == 10
    assert found.exceedances >= 10


async def test_an_endless_redirect_and_one_to_another_machine_end_as_failures(tmp_path: Path) -> None:
    async def round_and_round(seen: Seen, writer: asyncio.StreamWriter) -> None:
        to = "//example.com/" if seen.path == "/away" else f"{seen.path}x"
        writer.write(page("", status="302 Found", headers=f"Location: {to}\r\n"))

    for path, failure in (("/r", "redirect_loop"), ("/away", "redirect_astray")):
        async with serving(round_and_round) as server:
            code = f"async def visit(v):\n    await v.get({path!r}, follow=True)\n"
            found = await travelled(server.url, tmp_path, code)
        assert found.failures == {failure: 10}


async def test_a_redirect_to_another_address_of_this_machine_is_followed_without_this_ones_cookies(
    tmp_path: Path,
) -> None:
    async with serving(answering(OK)) as provider:

        async def app(seen: Seen, writer: asyncio.StreamWriter) -> None:
            headers = f"Location: {provider.url}/authorize?a=1\r\nSet-Cookie: secret=1\r\n"
            writer.write(page("", status="302 Found", headers=headers))

        async with serving(app) as server:
            code = "async def visit(v):\n    await v.get('/start', follow=True)\n"
            found = await travelled(server.url, tmp_path, code)
    assert found.failures == {}
    assert {seen.path for seen in provider.seen} == {"/authorize?a=1"}
    assert not any("cookie" in seen.headers for seen in provider.seen)


async def test_a_hanging_answer_ends_a_visit_at_the_timeout(tmp_path: Path) -> None:
    async with serving(never) as server:
        code = "async def visit(v):\n    await v.get('/')\n"
        found = await travelled(server.url, tmp_path, code, timeout_s=0.5)
    assert found.failures == {"timeout": 10}
    assert found.latency.max_us == 500_000


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("journey.py", "names no function"),
        ("../outside.py:visit", "lies outside"),
        ("jorney.py:visit", r"there is no file jorney\.py.*did you mean 'journey\.py'"),
        ("journey.py:vist", r"no async def vist; did you mean 'visit'"),
        ("journey.py:plain", r"no async def plain"),
        ("broken.py:visit", r"cannot be run: ZeroDivisionError"),
    ],
)
def test_code_that_cannot_be_had_is_refused_with_the_nearest_name(
    tmp_path: Path, name: str, says: str
) -> None:
    (tmp_path / "journey.py").write_text("async def visit(v): ...\ndef plain(v): ...\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(PlanRefused, match=says):
        load_code(name, folder=str(tmp_path))
    assert load_code("journey.py:visit", folder=str(tmp_path)).__name__ == "visit"


def test_a_form_is_read_as_a_browser_would_fill_it() -> None:
    [first, second] = forms_of(
        "<form action=/a><input name=q value=1><input type=checkbox name=c><input type=checkbox name=d checked value=y>"
        "<select name=s><option value=1><option value=2 selected></select><textarea name=t>two\nlines</textarea></form>"
        "<input name=outside><form method=POST><input type=submit name=go></form>"
    )
    assert (first.action, first.method) == ("/a", "GET")
    assert first.fields == {"q": "1", "d": "y", "s": "2", "t": "two\nlines"}
    assert (second.method, second.fields) == ("POST", {})
    assert forms_of("\x00 no html <") == []


def test_the_challenge_is_the_verifiers_digest() -> None:
    from base64 import urlsafe_b64decode
    from hashlib import sha256

    verifier, challenge = pkce_pair()
    assert 43 <= len(verifier) <= 128
    assert urlsafe_b64decode(challenge + "=") == sha256(verifier.encode()).digest()
    assert urlsplit(f"http://x/?c={challenge}").query == f"c={challenge}"
    assert answer  # the servers' other answers are used elsewhere
