"""answers.sound: each way in which an answer is none has a finding of its own, and a sound one has none.

Covers: raw_answer.
"""

from __future__ import annotations

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest, Route
from shipworthy.contract.target import Handle, Target
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.strange_server import StrangeServer, strange_server

SOUND = check_named("answers.sound")


async def asked(server: StrangeServer, *paths: str) -> dict[str, Finding]:
    routes = tuple(Route(name=path, room="", method="GET", path=path, auth="public") for path in paths)
    target = Target(name="S", kind="url", manifest=Manifest(app="S", routes=routes))
    exam = Exam(target, StartedInstance(Handle(base_url=server.base_url), None))
    exam.begin(PlannedCheck(check=SOUND))
    try:
        await SOUND.run(exam)
        return by_subject(exam.told)
    finally:
        await exam.close()


async def test_what_answers_in_time_and_whole_passes_wherever_it_leads() -> None:
    async with strange_server() as server:
        found = await asked(server, "/away", "/once")
    assert {f.subject: f.verdict for f in found.values()} == dict.fromkeys(
        ("GET /", "GET /away", "GET /once"), Verdict.PASS
    )


@pytest.mark.parametrize(
    ("path", "says", "severity"),
    [
        ("/hang", "gives no answer", Severity.HIGH),
        ("/short", "gives no answer", Severity.HIGH),
        ("/long", "says it is 29 bytes long and sends 34", Severity.HIGH),
        ("/error", "answers 500", Severity.HIGH),
        ("/a", "redirects for ever", Severity.HIGH),
        ("/nowhere", "leads to what is no address", Severity.HIGH),
        ("/endless", "answers more than 1 MB of text/html in one go", Severity.MEDIUM),
    ],
)
async def test_each_way_of_not_answering_is_told(
    monkeypatch: pytest.MonkeyPatch, path: str, says: str, severity: Severity
) -> None:
    monkeypatch.setattr("shipworthy.gauntlet.probes.answers.ANSWER_S_MAX", 2.0)
    monkeypatch.setattr("shipworthy.gauntlet.probes.answers.TEXT_BYTES_MAX", 1024 * 1024)
    async with strange_server() as server:
        found = await asked(server, path)
    finding = found[f"GET {path}"]
    assert (finding.verdict, finding.severity) == (Verdict.FAIL, severity), finding
    assert says in finding.title
    assert finding.fix
    assert found["GET /"].verdict is Verdict.PASS, "one that is unsound hides no other"


async def test_an_answer_that_was_not_declared_is_undecided() -> None:
    async with strange_server() as server:
        finding = (await asked(server, "/gone"))["GET /gone"]
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "answered 404, not 200" in finding.cause
