"""An app that lies about its answers is found out; one that keeps its word passes; a blind Schemathesis does not count.

Covers: schema_asker, schema_contract.
"""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Login, Manifest
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.probes import schema_contract
from shipworthy.gauntlet.probes.schema_asker import proven
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.ledger import served

OPENAPI = check_named("contract.openapi")
NOTE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}


def answers(status: str, schema: dict[str, Any]) -> dict[str, Any]:
    good = {"description": "Done", "content": {"application/json": {"schema": schema}}}
    return {status: good, "4XX": {"description": "Refused"}}


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1"},
    "paths": {
        "/notes": {
            "get": {"responses": answers("200", {"type": "array", "items": NOTE})},
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": NOTE}}},
                "responses": answers("201", NOTE),
            },
        },
        "/login": {"post": {"responses": answers("200", {})}},
    },
}


class Notes:
    """Keeps notes for who is signed in. `faults`: crashes (on a long text), lies (about what a note is)."""

    def __init__(self, *faults: str) -> None:
        self.faults, self.logins = faults, 0

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/openapi.json", self.described),
                Route("/login", self.login, methods=["POST"]),
                Route("/notes", self.notes, methods=["GET"]),
                Route("/notes", self.noted, methods=["POST"]),
            ]
        )

    async def described(self, _request: Request) -> JSONResponse:
        return JSONResponse(DOCUMENT)

    async def login(self, _request: Request) -> JSONResponse:
        self.logins += 1
        answer = JSONResponse({})
        answer.set_cookie("session", "ann")
        return answer

    async def notes(self, request: Request) -> JSONResponse:
        if request.cookies.get("session") != "ann":
            return JSONResponse({}, status_code=500)  # a request of nobody's shows at once
        return JSONResponse([{"text": 1}] if "lies" in self.faults else [{"text": "one"}])

    async def noted(self, request: Request) -> JSONResponse:
        try:
            text = (json.loads(await request.body()))["text"]
        except (ValueError, KeyError, TypeError):
            return JSONResponse({}, status_code=422)
        if not isinstance(text, str) or not text:
            return JSONResponse({}, status_code=422)
        return JSONResponse({"text": text}, status_code=500 if "crashes" in self.faults else 201)


@asynccontextmanager
async def exam_of(app: Notes) -> AsyncIterator[Exam]:
    async with served(app.asgi()) as base_url:
        manifest = Manifest(
            app="Notes",
            openapi="/openapi.json",
            login=Login(route="POST /login", form={"email": "{email}"}, media="json", ok=(200,)),
        )
        target = Target(name="Notes", kind="command", manifest=manifest)
        person = Credential(email="ann@test.example", password="ann")
        exam = Exam(target, StartedInstance(Handle(base_url=base_url, tenants=(person,)), None))
        exam.begin(PlannedCheck(check=OPENAPI))
        try:
            yield exam
        finally:
            await exam.close()


async def ask(app: Notes) -> dict[str, Finding]:
    async with exam_of(app) as exam:
        return by_subject(list(await OPENAPI.run(exam)))


async def test_an_app_that_keeps_its_word_passes_and_signing_in_is_left_alone() -> None:
    app = Notes()
    (finding,) = (await ask(app)).values()
    assert (finding.verdict, finding.title) == (
        Verdict.PASS,
        "2 operations keep what their description says",
    ), finding
    assert app.logins == 1


async def test_a_crash_and_a_lie_are_told_by_their_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    async def as_above(_program: str, _scratch: Path) -> None:
        """The proof is that of the test above, and takes as long as all the rest."""

    monkeypatch.setattr(schema_contract, "proven", as_above)
    found = await ask(Notes("crashes", "lies"))
    assert {subject: f.verdict for subject, f in found.items()} == {
        "GET /notes": Verdict.FAIL,
        "POST /notes": Verdict.FAIL,
    }
    assert "Response violates schema" in found["GET /notes"].title
    assert "Server error" in found["POST /notes"].title
    assert "ann" not in found["GET /notes"].evidence[0].text  # the session stays ours


async def test_one_that_finds_nothing_is_not_believed(tmp_path: Path) -> None:
    blind = tmp_path / "schemathesis"
    blind.write_text("#!/bin/sh\necho '<testsuites/>' > junit.xml\n")
    blind.chmod(blind.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(Unmeasurable, match="did not find the lies planted"):
        await proven(str(blind), tmp_path / "scratch")


async def test_a_document_that_is_none_is_said() -> None:
    async with exam_of(Notes()) as exam:
        exam.manifest = Manifest(app="Notes", openapi="/nowhere")
        with pytest.raises(Exception, match="no OpenAPI document"):
            await OPENAPI.run(exam)
