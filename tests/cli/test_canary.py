"""`shipworthy canary`: our judge for other people's rollouts, by its exit code. Covers: canary, armcounts, counters."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from shipworthy.cli.armcounts import ArmCounts, Declared, declared_by, places_of
from shipworthy.cli.project import load_project
from shipworthy.contract.manifest import Slo
from shipworthy.delivery.counted import Counted
from shipworthy.kernel.http.metrics import Metrics
from tests.cli.inside import assert_refused_inside, typed

ROUTE = "POST /login"


class Version:
    """A version's process: its counters, which its own machine may read."""

    def __init__(self, *, bad: bool = False) -> None:
        self.metrics, self.is_bad = Metrics(), bad
        self.asked: list[str] = []

    def serve(self, count: int) -> None:
        for _ in range(count):
            self.metrics.request(ROUTE, 500 if self.is_bad else 303, 0.02, 0)

    @contextmanager
    def at(self, *, per_look: int = 0) -> Iterator[str]:
        version = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                version.asked.append(self.path)
                version.serve(per_look)
                body = generate_latest(version.metrics.registry)
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/-/metrics"
        finally:
            server.shutdown()
            server.server_close()


def lines(canary_failed: int, *, looks: int = 100) -> str:
    return "".join(
        json.dumps({"look": look, "arm": arm, "journey": "login", "requests": 20, "failed": failed}) + "\n"
        for look in range(looks)
        for arm, failed in (("canary", canary_failed), ("baseline", 0))
    )


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [(lines(0), 0, "promote"), (lines(20), 1, "roll back"), (lines(0, looks=3), 3, "hold"), ("", 3, "hold")],
)
def test_counts_are_judged_and_the_exit_code_says_it(tmp_path: Path, text: str, code: int, word: str) -> None:
    (tmp_path / "counts.jsonl").write_text(text)
    done = typed("canary", "judge", "--counts", str(tmp_path / "counts.jsonl"), "--json")
    assert done.exit_code == code, done.output
    verdict = json.loads(done.stdout)
    assert (verdict["decision"], verdict["page"]) == (word, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--counts"),
        (("--canary", "http://127.0.0.1:1/"), "both"),
        (("--canary", "file:///etc/passwd", "--baseline", "http://127.0.0.1:1/"), "http://"),
        (("--counts", "counts.jsonl"), "line 2"),
        (("--counts", "none.jsonl"), "none.jsonl"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(home)
    (home / "counts.jsonl").write_text(lines(0, looks=1).splitlines()[0] + "\n{\n")
    assert_refused_inside(typed("canary", "judge", *arguments), words)


def test_two_versions_are_asked_for_their_counters_and_a_dead_one_goes_back(home: Path) -> None:
    with Version(bad=True).at(per_look=30) as canary, Version().at(per_look=30) as baseline:
        done = typed("canary", "judge", "--canary", canary, "--baseline", baseline, "--home", str(home))
    assert done.exit_code == 1, done.output
    assert done.stdout.startswith("roll back: all tenants: ")


def test_a_version_that_does_not_answer_is_held_until_patience_ends(home: Path) -> None:
    asked = ("--canary", "http://127.0.0.1:1/", "--patience", "1s", "--home", str(home))
    with Version().at(per_look=30) as baseline:
        done = typed("canary", "judge", "--baseline", baseline, *asked)
    assert done.exit_code == 3, done.output
    assert "no answer from canary" in done.stderr
    assert "has had no request yet" in done.stdout


async def test_each_process_counts_from_its_first_look_and_one_that_began_anew_from_nothing() -> None:
    slo = Slo(name="login", quantile=0.95, threshold_ms=50.0)
    one, other = Version(), Version(bad=True)
    with one.at() as first, other.at() as second:
        counts = ArmCounts(urls=(first, second), declared=Declared(slos=(slo,), routes={"login": [ROUTE]}))
        one.serve(1_000)
        assert await counts.look() == []
        assert counts.heard == 2
        one.serve(5)
        one.metrics.request(ROUTE, 200, 0.3, 0)
        other.serve(2)
        assert await counts.look() == [Counted(journey="login", requests=8, failed=2, slow=1)]
        one.metrics = Metrics()
        one.serve(3)
        assert await counts.look() == [Counted(journey="login", requests=3)]


def test_requests_without_an_objective_can_only_fail(home: Path) -> None:
    project = load_project(home)
    declared = declared_by(project.rooms, project.settings)
    assert "GET /-/none" not in declared.routes["other"]
    assert ROUTE in declared.routes["login"] and ROUTE not in declared.routes["other"]
    assert len(declared.routes["other"]) > 20


def test_a_name_is_every_address_it_leads_to(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [
        (2, 1, 6, "", ("10.0.0.2", 9102)),
        (2, 1, 6, "", ("10.0.0.1", 9102)),
        (10, 1, 6, "", ("fd00::1", 9102, 0, 0)),
    ]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_a, **_k: known)
    assert places_of("http://canary:9102/-/metrics") == [
        ("http://10.0.0.1:9102/-/metrics", "canary:9102"),
        ("http://10.0.0.2:9102/-/metrics", "canary:9102"),
        ("http://[fd00::1]:9102/-/metrics", "canary:9102"),
    ]
    assert places_of("https://canary/-/metrics") == [("https://canary/-/metrics", "canary")]


def test_counters_are_handed_on_and_nothing_else_is(tmp_path: Path) -> None:
    version = Version()
    version.serve(3)
    with version.at() as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "shipworthy", "canary", "expose", "--of", url, "--port", "0"],
            cwd=tmp_path, env=dict(os.environ), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            port = int(process.stderr.readline().rpartition(" ")[2])
            assert b'route="POST /login"' in _got(port, "/-/metrics")
            assert _got(port, "/-/traces").startswith(b"HTTP/1.1 404")
            assert _got(port, "/-/metrics/../traces").startswith(b"HTTP/1.1 404")
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")
    assert set(version.asked) == {"/-/metrics"}


def _got(port: int, path: str) -> bytes:
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = b""
        while data := connection.recv(65_536):
            answer += data
    return answer
