"""The check of stage S5: every declared flow on an instance of its own, with what broke and the pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipworthy.contract.finding import RunResult
from shipworthy.contract.manifest import Flow, FlowStep, Login, Manifest
from shipworthy.contract.target import Credential, Target
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages.preview import CHECKS
from tests.gauntlet.conftest import by_subject
from tests.support.browser import needs_chromium

# A stranger's app in the standard library alone; with "--mute" its page says something else.
_APP = """
import http.server, sys, urllib.parse
says = "Bye" if "--mute" in sys.argv else "Hello"
class App(http.server.BaseHTTPRequestHandler):
    def answer(self, status, text, **headers):
        self.send_response(status)
        self.send_header("content-type", "text/html")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        who = (self.headers.get("cookie") or "who=nobody").partition("=")[2]
        self.answer(200, f"<!doctype html><title>A</title><link rel=icon href='data:,'>{says} {who}")
    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.answer(200, "in", set_cookie="who=" + form["email"][0].partition("@")[0])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
"""
FLOWS = (
    Flow(name="visit", title="Visit", login=False, steps=(FlowStep(do="open", what="/"), FlowStep(do="see", what="nobody"))),
    Flow(name="greet", title="Be greeted", steps=(FlowStep(do="open", what="/"), FlowStep(do="see", what="Hello ann"))),
    Flow(name="site", title="See the site", login=False, steps=(FlowStep(do="open", what="/", host="site"),)),
)  # fmt: skip


def stranger(folder: Path, *flags: str, flows: tuple[Flow, ...] = FLOWS) -> Target:
    (folder / "app.py").write_text(_APP)
    login = Login(route="POST /login", form={"email": "{email}", "password": "{password}"})
    return Target(
        name="Notes",
        kind="command",
        manifest=Manifest(app="Notes", login=login, flows=flows),
        start=(sys.executable, str(folder / "app.py"), "{port}", *flags),
        workdir=str(folder),
        folder=str(folder),
        credentials=(Credential(email="ann@app.test", password="pw"),),
    )


def pictures_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))


async def examined(target: Target, folder: Path | None = None) -> RunResult:
    return await run(target, CHECKS, stages=("s5",), folder=folder)


@needs_chromium
@pytest.mark.browser
async def test_flows_are_walked_and_their_pictures_lie_beside_the_report(tmp_path: Path) -> None:
    result = await examined(stranger(tmp_path), tmp_path / "report")
    found = by_subject(list(result.findings))
    assert {name: f.verdict for name, f in found.items()} == {
        "up": Verdict.PASS,
        "visit": Verdict.PASS,
        "greet": Verdict.PASS,
        "site": Verdict.INCONCLUSIVE,
    }
    assert "this instance has none" in found["site"].cause
    assert found["greet"].title.startswith("Be greeted: 2 steps in ")
    files = pictures_in(tmp_path / "report")
    assert files == [f"flows/{flow}/{n:02}.jpg" for flow in ("greet", "visit") for n in (1, 2)]
    assert [e.text.partition("\n")[0] for e in found["greet"].evidence] == files[:2]


@needs_chromium
@pytest.mark.browser
async def test_a_broken_flow_fails_with_the_step_the_page_and_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shipworthy.gauntlet.probes import flows

    monkeypatch.setattr(flows, "STEP_TIMEOUT_S", 1.0)
    found = by_subject(list((await examined(stranger(tmp_path, "--mute"))).findings))
    broken = found["greet"]
    assert (broken.verdict, broken.severity) == (Verdict.FAIL, Severity.CRITICAL)
    assert broken.title == "Be greeted breaks at step 2 of 2: See Hello ann"
    assert "'Hello ann' does not stand on the page" in broken.cause
    assert broken.evidence[0].text == "Bye ann"
    assert broken.evidence[1].title == "2. See Hello ann"
    assert found["visit"].verdict is Verdict.PASS


@needs_chromium
async def test_a_version_that_does_not_come_up_fails_with_its_last_words(tmp_path: Path) -> None:
    target = stranger(tmp_path)
    (tmp_path / "app.py").write_text("raise SystemExit('migration 7 is broken')")
    (finding,) = (await examined(target)).findings
    assert (finding.subject, finding.verdict) == ("up", Verdict.FAIL)
    assert "migration 7 is broken" in finding.cause


async def test_without_a_browser_or_a_flow_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (finding,) = (await examined(stranger(tmp_path, flows=()))).findings
    assert finding.verdict is Verdict.NOT_MEASURED and "[[flow]]" in finding.fix
    monkeypatch.setenv("SHIPWORTHY_CHROMIUM", str(tmp_path / "none"))
    (finding,) = (await examined(stranger(tmp_path))).findings
    assert finding.verdict is Verdict.NOT_MEASURED and "Install Chromium" in finding.fix
