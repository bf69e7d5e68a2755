"""`shipworthy up --deployable` and `shipworthy deploy`, as a person uses them on a real app.

Covers: deploy, front, children.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import assert_refused, shipworthy

TIMEOUT_S = 120.0


@pytest.mark.parametrize("weights", ["5,1,100", "5,25", "0,100", "x", "1,,100", "100,100"])
def test_weights_that_do_not_rise_to_a_hundred_are_refused(home: Path, weights: str) -> None:
    assert_refused(shipworthy("deploy", "--weights", weights, cwd=home), "rising percents")


def test_without_a_front_there_is_nothing_to_replace(home: Path) -> None:
    assert_refused(shipworthy("deploy", cwd=home), "up --deployable")
    (home / ".shipworthy" / "deploy").mkdir(parents=True)
    assert_refused(shipworthy("deploy", cwd=home), "up --deployable")


def test_a_new_version_of_an_app_comes_out_and_stays_and_a_broken_one_does_not(home: Path) -> None:
    up = started(home)
    try:
        port = json.loads(handle_of(home).read_text())["base_url"].rpartition(":")[2]
        assert title(port) == "Toy"
        again = shipworthy("deploy", cwd=home)
        assert (again.returncode, "serves already" in again.stdout) == (0, True), again.stderr

        (home / "app.toml").write_text('[app]\nname = "Toy Two"\nrooms = ["auth"]\n')
        # Straight to everybody: what needs a minute of proof is the judge's, and tested there.
        done = shipworthy("deploy", "--weights", "100", "--stage", "2s", "--json", cwd=home)
        assert done.returncode == 0, done.stderr
        record = json.loads(done.stdout)
        assert record["decision"] == "promoted"
        assert sum(arms["canary"]["probes"] for arms in record["journeys"].values()) >= 20
        assert title(port) == "Toy Two"

        (home / "app.toml").write_text(
            '[app]\nname = "Three"\nrooms = ["auth"]\n[auth]\npassword_chars_min = 15\n'
        )
        (home / "sitecustomize.py").write_text("")
        broken = home / "python"
        broken.write_text(
            f'#!/bin/sh\n[ "$3" = serve ] && echo "cannot serve: no such key" && exit 3\nexec {sys.executable} "$@"\n'
        )
        broken.chmod(0o755)
        failed = shipworthy("deploy", "--python", str(broken), "--weights", "100", "--stage", "2s", cwd=home)
        assert_refused(failed, "start canary and baseline", "no such key")
        assert title(port) == "Toy Two"
    finally:
        assert ended(up) == 0

    up = started(home)  # what was deployed serves, not what lies in the folder
    try:
        port = json.loads(handle_of(home).read_text())["base_url"].rpartition(":")[2]
        assert title(port) == "Toy Two"
        assert "this folder has changed since" in log_of(home).read_text()
    finally:
        assert ended(up) == 0
    assert not (home / ".shipworthy" / "deploy" / "environment.json").exists()


def test_ctrl_c_takes_the_version_back_in_order(home: Path) -> None:
    up = started(home)
    try:
        port = json.loads(handle_of(home).read_text())["base_url"].rpartition(":")[2]
        (home / "app.toml").write_text('[app]\nname = "Toy Two"\nrooms = ["auth"]\n')
        deploy = subprocess.Popen(
            [sys.executable, "-m", "shipworthy", "deploy", "--stage", "10m"],
            cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        state = home / ".shipworthy" / "deploy" / "status.json"
        until(lambda: json.loads(state.read_text())["weight"] == 1, up)
        deploy.send_signal(signal.SIGINT)
        _, said = deploy.communicate(timeout=TIMEOUT_S)
        assert "Traceback" not in said
        assert deploy.returncode == 130
        assert json.loads(state.read_text())["weight"] == 0
        assert len(json.loads(state.read_text())["members"]) == 1
        assert title(port) == "Toy"
        (record,) = (home / ".shipworthy" / "deploy" / "records").iterdir()
        assert "stopped by a person at step 'weight 1 %'" in (record / "decision.md").read_text()
    finally:
        assert ended(up) == 0


def handle_of(home: Path) -> Path:
    """Outside the folder: what lies in it is the version."""
    return home.parent / "h.json"


def log_of(home: Path) -> Path:
    return home.parent / "up.log"


def started(home: Path) -> subprocess.Popen[bytes]:
    handle = handle_of(home)
    handle.unlink(missing_ok=True)
    with log_of(home).open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "shipworthy", "up", "--port", "0", "--seed", "none", "--handle", str(handle), "--deployable"],
            cwd=home, env=dict(os.environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    until(handle.exists, up)
    return up


def title(port: str) -> str:
    request = urllib.request.Request(f"http://localhost:{port}/login")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        assert answer.headers.get("x-shipworthy-tenant") is None
        page = answer.read().decode()
    return page.partition("<title>")[2].partition("</title>")[0].rpartition(" · ")[2].strip()


def until(is_so: Callable[[], bool], up: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert up.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def ended(up: subprocess.Popen[bytes]) -> int:
    up.send_signal(signal.SIGTERM)
    try:
        return up.wait(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        up.kill()
        raise
