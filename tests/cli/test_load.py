"""`shipworthy load`: offers what is declared, in one process or in shards, and judges the whole. Covers: options, handles."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import assert_refused, shipworthy

SERVER = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status = 200 if self.path == "/" else 500
        self.send_response(status); self.send_header("content-length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("load") / "gauntlet.toml"
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        path.write_text(
            textwrap.dedent(f"""
            [target]
            name = "Pages"
            url = "http://127.0.0.1:{port}"
            [[slo]]
            name = "page"
            quantile = 0.95
            threshold_ms = 4000
            [[journey]]
            name = "home"
            slo = "page"
            rate_per_s = 30
            login = false
            steps = [{{ method = "GET", path = "/" }}]
            [[journey]]
            name = "broken"
            slo = "page"
            rate_per_s = 10
            login = false
            steps = [{{ method = "GET", path = "/broken" }}]
            """)
        )
        yield path
        server.kill()


def load(target: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return shipworthy(
        "load",
        "run",
        "--target",
        str(target),
        "--journey",
        "home",
        "--for",
        "3s",
        *arguments,
        cwd=target.parent,
    )


def test_a_load_is_offered_at_the_wished_rate_and_shown(target: Path) -> None:
    done = load(target, "--rate", "60", "--out", "whole.json")
    assert done.returncode in (0, 3), done.stderr  # one block of three seconds decides nothing
    assert "home" in done.stdout and "broken" not in done.stdout
    whole = json.loads((target.parent / "whole.json").read_text())
    assert 180 < whole["offered"] < 540, "60 a second for 3 s of warm-up and 3 s"
    assert f"{whole['journeys'][0]['requests']:,}" in done.stdout


def test_shards_merge_into_the_whole_and_a_missing_one_is_named(target: Path) -> None:
    arguments = ("--seed", "7", "--json", "--shard")
    parts = [json.loads(load(target, *arguments, f"{place}/2").stdout) for place in range(2)]
    for place, part in enumerate(parts):
        (target.parent / f"{place}.json").write_text(json.dumps(part))
    merged = shipworthy("load", "merge", "0.json", "1.json", "--json", cwd=target.parent)
    whole = json.loads(merged.stdout)
    assert merged.returncode in (0, 3), merged.stderr
    assert whole["offered"] == parts[0]["offered"] + parts[1]["offered"]
    assert whole["shard"] == [0, 1]
    assert_refused(shipworthy("load", "merge", "0.json", cwd=target.parent), "shard 1/2 is missing")
    assert_refused(
        shipworthy("load", "merge", "0.json", "0.json", cwd=target.parent), "shard 0/2 stands there twice"
    )
    alone = load(target, "--shard", "0/2")
    assert "Merge all 2 to judge it" in alone.stdout
    assert alone.returncode == 0


def test_what_failed_is_counted_by_what_it_was(target: Path) -> None:
    done = shipworthy("load", "run", "--target", str(target), "--for", "3s", cwd=target.parent)
    assert done.returncode in (1, 3), done.stderr
    assert "times status_500" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--target", "nowhere.toml"), "there is no file nowhere.toml"),
        (("run", "--target", "gauntlet.toml", "--journey", "hom"), "declared: home, broken"),
        (("run", "--target", "gauntlet.toml", "--rate", "0"), "--rate"),
        (("run", "--target", "gauntlet.toml", "--rate", "1000000", "--journey", "home"), "arrivals_max"),
        (("run", "--target", "gauntlet.toml", "--for", "soon"), "not a time like 30s"),
        (("run", "--target", "gauntlet.toml", "--shard", "2/2"), "the first of two is 0/2"),
        (("run", "--target", "gauntlet.toml", "--handle", "none.json"), "cannot be read"),
        (("merge", "gauntlet.toml"), "is no result of a load"),
        (("merge", "none.json"), "cannot be read"),
    ],
)
def test_what_cannot_be_offered_is_said_in_one_sentence(
    target: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert_refused(shipworthy("load", *arguments, cwd=target.parent), words)
