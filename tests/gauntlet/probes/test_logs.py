"""logs.canaries: what an app was told must not stand in its logs, errors or statement statistics."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as File
from typing import Any

import asyncpg
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Login, Manifest, Route
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.probes.canaries import KINDS
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.ledger import served

LOGS = check_named("logs.canaries")
ANN = Credential(email="ann@acme.test", password="pw-a", tenant="Acme")
MANIFEST = Manifest(
    app="Talker",
    login=Login(route="POST /login", form={"email": "{email}", "password": "{password}"}, media="json"),
    routes=(
        Route(name="find", room="", method="GET", path="/find", auth="public", source="app.py:1"),
        Route(name="bye", room="", method="POST", path="/bye", source="app.py:2"),
        Route(name="end", room="", method="POST", path="/end", effect="end", source="app.py:4"),
        Route(
            name="keep", room="", method="POST", path="/keep", source="app.py:3",
            example={"email": "a@b.example", "name": "a", "password": "p", "card": "1"},
        ),
    ),
)  # fmt: skip
# What an app may write of a request, by the name of the habit.
HABITS: dict[str, Callable[[Request, Any], str]] = {
    "address": lambda request, _body: f"GET {request.url}",
    "cookies": lambda request, _body: json.dumps({"cookies": request.cookies}),
    "headers": lambda request, _body: str(request.headers.get("authorization")),
    "body": lambda _request, body: json.dumps({"body": body}),
    "mail": lambda _request, body: f"signed up {body.get('email')}" if isinstance(body, dict) else "",
}


class Talker:
    """An app that signs in and out, keeps what it is told, and writes what its habits are."""

    def __init__(self, log: File, habits: set[str], pool: Any = None) -> None:
        self.log, self.habits, self.pool = log, habits, pool

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[
                Path("/login", self.login, methods=["POST"]),
                Path("/find", self.find),
                Path("/bye", self.bye, methods=["POST"]),
                Path("/keep", self.keep, methods=["POST"]),
                Path("/end", self.end, methods=["POST"]),
            ]
        )

    async def login(self, request: Request) -> Response:
        body = await request.json()
        if not isinstance(body, dict) or "token" in body:
            return Response(status_code=422)
        if "failed_sign_ins" in self.habits:
            self.say(f"wrong: {body}")
        if body["password"] != ANN.password:
            return Response(status_code=401)
        if "counts_sign_ins" in self.habits:
            self.say("let in")
        answer = JSONResponse({})
        answer.set_cookie("sid", "ann")
        return answer

    async def find(self, request: Request) -> Response:
        self.write(request, {})
        return JSONResponse([])

    async def end(self, _request: Request) -> Response:
        self.say("the account is deleted")
        return Response(status_code=204)

    async def bye(self, _request: Request) -> Response:
        answer = Response(status_code=204)
        answer.delete_cookie("sid")
        return answer

    async def keep(self, request: Request) -> Response:
        is_foreign = "counts_sign_ins" in self.habits and "authorization" in request.headers
        if "sid" not in request.cookies or is_foreign:
            return Response(status_code=401)
        body = await request.json()
        self.write(request, body)
        if not isinstance(body, dict) or "token" in body:
            said = body if "echoes" in self.habits else "there is a field too many"
            return JSONResponse({"detail": said}, 422)
        if "body_of_accepted" in self.habits:
            self.say(str(body))
        if self.pool is not None:
            await self.pool.fetch(f"select /* {body['name']} */ 1")
        return JSONResponse({}, 200)

    def write(self, request: Request, body: Any) -> None:
        for habit in self.habits & HABITS.keys():
            self.say(HABITS[habit](request, body))

    def say(self, line: str) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"a line\n{line}\n")


@pytest.fixture
def log(tmp_path: File) -> File:
    path = tmp_path / "app.log"
    path.write_text("what was written before\n", encoding="utf-8")
    return path


async def ask(
    log: File,
    *habits: str,
    urls: dict[str, str] | None = None,
    pool: Any = None,
    routes: tuple[Route, ...] = MANIFEST.routes,
) -> dict[str, Finding]:
    async with served(Talker(log, set(habits), pool).asgi()) as base_url:
        handle = Handle(base_url=base_url, tenants=(ANN,), log_files=(str(log),), database_urls=urls or {})
        manifest = replace(MANIFEST, routes=routes)
        exam = Exam(Target(name="Talker", kind="command", manifest=manifest), StartedInstance(handle, None))
        exam.begin(PlannedCheck(check=LOGS))
        try:
            return by_subject(list(await LOGS.run(exam)))
        finally:
            await exam.close()


def line_with(log: File, word: str) -> int:
    lines = log.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if word in line)


def times_said(log: File, words: str) -> int:
    return log.read_text(encoding="utf-8").count(words)


def failed(found: dict[str, Finding]) -> set[str]:
    return {kind for kind, finding in found.items() if finding.verdict is Verdict.FAIL}


async def test_an_app_that_keeps_it_to_itself_passes_for_every_kind(log: File) -> None:
    found = await ask(log)
    assert list(found) == list(KINDS)
    assert {finding.verdict for finding in found.values()} == {Verdict.PASS}, found
    assert "app.log  " in found["password"].evidence[0].text


@pytest.mark.parametrize(
    ("habit", "kinds"),
    [
        ("address", {"query string"}),
        ("cookies", {"cookie"}),
        ("headers", {"authorization"}),
        ("body", {"password", "token", "card number", "e-mail", "name"}),
        ("mail", {"e-mail"}),
        ("echoes", {"password", "token"}),
        ("failed_sign_ins", {"password", "e-mail"}),
    ],
)
async def test_each_habit_is_told_by_what_it_gives_away(log: File, habit: str, kinds: set[str]) -> None:
    assert failed(await ask(log, habit)) == kinds


async def test_a_token_in_an_address_is_one_where_the_route_takes_it_there(log: File) -> None:
    takes = {"properties": {"token": {"type": "string"}}}
    routes = (Route(name="find", room="", method="GET", path="/find", auth="public", query=takes),)
    assert failed(await ask(log, "address", routes=routes)) == {"token", "query string"}


async def test_a_leak_names_route_file_and_line_and_shows_the_value_masked(log: File) -> None:
    found = (await ask(log, "body"))["password"]
    number = line_with(log, "password")
    assert found.title == f"A password sent to POST /keep stands in app.log:{number}"
    assert found.source == "app.py:3"
    assert found.severity is Severity.HIGH
    assert '"password": "<password>"' in found.evidence[0].text
    assert "cnry" not in found.evidence[0].text


async def test_a_route_without_an_example_is_filled_from_its_schema(log: File) -> None:
    schema = {
        "$ref": "#/$defs/Keep",
        "$defs": {"Keep": {"properties": {"password": {"type": "string"}, "size": {"type": "integer"}}}},
    }
    routes = (Route(name="keep", room="", method="POST", path="/keep", body=schema),)
    assert failed(await ask(log, "body_of_accepted", routes=routes)) == {"password"}


async def test_a_value_written_into_sql_is_found_in_the_statistics(
    log: File, cluster: PostgresAddress
) -> None:
    url = cluster.url()
    pool = await asyncpg.create_pool(url, min_size=1, max_size=1)
    await pool.execute("create extension if not exists pg_stat_statements")
    try:
        found = await ask(log, urls={"app": url}, pool=pool)
    finally:
        await pool.close()
    assert failed(found) == {"name"}
    assert "stands in pg_stat_statements" in found["name"].title
    assert "as a parameter" in found["name"].fix


async def test_a_log_that_cannot_be_read_says_so(log: File) -> None:
    async with served(Talker(log, set()).asgi()) as base_url:
        handle = Handle(base_url=base_url, tenants=(ANN,), log_files=(str(log.with_name("gone.log")),))
        exam = Exam(Target(name="Talker", kind="command", manifest=MANIFEST), StartedInstance(handle, None))
        exam.begin(PlannedCheck(check=LOGS))
        found = list(await LOGS.run(exam))
        await exam.close()
    assert {finding.verdict for finding in found} == {Verdict.INCONCLUSIVE}
    assert "gone.log (No such file or directory)" in found[0].cause


async def test_a_route_that_ends_the_account_is_not_asked(log: File) -> None:
    await ask(log, "address")
    assert line_with(log, "/find")
    with pytest.raises(StopIteration):
        line_with(log, "deleted")


async def test_a_refused_key_is_not_taken_for_a_session_that_ended(log: File) -> None:
    keep = next(route for route in MANIFEST.routes if route.name == "keep")
    await ask(log, "counts_sign_ins", routes=(keep, replace(keep, name="again")))
    assert times_said(log, "let in") == 1
