"""The processes that `up` keeps running, as the supervisor takes them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from shipworthy.local.processes import Child, accepts_connections, answers_http
from shipworthy.local.statedir import StateDir


def mail_child(state: StateDir, port: int, page_port: int) -> Child:
    async def ready() -> bool:
        return await accepts_connections(port)

    argv = [
        sys.executable,
        "-m",
        "shipworthy.local.mailbox",
        "--dir",
        str(state.mail),
        "--port",
        str(port),
        "--page-port",
        str(page_port),
    ]
    return Child(name="mail", argv=argv, log_file=state.logs / "mail.log", is_ready=ready)


def web_child(
    home: Path,
    state: StateDir,
    port: int,
    environment: Mapping[str, str],
    *,
    name: str = "web",
    python: str = sys.executable,
) -> Child:
    """The web process of the app in `home`, or of one of its releases."""

    async def ready() -> bool:
        return await answers_http(port, path="/-/healthz")

    argv = [python, "-m", "shipworthy", "serve", "--port", str(port)]
    return Child(
        name=name,
        argv=argv,
        log_file=state.logs / f"{name}.log",
        env=environment,
        cwd=home,
        is_ready=ready,
    )


def worker_child(
    home: Path, state: StateDir, environment: Mapping[str, str], *, python: str = sys.executable
) -> Child:
    """The worker of the app in `home`, or of one of its releases."""
    (state.path / "worker.ready").unlink(missing_ok=True)

    async def ready() -> bool:
        return (state.path / "worker.ready").exists()

    argv = [python, "-m", "shipworthy", "work"]
    return Child(
        name="worker",
        argv=argv,
        log_file=state.logs / "worker.log",
        env=environment,
        cwd=home,
        is_ready=ready,
    )


def backup_child(home: Path, state: StateDir, environment: Mapping[str, str]) -> Child:
    """The process that has every change in the backups' folder."""
    marker = state.path / "backup.ready"
    marker.unlink(missing_ok=True)

    async def ready() -> bool:
        return marker.exists()

    argv = [
        sys.executable,
        "-m",
        "shipworthy",
        "backup",
        "follow",
        "--home",
        str(home),
        "--state",
        str(state.path),
    ]
    return Child(
        name="backup",
        argv=argv,
        log_file=state.logs / "backup.log",
        env=environment,
        cwd=home,
        is_ready=ready,
        ready_timeout_s=600.0,  # the first backup of what may be a large database
    )
