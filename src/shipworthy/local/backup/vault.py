"""The folder that holds an app's backups: what lies where, what is whole, what may go.

    <folder>/
    ├── lock                     held by whoever changes what lies here
    ├── 20261128T074501Z/        one backup; appears whole, by rename
    │   ├── backup.json          what it is, and the SHA-256 of everything in it
    │   ├── base.tar.gz  pg_wal.tar.gz  backup_manifest
    │   └── secrets.json         0600: keys and passwords, without which the data opens nothing
    ├── wal/<line>/              every change since, where the app is followed (follow.py)
    └── files/                   documents and pictures; their contents never change, so all backups share them

A *line* is one life of a database. What was restored goes on as a new line: the changes of two lives have
the same names and must never be mixed.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from shipworthy.local.errors import BackupDamaged, BackupMissing, file_errors_explained
from shipworthy.local.statedir import DirectoryLock, StateDir

NOTE = "backup.json"
_PIECE_BYTES = 1024 * 1024
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One document or picture of a backup."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Backup:
    """What one backup says of itself. Times are ISO 8601, UTC."""

    name: str
    line: str
    state: str  # the state directory it was taken of
    began_at: str
    ended_at: str
    runtime: str
    postgres_major: int
    first_wal: str  # the oldest WAL file that putting it back needs
    rows: dict[str, int]  # table -> rows, counted when it began
    parts: dict[str, str]  # file -> SHA-256
    files: dict[str, StoredFile] = field(default_factory=dict)
    files_url: str = ""  # where files lie that are not in it

    @property
    def ended(self) -> datetime:
        return datetime.fromisoformat(self.ended_at)


class Vault:
    """The backups in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def wal(self, line: str) -> Path:
        return self.folder / "wal" / line

    def place(self, backup: Backup) -> Path:
        return self.folder / backup.name

    def ensure(self) -> Vault:
        """Make the folder, closed to others. Errors: StateDirUnusable, DiskFull."""
        with file_errors_explained(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")  # passwords and people's data never belong in a repository
        return self

    def lock(self) -> DirectoryLock:
        """Errors: AlreadyRunning, naming the pid that takes a backup just now."""
        return DirectoryLock(self.folder / "lock")

    def backups(self) -> list[Backup]:
        """Return the whole ones, oldest first. Errors: BackupDamaged for a note that cannot be read."""
        if not self.folder.is_dir():
            return []
        with file_errors_explained(self.folder):
            return [
                _read(path) for path in sorted(self.folder.glob(f"*/{NOTE}")) if path.parent.name[0] != "."
            ]

    def chosen(self, *, name: str = "", at: datetime | None = None) -> Backup:
        """Return the backup of this name, else the newest that was complete at that time.

        Errors:  BackupMissing, saying what there is.
        """
        known = self.backups()
        if not known:
            raise BackupMissing(f"There is no backup in {self.folder}. Take one: shipworthy backup")
        if name:
            for backup in known:
                if backup.name == name:
                    return backup
            raise BackupMissing(
                f"There is no backup {name!r} in {self.folder}. There are: {', '.join(b.name for b in known)}."
            )
        before = [backup for backup in known if at is None or backup.ended <= at]
        if not before:
            raise BackupMissing(
                f"The oldest backup in {self.folder} was complete at {known[0].ended_at}, so nothing earlier can be "
                "brought back. Choose a later --at."
            )
        return before[-1]

    def begin(self, *, at: datetime) -> Path:
        """Return a new draft's folder, clearing what a killed attempt left. Call with the lock held."""
        left = {draft.name for draft in self.folder.glob(".*Z")}
        for name in left:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        # Two in one second: names stay in order. What a killed attempt started may still write where that one was.
        while (self.folder / at.strftime(_STAMP)).exists() or f".{at.strftime(_STAMP)}" in left:
            at += timedelta(seconds=1)
        draft = self.folder / f".{at.strftime(_STAMP)}"
        draft.mkdir(mode=0o700)
        return draft

    def finish(self, draft: Path, backup: Backup) -> None:
        """Make a draft a backup: written to the disk, then renamed."""
        text = json.dumps(asdict(backup), indent=1, sort_keys=True) + "\n"
        write_durably(draft / NOTE, text.encode())
        draft.rename(self.place(backup))
        _sync_folder(self.folder)

    def prune(self, *, keep: int) -> list[str]:
        """Let all but the newest `keep` go, with the changes and files only they needed; return their names.

        Call with the lock held.
        """
        known = self.backups()
        going, staying = known[:-keep], known[-keep:]
        for backup in going:
            shutil.rmtree(self.place(backup))
        if going:
            self._prune_wal(staying)
            self._prune_files(staying)
        return [backup.name for backup in going]

    def _prune_wal(self, staying: list[Backup]) -> None:
        first = {}
        for backup in reversed(staying):
            first[backup.line] = backup.first_wal  # the oldest of its line wins
        for line in (self.folder / "wal").glob("*"):
            if line.name not in first:
                shutil.rmtree(line)
                continue
            for segment in line.iterdir():
                if segment.name < first[line.name] and ".history" not in segment.name:
                    segment.unlink()

    def _prune_files(self, staying: list[Backup]) -> None:
        """A file that no backup names and that came before the oldest of them was deleted in the app since."""
        wanted = {key for backup in staying for key in backup.files}
        oldest_s = datetime.fromisoformat(staying[0].began_at).timestamp()
        for path in files_below(self.files):
            if str(path.relative_to(self.files)) not in wanted and path.stat().st_mtime < oldest_s:
                path.unlink()


def line_of(state: StateDir) -> str:
    """Return the line of the database in `state`, beginning one the first time."""
    file = state.path / "backup-line"
    with file_errors_explained(state.path):
        try:
            return file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return new_line(state)


def new_line(state: StateDir) -> str:
    """Begin a new line: what was stored until now stays with the old one. Errors: StateDirUnusable, DiskFull."""
    line = secrets.token_hex(8)
    file = state.path / "backup-line"
    with file_errors_explained(state.path):
        draft = file.with_suffix(".new")
        write_durably(draft, f"{line}\n".encode())
        draft.replace(file)
    return line


def damage(vault: Vault, backup: Backup) -> list[str]:
    """Return what of a backup is missing or not what it was; nothing where it is whole.

    Cost:    reads all of it.
    """
    found = []
    for name, sha256 in backup.parts.items():
        found += _differs(vault.place(backup) / name, sha256, what=f"{backup.name}/{name}")
    for key, stored in backup.files.items():
        found += _differs(vault.files / key, stored.sha256, what=f"files/{key}")
    return found


def _differs(path: Path, sha256: str, *, what: str) -> list[str]:
    try:
        return [] if sha256_of(path) == sha256 else [f"{what} is not what was stored"]
    except FileNotFoundError:
        return [f"{what} is missing"]


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def files_below(folder: Path) -> list[Path]:
    """Return every whole file below a folder. What the store is just writing has a # in its name."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [
            Path(place) / name for name in sorted(names) if "#" not in name and not name.startswith(".")
        ]
    return found


def copy_missing(source: Path, target: Path) -> list[str]:
    """Copy the files that `target` does not have yet, each whole or not at all; return their keys.

    A file that the app deletes meanwhile is no error. Errors: OSError, the disk's.
    """
    copied = []
    for path in files_below(source):
        key = path.relative_to(source)
        goal = target / key
        if goal.exists():
            continue
        goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = goal.with_name(f".{goal.name}.new")
        try:
            shutil.copy2(path, draft)
        except FileNotFoundError:
            continue
        draft.rename(goal)
        copied.append(str(key))
    return copied


def write_durably(path: Path, body: bytes, *, mode: int = 0o600) -> None:
    """Write a file and have it on the disk before this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> Backup:
    try:
        facts: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
        files = {key: StoredFile(**stored) for key, stored in dict(facts["files"]).items()}  # type: ignore[call-overload]
        return Backup(**{**facts, "files": files})  # type: ignore[arg-type]
    except (ValueError, TypeError, KeyError) as broken:
        raise BackupDamaged(
            f"{path} is not what a backup says of itself ({broken}). Restore another one (shipworthy backup list), or "
            "move this folder away."
        ) from broken
