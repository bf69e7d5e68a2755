"""A whole app to measure: scaffolded, filled, started by its own command; and its CPU by process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.strict import decode
from shipworthy.contract.target import Credential, Handle

SHIPWORTHY = [sys.executable, "-m", "shipworthy"]
START_TIMEOUT_S = 300.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class App:
    """A running app."""

    home: Path
    state: Path
    handle: Handle
    manifest: Manifest

    def pid(self, process: str) -> int:
        return next(p.pid for p in self.handle.processes if p.name == process)

    async def fresh_database(self, name: str) -> str:
        """Make an empty database in the app's cluster; return its address."""
        admin = self.handle.database_urls["admin"]
        connection = await asyncpg.connect(admin)
        try:
            await connection.execute(f'create database "{name}"')
        finally:
            await connection.close()
        return f"{admin.rpartition('/')[0]}/{name}"

    def environment(self) -> dict[str, str]:
        """What a further web process of this installation needs to know."""
        secrets = json.loads((self.state / "secrets.json").read_text())
        return {
            **os.environ,
            "SHIPWORTHY_STATE": str(self.state),
            "SHIPWORTHY_REALM": self.handle.tenants[0].realm_id,
            "SHIPWORTHY_SIGNING_KEY": secrets["signing_key"],
            **{f"SHIPWORTHY_DB_URL_{r.upper()}": url for r, url in self.handle.database_urls.items()},
        }


@contextmanager
def running_app(
    *,
    rooms: str = "invoicing,site",
    seed: str = "volume",
    settings: str = "",
    env: Mapping[str, str] | None = None,
) -> Iterator[App]:
    """Scaffold and run an app until the block ends; everything is removed afterwards.

    `settings` is TOML that is added to its `app.toml`, `env` what its processes are told besides.
    """
    workshop = Path(tempfile.mkdtemp(prefix="shipworthy-bench-"))
    if os.geteuid() == 0:
        workshop.chmod(0o711)
    home, state, handle_file = workshop / "app", workshop / "state", workshop / "handle.json"
    subprocess.run([*SHIPWORTHY, "new", str(home), "--rooms", rooms], check=True, stdout=subprocess.DEVNULL)
    with (home / "app.toml").open("a", encoding="utf-8") as app_toml:
        app_toml.write(f"\n{settings}\n")
    described = subprocess.run([*SHIPWORTHY, "describe", "--json"], cwd=home, check=True, capture_output=True)
    with (workshop / "up.log").open("wb") as log:
        up = subprocess.Popen(
            [
                *SHIPWORTHY,
                "up",
                "--port",
                "0",
                "--seed",
                seed,
                "--state",
                str(state),
                "--handle",
                str(handle_file),
            ],
            cwd=home,
            env={**os.environ, **(env or {})},
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not handle_file.exists():
            if up.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the app did not start: {(workshop / 'up.log').read_text()[-2000:]}")
            time.sleep(0.1)
        handle = decode(Handle, json.loads(handle_file.read_text()))
        yield App(home, state, handle, decode(Manifest, json.loads(described.stdout)))
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(timeout=60)
        shutil.rmtree(workshop, ignore_errors=True)


def wait_for(url: str) -> None:
    """Return when something answers there; raise its last refusal after a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def cpu_s(pid: int) -> float:
    """Return the user and system CPU seconds a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process: asked, then made to."""
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tree_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and all below it, those that ended and were waited for included."""
    parents, ticks = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = int(fields[1])
        ticks[int(stat.parent.name)] = sum(map(int, fields[11:15]))
    tree: set[int] = set()
    found = {pid}
    while found:
        tree |= found
        found = {child for child, parent in parents.items() if parent in tree} - tree
    return sum(ticks.get(one, 0) for one in tree) * _TICK_S


def samples_of(app: App, person: Credential) -> dict[str, str]:
    """Look the journeys' samples up as the app's role, as the gauntlet does."""

    async def look_up() -> dict[str, str]:
        connection = await asyncpg.connect(app.handle.database_urls["app"])
        try:
            found = {}
            async with connection.transaction():
                await connection.execute("select set_config('app.realm_id', $1, true)", person.realm_id)
                await connection.execute("select set_config('app.tenant_id', $1, true)", person.tenant_id)
                for sample in app.manifest.samples:
                    found[sample.name] = str(await connection.fetchval(sample.sql))
            return found
        finally:
            await connection.close()

    return asyncio.run(look_up())
