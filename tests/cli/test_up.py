"""`shipworthy up`: a start that is refused or broken off leaves nothing running.

Covers: up, stack, serve, work, tenant.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from shipworthy.gauntlet.proxy.proxies import proxies_running
from tests.cli.conftest import APP, assert_refused, shipworthy

TIMEOUT_S = 60.0


@pytest.mark.parametrize("port", ["99999", "-5", "x"])
def test_a_port_that_cannot_be_is_refused(home: Path, port: str) -> None:
    assert_refused(shipworthy("up", "--port", port, cwd=home), "--port")
    assert not (home / ".shipworthy").exists()


def test_a_handle_without_a_folder_and_a_taken_port_are_refused(home: Path) -> None:
    handle = home / "none" / "h.json"
    assert_refused(
        shipworthy("up", "--port", "0", "--handle", str(handle), cwd=home), "no folder", "--handle"
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(shipworthy("up", "--port", str(port), cwd=home), f"Port {port}", "taken")


def test_a_second_up_is_refused_by_the_first_ones_pid_and_killed_parts_come_back(home: Path) -> None:
    handle = home / "h.json"
    (home / "app.toml").write_text(f'{APP}[sessions]\nstore = "valkey"\n', encoding="utf-8")
    up = start(home, "--handle", str(handle))
    try:
        until(handle.exists, up)
        port = json.loads(handle.read_text())["base_url"].rpartition(":")[2]
        assert_refused(shipworthy("up", "--port", port, cwd=home), f"process {up.pid}")
        for name in ("database", "worker", "web", "mail", "valkey"):
            # A worker ends with its database and is started again: for a moment it is not there.
            until(lambda name=name: name in pids(handle), up)  # type: ignore[misc]
            old = pids(handle)[name]
            os.kill(old, signal.SIGKILL)
            until(partial(is_replaced, handle, name, old), up)
    finally:
        assert ended(up) == 0
    assert no_one_runs_in(home)


async def test_the_app_goes_through_the_addresses_it_was_given_and_the_handle_does_not(home: Path) -> None:
    handle = home / "h.json"
    (home / "app.toml").write_text(f'{APP}[sessions]\nstore = "valkey"\n', encoding="utf-8")
    async with proxies_running() as proxies:
        told = home / ".shipworthy" / "upstreams.json"
        database = await proxies.open("database", told_by=told)
        mail = await proxies.open("mail", told_by=told)
        valkey = await proxies.open("valkey", told_by=told)
        through = f"database={database.address},mail={mail.address},valkey={valkey.address}"
        up = start(home, "--handle", str(handle), env={"SHIPWORTHY_THROUGH": through})
        try:
            await asyncio.to_thread(until, handle.exists, up)
            facts = json.loads(handle.read_text())
            assert facts["through"] == {
                "database": database.address,
                "mail": mail.address,
                "valkey": valkey.address,
            }
            assert all(str(database.port) not in url for url in facts["database_urls"].values())
            assert (await database.state()).connections > 0
            assert facts["clock_file"] == str(home / ".shipworthy" / "clock")
            assert (await asyncio.to_thread(look_up_a_session, facts["base_url"])) == 200
            assert (await valkey.state()).connections > 0
            upstreams = json.loads(told.read_text())
            assert upstreams["database"] in facts["database_urls"]["app"]
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", mail.port)
                assert (await reader.readline()).startswith(b"220 ")
                writer.close()
        finally:
            assert await asyncio.to_thread(ended, up) == 0
    refused = shipworthy("up", "--port", "0", cwd=home, env={"SHIPWORTHY_THROUGH": "databse=127.0.0.1:1"})
    assert_refused(refused, "did you mean 'database'")


@pytest.mark.parametrize("phase", ["database: starting", "database: ready", "web and worker: starting"])
def test_a_signal_while_starting_leaves_nothing_running(home: Path, phase: str) -> None:
    up = start(home)
    until(lambda: phase in (home / "up.log").read_text(), up)
    assert ended(up) == 0
    assert "Traceback" not in (home / "up.log").read_text()
    assert "never retrieved" not in (home / "up.log").read_text()
    assert no_one_runs_in(home)


def start(home: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    with (home / "up.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "shipworthy", "up", "--port", "0", "--seed", "none", *arguments],
            cwd=home,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def ended(up: subprocess.Popen[bytes]) -> int:
    up.send_signal(signal.SIGTERM)
    try:
        return up.wait(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        up.kill()
        raise


def until(is_so: Callable[[], bool], up: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert up.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def look_up_a_session(base_url: str) -> int:
    asking = urllib.request.Request(f"{base_url}/login", headers={"Cookie": f"sid={'x' * 43}"})
    with urllib.request.urlopen(asking, timeout=TIMEOUT_S) as answer:
        return int(answer.status)


def pids(handle: Path) -> dict[str, int]:
    return {p["name"]: p["pid"] for p in json.loads(handle.read_text())["processes"]}


def is_replaced(handle: Path, name: str, old: int) -> bool:
    return pids(handle).get(name, old) != old


def no_one_runs_in(home: Path) -> bool:
    """Tell whether no process was started with this folder in its environment or arguments."""
    word = str(home).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if word in said and int(folder.name) != os.getpid():
            return False
    return True
