"""PostgreSQL's own programs for copying a server: run to their end, and explained when they fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

from shipworthy.local.account import Account
from shipworthy.local.errors import ServiceFailed, disk_full, tells_of_full_disk
from shipworthy.local.pgbinaries import installed_binaries
from shipworthy.local.pgdata import ENVIRONMENT
from shipworthy.local.postgres import PostgresAddress

SLOT = "shipworthy_backup"  # keeps what was not followed yet; max_slot_wal_keep_size bounds how much


def command(name: str) -> str:
    return str(installed_binaries().program(name))


def environment(address: PostgresAddress) -> dict[str, str]:
    """The password travels by environment, never by argument."""
    return {
        **ENVIRONMENT,
        "PGPASSWORD": address.password,
        "PGAPPNAME": "shipworthy backup",
        "PGCONNECT_TIMEOUT": "10",
    }


def whereabouts(address: PostgresAddress) -> list[str]:
    return [
        "--host",
        address.host,
        "--port",
        str(address.port),
        "--username",
        address.superuser,
        "--no-password",
    ]


def run_program(
    argv: list[str],
    *,
    about: Path,
    env: dict[str, str],
    timeout_s: float,
    account: Account | None = None,
    umask: int = 0o077,
) -> str:
    """Run one program to its end and return what it said.

    Errors:  DiskFull, naming the disk of `about`; ServiceFailed with the program's own words.
    """
    name = Path(argv[0]).name
    try:
        done = subprocess.run(
            argv,
            env=env,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            umask=umask,
            **(account.popen_arguments() if account else {}),
        )
    except subprocess.TimeoutExpired as late:
        raise ServiceFailed(f"{name} did not end within {timeout_s:g} s.") from late
    if done.returncode == 0:
        return str(done.stdout)
    if tells_of_full_disk(done.stdout):
        raise disk_full(about)
    raise ServiceFailed(f"{name} failed: {telling_line(done.stdout)}")


def telling_line(said: str) -> str:
    """Return the line of a program's words that says what went wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "FATAL" in line]
    return (telling or lines[-1:] or ["it said nothing"])[-1]
