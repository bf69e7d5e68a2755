"""What every answer says to a browser, whatever kind it is. Covers: wire, reply, problem."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

import shipworthy
from shipworthy.kernel.http.problem import page_headers
from shipworthy.kernel.settings import HttpSection
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.conftest import signed_in
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running, make_settings
from tests.support.client import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")
AS_PAGE = {"accept": "text/html"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(
    cluster: PostgresAddress, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningApp]:
    settings = make_settings((ROOM,), http=HttpSection(public_scheme="https"))
    async with app_running(cluster, (ROOM,), tmp_path_factory.mktemp("state"), settings=settings) as running:
        yield running


async def answers(app: RunningApp) -> dict[str, Answer]:
    """Return one answer of each kind."""
    client, here = await signed_in(app), app.client()
    client.cookies["__Host-sid"] = client.cookies.pop("sid")
    key = {"idempotency-key": "h1", "origin": "https://localhost"}
    return {
        "page": await client.get("/audit"),
        "document": await client.get("/notes"),
        "created": await client.post("/notes", json_body={"text": "x"}, headers=key),
        "refused page": await here.get("/nowhere", headers=AS_PAGE),
        "refused document": await here.get("/nowhere"),
        "crash": await here.get("/crash", headers=AS_PAGE),
        "led on": await here.get("/owned", headers=AS_PAGE),
        "no static file": await here.get("/static/none"),
        "health": await here.get("/-/healthz"),
        "foreign host": await app.client(host="elsewhere.example").get("/"),
    }


async def test_every_answer_has_the_headers_that_protect_its_reader(app: RunningApp) -> None:
    for kind, answer in (await answers(app)).items():
        assert answer.header("x-content-type-options") == "nosniff", kind
        assert answer.header("referrer-policy") == "same-origin", kind
        assert answer.header("strict-transport-security") == "max-age=31536000; includeSubDomains", kind
        policy = answer.header("content-security-policy") or ""
        for rule in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert rule in policy, (kind, policy)
        assert "unsafe" not in policy, kind


async def test_a_page_runs_its_own_scripts_only_and_each_answer_has_another_nonce(app: RunningApp) -> None:
    seen = set()
    for path, client in (("/audit", await signed_in(app)), ("/nowhere", app.client())):
        if "sid" in client.cookies:
            client.cookies["__Host-sid"] = client.cookies.pop("sid")
        for _ in range(2):
            answer = await client.get(path, headers=AS_PAGE)
            policy = answer.header("content-security-policy") or ""
            [nonce] = re.findall(r"script-src 'nonce-([^']{22})';", policy)
            scripts = re.findall(r"<script[^>]*>", answer.text)
            assert scripts
            assert all(f'nonce="{nonce}"' in script for script in scripts)
            seen.add(nonce)
    assert len(seen) == 4


async def test_without_a_nonce_no_script_runs_and_a_frame_is_shown_only_where_it_is_named() -> None:
    [(_, plain)], [(_, framed)] = page_headers(), page_headers("n", frames="https://preview.example")
    assert b"script-src 'none'" in plain
    assert b"frame-src" not in plain
    assert b"frame-src 'self' https://preview.example" in framed


async def test_an_app_without_tls_promises_none(cluster: PostgresAddress, tmp_path: Path) -> None:
    async with app_running(cluster, (ROOM,), tmp_path) as plain:
        assert (await plain.client().get("/hello")).header("strict-transport-security") is None


async def test_every_script_of_a_template_carries_the_nonce() -> None:
    package = Path(shipworthy.__file__).parent
    for template in package.glob("*/**/templates/**/*.html"):
        if "rooms/site/templates/page.html" in template.as_posix() or template.name == "theme.html":
            continue  # published pages name theirs by hash
        for script in re.findall(r"<script[^>]*>", template.read_text(encoding="utf-8")):
            assert 'nonce="{{ nonce }}"' in script, template
