"""`shipworthy capacity`: a stranger's server is measured, reckoned with, and refused where it cannot be. Covers: costs."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests.cli.conftest import assert_refused, shipworthy

# Burns 40 ms of CPU for /dear and next to nothing for /.
SERVER = """
import http.server, sys, time
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        until = time.thread_time() + (0.04 if self.path == "/dear" else 0)
        while time.thread_time() < until: pass
        self.send_response(200); self.send_header("content-length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "server.py").write_text(SERVER)
    path = tmp_path / "gauntlet.toml"
    path.write_text(
        textwrap.dedent("""
        [target]
        name = "Pages"
        start = "{python} server.py {port}"
        health = "/"
        [[slo]]
        name = "page"
        quantile = 0.95
        threshold_ms = 4000
        [[journey]]
        name = "cheap"
        slo = "page"
        rate_per_s = 30
        login = false
        steps = [{ method = "GET", path = "/" }]
        [[journey]]
        name = "dear"
        slo = "page"
        rate_per_s = 10
        login = false
        steps = [{ method = "GET", path = "/dear" }]
        """)
    )
    return path


def test_what_costs_more_is_said_and_a_goal_is_reckoned_from_it(target: Path, tmp_path: Path) -> None:
    asked = ("--target", str(target), "--for", "3s", "--rate", "dear=1000", "--json", "--write", "plan.md")
    done = shipworthy("capacity", *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    cost = {journey["journey"]: journey["cpu_ms"]["web"] for journey in told["costs"]["journeys"]}
    assert cost["dear"] >= 40.0 > 0.5 * cost["dear"] > cost["cheap"] / 4
    assert [j["failed"] for j in told["costs"]["journeys"]] == [0, 0]
    needs = told["needs"]
    assert needs["cores"]["web"] == pytest.approx(
        1000 * cost["dear"] / 1000 + told["costs"]["idle_cores"]["web"]
    )
    assert needs["web_processes"] >= 5  # 1,000 a second at 40 ms each, four fifths busy
    assert needs["memory_bytes"] >= needs["web_processes"] * 1_000_000
    assert "administrator" in told["costs"]["notes"][0]
    page = (tmp_path / "plan.md").read_text()
    assert page.startswith("# Capacity of Pages\n\nPlanned for: 1000 dear a second.")
    assert f"| web processes | {needs['web_processes']} |" in page and "| cheap |" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rate", "refund=3"), "there is no journey 'refund'; declared: cheap, dear"),
        (("--rate", "dear"), "--rate wants NAME=NUMBER"),
        (("--rate", "dear=-1"), "--rate wants NAME=NUMBER"),
        (("--rate", "dear=nan"), "--rate wants NAME=NUMBER"),
        (("--rows", "=3"), "--rows wants NAME=NUMBER"),
    ],
)
def test_what_cannot_be_planned_is_refused_before_anything_starts(
    target: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert_refused(shipworthy("capacity", "--target", str(target), *arguments, cwd=tmp_path), words)
