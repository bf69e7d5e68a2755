"""A whole app to measure: scaffolded, filled, started by its own command; and its CPU by process."""

from __future__ import annotations

import asyncio
import json
import os
import re
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
from shipworthy.gauntlet.processid import children_of
from shipworthy.kernel.room import Room
from shipworthy.local.ports import free_port

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

    def start(
        self,
        *words: str,
        home: Path | None = None,
        env: Mapping[str, str] | None = None,
        core: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a further process of this installation, such as `serve --port 8001`; whoever does ends it with `stop`.

        `home` is a folder of its own, `env` what it is told besides, `core` the only one it runs on.
        """
        return subprocess.Popen(
            [*SHIPWORTHY, *words],
            cwd=home or self.home,
            env={**self.environment(), **(env or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - no threads yet
        )


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
    _set(home / "app.toml", settings)
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


def _set(app_toml: Path, settings: str) -> None:
    """Write settings into the sections that are there, or behind them."""
    text = app_toml.read_text(encoding="utf-8")
    for section in filter(str.strip, re.split(r"^(?=\[)", settings + "\n", flags=re.MULTILINE)):
        header, _, keys = section.partition("\n")
        text = (
            text.replace(f"{header}\n", section, 1) if f"{header}\n" in text else f"{text}\n{header}\n{keys}"
        )
    app_toml.write_text(text, encoding="utf-8")


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


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its children in MB, what they share counted once (PSS)."""
    kib = 0
    for one in (pid, *children_of(pid)):
        text = Path(f"/proc/{one}/smaps_rollup").read_text()
        kib += int(text.partition("Pss:")[2].split()[0])
    return kib / 1024


def cold_start_s(app: App) -> float:
    """Return the time from starting a web process to its first healthy answer."""
    port = free_port()
    began = time.perf_counter()
    web = app.start("serve", "--port", str(port))
    try:
        while time.perf_counter() - began < 60:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthz", timeout=1):
                    return time.perf_counter() - began
            except OSError:
                time.sleep(0.005)
        raise RuntimeError("the web process did not answer within a minute")
    finally:
        stop(web)


async def filled(app: App, room: Room, rows: int) -> None:
    """Fill the first tenant's tables of a room as plans are judged by: `rows` of what it has most of."""
    tenant = app.handle.tenants[0]
    connection = await asyncpg.connect(app.handle.database_urls["admin"])
    try:
        async with connection.transaction():
            await connection.execute(
                f"set local app.realm_id = '{tenant.realm_id}'; set local app.tenant_id = '{tenant.tenant_id}';"
                f"set local volume.rows = {int(rows)}"
            )
            assert room.volume_sql
            await connection.execute(room.volume_sql)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


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
