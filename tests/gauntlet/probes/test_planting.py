"""Two tenants known by e-mail and password only are still told apart: each is given something first."""

from __future__ import annotations

from pathlib import Path as File

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.target import Handle
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.targetfile import load_target_file
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.ledger import served

TWINS, THROTTLE = check_named("isolation.two_tenants_http"), check_named("auth.login_throttle")
TARGET = """
[target]
name = "Notes"
url = "http://127.0.0.1:1"
[login]
route = "POST /login"
form = { email = "{email}", password = "{password}" }
media = "json"
refused = [401]
attempts_max = 8
[[credential]]
email = "ann@notes.example"
password = "a"
[[credential]]
email = "bob@notes.example"
password = "b"
[[route]]
path = "/notes"
auth = "session"
[[route]]
path = "/notes/{id}"
auth = "session"
[[route]]
method = "POST"
path = "/notes"
auth = "session"
json = { kind = "plain", text = "a note" }
expect = [201]
"""


class Notes:
    """Notes of two people, in memory. Defects: shows_all, reaches_all, names_all, takes_nothing, never_throttles."""

    def __init__(self, defects: set[str]) -> None:
        self.defects = defects
        self.notes: list[tuple[str, str]] = []
        self.tries = 0

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[
                Path("/login", self.login, methods=["POST"]),
                Path("/notes", self.list),
                Path("/notes", self.add, methods=["POST"]),
                Path("/notes/{id:int}", self.one),
                Path("/me", self.me),
            ]
        )

    async def login(self, request: Request) -> Response:
        body = await request.json()
        if self.tries >= 5 and "never_throttles" not in self.defects:
            return JSONResponse({}, 429)
        if body["email"][:1] != body["password"]:
            self.tries += 1
            return JSONResponse({}, 401)
        answer = JSONResponse({})
        answer.set_cookie("sid", body["email"][:3])
        return answer

    async def list(self, request: Request) -> Response:
        owner = request.cookies["sid"]
        return JSONResponse([text for who, text in self.notes if who == owner or "shows_all" in self.defects])

    async def add(self, request: Request) -> Response:
        body = await request.json()
        if body["kind"] != "plain" or "takes_nothing" in self.defects:  # certain words only
            return JSONResponse({}, 422)
        self.notes.append((request.cookies["sid"], body["text"]))
        return JSONResponse({"id": len(self.notes)}, 201)

    async def one(self, request: Request) -> Response:
        number = request.path_params["id"]
        if not 0 < number <= len(self.notes):
            return JSONResponse({}, 404)
        who, text = self.notes[number - 1]
        if who != request.cookies["sid"] and "reaches_all" not in self.defects:
            return JSONResponse({}, 404)
        return JSONResponse({"text": text})

    async def me(self, request: Request) -> Response:
        people = ["ann", "bob"] if "names_all" in self.defects else [request.cookies["sid"]]
        return JSONResponse({"signed in as": [f"{name}@notes.example" for name in people]})


@pytest.fixture
def target_file(tmp_path: File) -> File:
    path = tmp_path / "gauntlet.toml"
    path.write_text(TARGET, encoding="utf-8")
    return path


async def ask(target_file: File, *defects: str, check: str = TWINS.name) -> dict[str, Finding]:
    target, asked = load_target_file(target_file), check_named(check)
    async with served(Notes(set(defects)).asgi()) as base_url:
        handle = Handle(base_url=base_url, tenants=target.credentials)
        exam = Exam(target, StartedInstance(handle, None))
        exam.begin(PlannedCheck(check=asked))
        try:
            return by_subject(list(await asked.run(exam)))
        finally:
            await exam.close()


async def test_tenants_that_are_kept_apart_pass_in_lists_and_by_ids(target_file: File) -> None:
    found = await ask(target_file)
    assert {subject: finding.verdict for subject, finding in found.items()} == {
        "GET /notes": Verdict.PASS,
        "GET /notes/{id}": Verdict.PASS,
    }


async def test_a_list_and_an_id_that_show_the_neighbours_are_told(target_file: File) -> None:
    assert (await ask(target_file, "shows_all"))["GET /notes"].verdict is Verdict.FAIL
    reached = (await ask(target_file, "reaches_all"))["GET /notes/{id}"]
    assert reached.verdict is Verdict.FAIL
    assert "reach another's id" in reached.title


async def test_where_nothing_can_be_planted_nothing_is_claimed(target_file: File) -> None:
    found = await ask(target_file, "takes_nothing")
    assert {finding.verdict for finding in found.values()} == {Verdict.NOT_MEASURED}
    assert "declare the route that makes" in found["GET /notes"].fix


async def test_where_nothing_can_be_planted_ones_own_address_on_a_page_tells_whose_it_is(
    target_file: File,
) -> None:
    with target_file.open("a", encoding="utf-8") as more:
        more.write('[[route]]\npath = "/me"\nauth = "session"\n')
    assert (await ask(target_file, "takes_nothing"))["GET /me"].verdict is Verdict.PASS
    told = (await ask(target_file, "takes_nothing", "names_all"))["GET /me"]
    assert told.verdict is Verdict.FAIL
    assert "bob@notes.example" in told.cause


async def test_guessing_is_judged_from_the_target_file_alone(target_file: File) -> None:
    assert (await ask(target_file, check=THROTTLE.name))["POST /login"].verdict is Verdict.PASS
    failed = (await ask(target_file, "never_throttles", check=THROTTLE.name))["POST /login"]
    assert failed.verdict is Verdict.FAIL
