"""headers.security: pages, signed-in answers and cookies, as a browser would get them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Login, Manifest, Route
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.ledger import served

HEADERS = check_named("headers.security")
ANN = Credential(email="ann@acme.test", password="pw-a", tenant="Acme")
SOUND = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin"}
MANIFEST = Manifest(
    app="Pages",
    login=Login(route="POST /login", form={"email": "{email}", "password": "{password}"}, ok=(204,)),
    routes=(
        Route(name="desk", room="", method="GET", path="/desk", media="html", source="app.py:1"),
        Route(name="data", room="", method="GET", path="/data"),
        Route(name="gone", room="", method="GET", path="/gone"),
    ),
)


@dataclass
class Pages:
    """An app whose headers a test may spoil."""

    spoilt: set[str] = field(default_factory=set)

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[
                Path("/", self.door),
                Path("/login", self.login, methods=["GET", "POST"]),
                Path("/desk", self.desk),
                Path("/data", self.data),
            ]
        )

    async def door(self, _request: Request) -> Response:
        if "no_door" in self.spoilt:
            return Response(status_code=404)
        there = "https://other.example/" if "leads_away" in self.spoilt else "/login"
        return RedirectResponse(there, 303)

    async def login(self, request: Request) -> Response:
        if request.method == "GET":
            policy = "script-src 'self'"
            return HTMLResponse("<p>", headers={**SOUND, "content-security-policy": policy})
        answer = Response(status_code=204)
        answer.set_cookie("sid", "ann", httponly="open_cookie" not in self.spoilt, samesite="lax")
        return answer

    async def desk(self, request: Request) -> Response:
        if "sid" not in request.cookies:
            return Response(status_code=401)
        nonce = "same" if "old_nonce" in self.spoilt else secrets.token_hex(8)
        policy = f"script-src 'nonce-{nonce}'"
        return HTMLResponse(
            "<p>", headers={**SOUND, "content-security-policy": policy, "cache-control": "no-store"}
        )

    async def data(self, request: Request) -> Response:
        headers = {"x-content-type-options": "nosniff", "cache-control": "private"}
        if "reflects" in self.spoilt:
            headers |= {
                "access-control-allow-origin": request.headers.get("origin", ""),
                "access-control-allow-credentials": "true",
            }
        return JSONResponse({}, headers={} if "bare" in self.spoilt else headers)


@pytest.fixture
async def pages() -> AsyncIterator[tuple[Pages, str]]:
    app = Pages()
    async with served(app.asgi()) as base_url:
        yield app, base_url


async def ask(base_url: str) -> dict[str, Finding]:
    target = Target(name="Pages", kind="command", manifest=MANIFEST)
    exam = Exam(target, StartedInstance(Handle(base_url=base_url, tenants=(ANN,)), None))
    exam.begin(PlannedCheck(check=HEADERS))
    try:
        return by_subject(list(await HEADERS.run(exam)))
    finally:
        await exam.close()


async def test_sound_pages_answers_and_cookies_pass_and_an_error_is_no_page(pages: tuple[Pages, str]) -> None:
    found = await ask(pages[1])
    undecided = found.pop("GET /gone")
    assert undecided.verdict is Verdict.INCONCLUSIVE and "answered 404" in undecided.cause
    assert set(found) == {"GET /", "GET /desk", "GET /data", "POST /login"}
    assert {finding.verdict for finding in found.values()} == {Verdict.PASS}, found


@pytest.mark.parametrize(
    ("spoilt", "subject", "words", "fix", "severity"),
    [
        ("open_cookie", "POST /login", "scripts can read the cookie sid", "HttpOnly", Severity.HIGH),
        ("old_nonce", "GET /desk", "nonce is the same", "new random nonce", Severity.MEDIUM),
        ("reflects", "GET /data", "any website may read it", "list of your own hosts", Severity.HIGH),
        ("bare", "GET /data", "another content type (and 1 more)", "private, no-store", Severity.MEDIUM),
    ],
)
async def test_what_is_lacking_fails_with_the_header_to_add(
    pages: tuple[Pages, str], spoilt: str, subject: str, words: str, fix: str, severity: Severity
) -> None:
    app, base_url = pages
    app.spoilt.add(spoilt)
    found = await ask(base_url)
    assert [name for name, finding in found.items() if finding.verdict is Verdict.FAIL] == [subject]
    failed = found[subject]
    assert words in failed.title and fix in failed.fix
    assert failed.severity is severity
    assert "ann" not in failed.evidence[0].text  # no cookie's value


async def test_a_door_that_leads_elsewhere_is_not_judged(pages: tuple[Pages, str]) -> None:
    app, base_url = pages
    app.spoilt.add("leads_away")
    found = (await ask(base_url))["GET /"]
    assert found.verdict is Verdict.NOT_MEASURED
    assert "other.example" in found.cause


async def test_an_app_without_a_page_at_its_root_is_not_left_undecided(pages: tuple[Pages, str]) -> None:
    app, base_url = pages
    app.spoilt.add("no_door")
    assert (await ask(base_url))["GET /"].verdict is Verdict.NOT_MEASURED
