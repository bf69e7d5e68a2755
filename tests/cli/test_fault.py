"""`shipworthy fault`: lists, refuses in one sentence, breaks, and heals after its time or on Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shipworthy.gauntlet.processid import state_of
from tests.cli.conftest import assert_refused, shipworthy


@pytest.fixture
def web() -> subprocess.Popen[bytes]:  # type: ignore[misc]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process  # type: ignore[misc]
        process.kill()


@pytest.fixture
def handle(web: subprocess.Popen[bytes], tmp_path: Path) -> Path:
    path = tmp_path / "h.json"
    facts = {"base_url": "http://127.0.0.1:1", "processes": [{"name": "web", "pid": web.pid}]}
    path.write_text(json.dumps(facts))
    return path


def test_the_list_names_every_fault(tmp_path: Path) -> None:
    said = shipworthy("fault", "list", cwd=tmp_path).stdout
    names = [
        fault["name"] for fault in json.loads(shipworthy("fault", "list", "--json", cwd=tmp_path).stdout)
    ]
    assert "process.stop" in names
    assert all(name in said for name in names)


def test_it_breaks_and_heals_when_the_time_is_over(handle: Path, web: subprocess.Popen[bytes]) -> None:
    arguments = ("fault", "inflict", "process.stop", "--on", "web", "--for", "0.3s", "--handle", str(handle))
    done = shipworthy(*arguments, "--json", cwd=handle.parent)
    assert done.returncode == 0, done.stderr
    broken, healed = map(json.loads, done.stdout.splitlines())
    assert (broken["event"], broken["what"]) == ("inflicted", f"web (pid {web.pid}) hangs")
    assert healed == {"event": "healed", "fault": "process.stop", "failed": []}
    assert state_of(web.pid) != "T"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_any_end_of_it_heals(handle: Path, web: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    command = [sys.executable, "-m", "shipworthy", "fault", "inflict", "process.stop", "--on", "web"]
    with subprocess.Popen(
        [*command, "--for", "10m", "--handle", str(handle)], stdout=subprocess.PIPE, text=True
    ) as fault:
        assert fault.stdout is not None
        assert "hangs; heals in 600 s, or with Ctrl-C" in fault.stdout.readline()
        # A signal only asks: a process that was just then running stops a moment after `kill` returned.
        os.waitid(os.P_PID, web.pid, os.WSTOPPED | os.WNOWAIT)
        assert state_of(web.pid) == "T"
        fault.send_signal(sign)
        fault.wait(timeout=30)
    assert web.stdin is not None
    web.stdin.close()
    web.wait(timeout=30)  # it goes on, reads the end of its input and ends


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("proces.stop", "--on", "web"), "did you mean 'process.stop'"),
        (("process.stop",), "needs --on: web, worker"),
        (("cpu.squeeze", "--on", "web"), "takes no --on"),
        (("process.stop", "--on", "nobody"), "names no running process 'nobody'"),
        (("process.stop", "--on", "web", "--for", "1 day"), "not a time like 30s"),
        (("process.stop", "--on", "web", "--for", "11m"), "a lease lasts"),
        (("network.down", "--on", "database"), "does not reach its database through a proxy"),
        (("database.lock", "--on", "invoice"), "no database address"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    handle: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert_refused(
        shipworthy("fault", "inflict", *arguments, "--handle", str(handle), cwd=handle.parent), words
    )


def test_a_handle_that_is_none_and_one_of_another_machine_are_refused(tmp_path: Path) -> None:
    arguments = ("fault", "inflict", "cpu.squeeze", "--handle", "h.json")
    assert_refused(shipworthy(*arguments, cwd=tmp_path), "cannot be read")
    (tmp_path / "h.json").write_text("{")
    assert_refused(shipworthy(*arguments, cwd=tmp_path), "not a handle")
    (tmp_path / "h.json").write_text('{"base_url": "http://192.0.2.1/"}')
    assert_refused(shipworthy(*arguments, cwd=tmp_path), "192.0.2.1 is another one")
