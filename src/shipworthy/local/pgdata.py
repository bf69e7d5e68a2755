"""One PostgreSQL data directory: making it, judging it, and clearing what a killed run left.

Knows the files PostgreSQL keeps there (PG_VERSION, postmaster.pid). Does not start servers.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shipworthy.local.account import Account
from shipworthy.local.errors import (
    DatabaseForeign,
    DatabaseVersion,
    ServiceFailed,
    disk_full,
    file_errors_explained,
    tells_of_full_disk,
)
from shipworthy.local.pgbinaries import Binaries
from shipworthy.local.processes import is_taken

SUPERUSER = "postgres"
# Everything PostgreSQL reads from its surroundings is said explicitly: a PGDATA or LC_ALL in the
# developer's shell must not change the database, and its messages stay English for us to read.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class PidFile:
    """What a postmaster says of itself in postmaster.pid."""

    pid: int
    port: int | None
    is_ready: bool


def read_pid_file(data: Path) -> PidFile | None:
    """Return the contents of postmaster.pid, or None when there is none (or not yet a first line)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if not lines or not lines[0].strip().lstrip("-").isdigit():
        return None
    port = lines[3].strip() if len(lines) > 3 else ""
    status = lines[7].strip() if len(lines) > 7 else ""
    return PidFile(
        pid=abs(int(lines[0])), port=int(port) if port.isdigit() else None, is_ready=status == "ready"
    )


def create_data(data: Path, *, binaries: Binaries, account: Account, password: str) -> None:
    """Make a new, empty database cluster at `data`; an interrupted attempt leaves nothing there.

    SCRAM for every connection, checksums on, the builtin C.UTF-8 locale so that text sorts the
    same on every machine.

    Errors:  DiskFull, StateDirUnusable, ServiceFailed.
    """
    draft, password_file = data.with_name("data.new"), data.with_name("password.new")
    with file_errors_explained(data.parent):
        if draft.exists():
            shutil.rmtree(draft)
        try:
            _empty_private(draft, account)
            _write_private(password_file, password, account)
            _initdb(draft, binaries=binaries, account=account, password_file=password_file)
            draft.rename(data)
        finally:
            password_file.unlink(missing_ok=True)
            shutil.rmtree(draft, ignore_errors=True)


def require_usable(data: Path, *, binaries: Binaries, account: Account) -> None:
    """Refuse a data directory that these binaries or this account cannot run.

    Errors:  DatabaseForeign, DatabaseVersion.
    """
    owner_uid = data.stat().st_uid
    if owner_uid != (os.geteuid() if account.uid is None else account.uid):
        raise DatabaseForeign(
            f"The database in {data} belongs to another user (uid {owner_uid}). Run shipworthy as that "
            f"user or as root, or make it yours: sudo chown -R {account.name} {data}"
        )
    written_by = (data / "PG_VERSION").read_text().strip()
    major = binaries.major()
    if written_by != str(major):
        raise DatabaseVersion(
            f"The database in {data} was written by PostgreSQL {written_by}, and the installed one is {major}. "
            f"Install the shipworthy version you used before, run `shipworthy backup`, and restore that here; "
            "nothing was changed."
        )


def clear_leftovers(data: Path, *, timeout_s: float = 60.0) -> list[int]:
    """End what an earlier run left alive on `data`, cleanly, and return the pids that were ended.

    Call with the lock of the directory held: whatever still runs on it has lost its supervisor.
    A postmaster is asked for a fast shutdown (nothing committed is lost either way). Backends
    whose postmaster was killed are ended too: one in a long computation does not notice by
    itself, and blocks the next start.

    Errors:  ServiceFailed when something does not end within `timeout_s`.
    """
    ended: list[int] = []
    found = read_pid_file(data)
    if found and _is_postmaster(found.pid, data):
        _end(found.pid, signal.SIGINT, timeout_s=timeout_s)
        ended.append(found.pid)
    for pid in _processes_on(data):
        _end(pid, signal.SIGQUIT, timeout_s=timeout_s)
        ended.append(pid)
    if (left := read_pid_file(data)) and is_taken(left.pid):
        _disown_pid_file(data)
    return ended


def _empty_private(directory: Path, account: Account) -> None:
    directory.mkdir(mode=0o700)
    account.give(directory)


def _write_private(path: Path, text: str, account: Account) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    account.give(path)


def _initdb(data: Path, *, binaries: Binaries, account: Account, password_file: Path) -> None:
    done = subprocess.run(
        [
            str(binaries.program("initdb")),
            f"--pgdata={data}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env=ENVIRONMENT,
        timeout=120,
        check=False,
        **account.popen_arguments(),
    )
    if done.returncode != 0:
        if tells_of_full_disk(done.stdout):
            raise disk_full(data.parent)
        raise ServiceFailed(
            f"PostgreSQL could not make a new database in {data.parent}: {_telling_line(done.stdout)}"
        )


def _telling_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line or "FATAL" in line or "could not" in line]
    return (telling or lines or ["it said nothing"])[0]


def _is_postmaster(pid: int, data: Path) -> bool:
    """Tell whether `pid` is a PostgreSQL process working on `data`, not a stranger with a reused pid."""
    if Path("/proc/self/cwd").exists():
        return pid in set(_processes_on(data))
    shown = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, timeout=30, check=False
    )
    return "postgres" in shown.stdout and str(data) in shown.stdout


def _processes_on(data: Path) -> Iterator[int]:
    """Yield PostgreSQL processes whose working directory is `data` (they all change into it).

    Needs /proc; elsewhere nothing is found and PostgreSQL's own interlock protects the data.
    """
    try:
        wanted = os.stat(data)
        entries = os.listdir("/proc")
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.isdigit():
            with suppress(OSError):  # ended meanwhile, or another user's and so not ours
                place = os.stat(f"/proc/{entry}/cwd")
                command = Path(f"/proc/{entry}/comm").read_text().strip()
                if (place.st_dev, place.st_ino) == (wanted.st_dev, wanted.st_ino) and command == "postgres":
                    yield int(entry)


def _disown_pid_file(data: Path) -> None:
    """Let PostgreSQL see that the pid in postmaster.pid, since reused by a stranger, is not a rival.

    Also for a killed server that nobody collected. The file is not deleted: its shared memory
    key is what keeps a new server off data that backends of the old one still write. Only the
    pid is replaced, by one that cannot exist.
    """
    # Not through a link: as root we write where another user could have placed one.
    descriptor = os.open(data / "postmaster.pid", os.O_RDWR | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "r+") as file:
        rest = file.read().splitlines(keepends=True)[1:]
        file.seek(0)
        file.write("".join([f"{2**31 - 1}\n", *rest]))
        file.truncate()


def _has_ended(pid: int) -> bool:
    # A zombie has ended: in a container without an init nobody ever collects an orphan.
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    return not is_taken(pid)


def _end(pid: int, how: signal.Signals, *, timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    with suppress(ProcessLookupError):
        os.kill(pid, how)
    while not _has_ended(pid):
        if time.monotonic() > deadline_s:
            raise ServiceFailed(
                f"A PostgreSQL process of an earlier run (pid {pid}) does not end. Look at what it does, "
                f"then end it (kill -QUIT {pid}) and start again."
            )
        time.sleep(0.02)
