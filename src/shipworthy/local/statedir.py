"""The app's `.shipworthy/` directory: what lies where, who may read it, who is using it.

Owns the layout, the secrets file and the lock. Knows nothing of the services that live there.

    .shipworthy/
    ├── lock            held (flock) by the process that runs the app; its text is that pid
    ├── secrets.json    0600, random values made here
    ├── logs/           one file per service
    ├── mail/           the development inbox
    ├── backup-line     which life of the database this is (backup/vault.py)
    ├── valkey.conf     of the session store, where the app has one; made anew at each start
    └── postgres/       the database (or postgres.json, which says where it lies; see pghome.py)
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from shipworthy.local.errors import AlreadyRunning, StateDirUnusable, file_errors_explained

STATE_DIR_NAME = ".shipworthy"
BACKUPS_DIR_NAME = ".shipworthy-backups"


@dataclass(frozen=True)
class StateDir:
    """The layout of one state directory. Creating the object touches nothing; `ensure` does."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def mail(self) -> Path:
        return self.path / "mail"

    @property
    def secrets_file(self) -> Path:
        return self.path / "secrets.json"

    def ensure(self) -> StateDir:
        """Create what is missing and prove that this process may write here.

        Errors:  StateDirUnusable, DiskFull.
        """
        with file_errors_explained(self.path):
            if not self.path.is_dir():
                try:
                    self.path.mkdir(parents=True)
                except FileNotFoundError:  # /proc and its kind answer so
                    raise StateDirUnusable(
                        f"{self.path} cannot be made: that place takes no directories. Choose another."
                    ) from None
                # Root's services run as `nobody`, who must be able to pass through, not to list.
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for directory in (self.logs, self.mail):
                directory.mkdir(mode=0o700, exist_ok=True)
            probe = self.path / f".writable-{os.getpid()}"
            probe.write_bytes(b"x")
            probe.unlink()
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")  # a database and its passwords never belong in a repository
        return self

    def lock(self) -> DirectoryLock:
        """Claim the directory for this process.

        Errors:  AlreadyRunning, naming the pid that holds it.
        """
        return DirectoryLock(self.path / "lock")

    def secret(self, name: str) -> str:
        """Return the secret `name`, making a random one the first time. Call with the lock held.

        Errors:  StateDirUnusable when the file cannot be written or is not what we wrote.
        """
        with file_errors_explained(self.path):
            known = self.all_secrets()
            if name not in known:
                known[name] = secrets.token_urlsafe(24)
                self._write_secrets(known)
            return known[name]

    def all_secrets(self) -> dict[str, str]:
        """Return every secret made so far.

        Errors:  StateDirUnusable when the file is not what we wrote.
        """
        with file_errors_explained(self.path):
            try:
                found = json.loads(self.secrets_file.read_text())
            except FileNotFoundError:
                return {}
            except ValueError as error:
                raise StateDirUnusable(
                    f"{self.secrets_file} is not valid JSON ({error}). Repair it, or delete it and the "
                    "passwords in it are made anew."
                ) from error
            return {str(key): str(value) for key, value in found.items()}

    def _write_secrets(self, values: dict[str, str]) -> None:
        # Written whole and renamed: a power cut leaves the old file or the new one, never half.
        draft = self.secrets_file.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps(values, indent=2, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.secrets_file)


class DirectoryLock:
    """An flock held until `release` or the end of the process, however it ends.

    The kernel drops it with the process, so a killed supervisor never leaves a stale lock; our
    children do not inherit the descriptor, so a surviving database does not hold it either.
    """

    def __init__(self, path: Path) -> None:
        with file_errors_explained(path.parent):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(self._descriptor)
                raise _already_running(path) from error
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _already_running(path: Path) -> AlreadyRunning:
    text = path.read_text().strip()
    pid = int(text) if text.isdigit() else None
    who = f"process {pid}" if pid else "another process"
    ending = f" (kill {pid})" if pid else ""
    return AlreadyRunning(
        f"{path.parent} is already in use by {who}. Stop that one first{ending}, "
        "or start this app in another directory.",
        pid=pid,
    )
