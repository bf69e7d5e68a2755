"""A front and its deploys by the app's own command: what came before runs, and this version lies in the folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Journey, Manifest, Slo, Step
from shipworthy.contract.target import Target
from shipworthy.gauntlet.adapters.deployable import deployable
from shipworthy.gauntlet.adapters.instance import StartFailed
from tests.gauntlet.repository.conftest import git, names_in

# What `up --deployable` and `deploy --json` promise. `ends` says how a deploy by which Python ends.
_STAND_IN = """
import http.server, json, os, signal, sys, threading
from pathlib import Path
asked = sys.argv[1:]
home = Path(__file__).parent
said = lambda: Path("version").read_text().strip()
if asked[0] == "up":
    if said() == "broken":
        sys.exit("Error: Envoy is not installed.")
    class App(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
        def log_message(self, *_): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handle = Path(asked[asked.index("--handle") + 1])
    handle.with_suffix(".new").write_text(json.dumps({"base_url": f"http://127.0.0.1:{server.server_port}", "pid": os.getpid()}))
    handle.with_suffix(".new").replace(handle)
    (home / "ran").write_text(f"{said()} {'--deployable' in asked}")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        signal.pause()
python = Path(asked[asked.index("--python") + 1]).name.partition("-")[2] if "--python" in asked else "candidate"
with (home / "asked").open("a") as file:
    file.write(json.dumps([python, said(), *asked]) + "\\n")
ends = json.loads((home / "ends.json").read_text())[python]
if "decision" not in ends:
    sys.exit(f"Error: step 'start': {ends['said']}")
print(json.dumps({"events": [{"what": "decided", "requests": 31}, {"what": "weight", "percent": 0, "seconds": 0.2}],
  "journeys": {"page": {"canary": {"requests": 40, "failed": 9, "slow": 9, "probes": 0}}}, **ends}))
sys.exit({"promoted": 0, "rolled back": 1}.get(ends["decision"], 3))
"""
GONE = {"decision": "rolled back", "reason": "it fails."}
GOOD = {"decision": "promoted", "reason": "900 requests of the new version were judged, 0 failed."}
AS_IT_MUST_BE = {
    "dies": {"said": "a planted defect: this version cannot serve"},
    "errors": GONE,
    "slow": GONE,
    "candidate": GOOD,
}


def ours(folder: Path, ends: dict[str, dict[str, str]] = AS_IT_MUST_BE) -> Target:
    """An app of ours whose command is the stand-in; its folder holds a version."""
    (folder / "stand_in.py").write_text(_STAND_IN)
    (folder / "ends.json").write_text(json.dumps(ends))
    app = folder / "app"
    app.mkdir()
    (app / "version").write_text("two\n")
    steps = (Step(method="GET", path="/"),)
    manifest = Manifest(
        app="A",
        slos=(Slo(name="page", quantile=0.95, threshold_ms=400.0),),
        journeys=(Journey(name="page", slo="page", rate_per_s=60.0, login=False, steps=steps),),
    )
    start = (sys.executable, str(folder / "stand_in.py"))
    return Target(
        name="A", kind="shipworthy", manifest=manifest, start=start, workdir=str(app), folder=str(app),
        start_timeout_s=30.0,
    )  # fmt: skip


def asked(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "asked").read_text().splitlines()]


async def test_the_newest_tag_runs_and_this_version_is_deployed_over_it(tmp_path: Path) -> None:
    target, scratch = ours(tmp_path), tmp_path / "scratch"
    app = Path(target.folder)
    (app / "version").write_text("one\n")
    git(app, "init", "-q")
    git(app, "add", ".")
    git(app, "commit", "-q", "-m", "one")
    git(app, "tag", "v1")
    git(app, "commit", "-q", "--allow-empty", "-m", "two")
    (app / "version").write_text("two\n")
    scratch.mkdir()
    async with deployable(target, scratch) as running:
        assert running.before == "v1"
        deploy = await running.deploy(weights=(50, 100), stage_s=2, patience_s=9, timeout_s=30)
    assert (deploy.decision, deploy.noted("decided", "requests")) == ("promoted", 31)
    assert (tmp_path / "ran").read_text() == "one True"
    (line,) = asked(tmp_path)
    assert line[:4] == ["candidate", "two", "deploy", "--json"]
    assert line[line.index("--weights") + 1] == "50,100"
    assert "--no-page" in line  # an examination calls nobody out of bed
    assert names_in(app) == [".git", "version"]


async def test_a_step_that_failed_is_told_in_its_words(tmp_path: Path) -> None:
    target, scratch = (
        ours(tmp_path, {**AS_IT_MUST_BE, "candidate": {"said": "no such table"}}),
        tmp_path / "scratch",
    )
    scratch.mkdir()
    async with deployable(target, scratch) as running:
        assert running.before == "this very version"
        deploy = await running.deploy(weights=(100,), stage_s=2, patience_s=9, timeout_s=30)
    assert (deploy.decision, deploy.reason) == ("failed", "step 'start': no such table")


async def test_without_a_front_nothing_is_begun(tmp_path: Path) -> None:
    target, scratch = ours(tmp_path), tmp_path / "scratch"
    scratch.mkdir()
    (Path(target.folder) / "version").write_text("broken")
    with pytest.raises(StartFailed, match="Envoy is not installed"):
        async with deployable(target, scratch):
            raise AssertionError("it did not come up")
