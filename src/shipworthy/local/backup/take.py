"""Taking a backup of a server that runs: the database as it is, its files, its keys."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from shipworthy import __version__
from shipworthy.local.backup.programs import command, environment, run_program, whereabouts
from shipworthy.local.backup.vault import (
    Backup,
    StoredFile,
    Vault,
    copy_missing,
    files_below,
    line_of,
    sha256_of,
    write_durably,
)
from shipworthy.local.errors import ServiceFailed, file_errors_explained
from shipworthy.local.pgbinaries import installed_binaries
from shipworthy.local.postgres import PostgresAddress
from shipworthy.local.statedir import StateDir

_BASE_TIMEOUT_S = 3600.0
_FIRST_WAL = re.compile(r"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)")
_PARTS = ("base.tar.gz", "pg_wal.tar.gz", "backup_manifest", "secrets.json")


def take_backup(
    vault: Vault,
    state: StateDir,
    address: PostgresAddress,
    *,
    rows: Mapping[str, int],
    files_url: str = "",
    keep: int,
) -> tuple[Backup, list[str]]:
    """Take one backup and let the ones beyond `keep` go; return it and the names of those.

    The app goes on meanwhile. A backup that fails, or is killed, leaves those before it as they were.

    Cost:    about a second for a new app; it reads the whole database.
    Errors:  AlreadyRunning while another is taken; DiskFull, StateDirUnusable, ServiceFailed.
    """
    vault.ensure()
    lock = vault.lock()
    try:
        with file_errors_explained(vault.folder):
            began = _now()
            draft = vault.begin(at=began)
            try:
                backup = _taken(vault, draft, state, address, began=began, rows=rows, files_url=files_url)
                vault.finish(draft, backup)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            return backup, vault.prune(keep=keep)
    finally:
        lock.release()


def _taken(
    vault: Vault,
    draft: Path,
    state: StateDir,
    address: PostgresAddress,
    *,
    began: datetime,
    rows: Mapping[str, int],
    files_url: str,
) -> Backup:
    base = draft / "base"
    run_program(
        [command("pg_basebackup"), *whereabouts(address), "--pgdata", str(base), "--format=tar", "--compress=gzip:1",
         "--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256"],
        about=vault.folder, env=environment(address), timeout_s=_BASE_TIMEOUT_S,
    )  # fmt: skip
    ended = _now()
    for part in base.iterdir():
        part.rename(draft / part.name)
    base.rmdir()
    line = line_of(state)
    write_durably(draft / "secrets.json", state.secrets_file.read_bytes())
    own = state.path / "files"
    copy_missing(own, vault.files)
    return Backup(
        name=draft.name.removeprefix("."),
        line=line,
        state=str(state.path.resolve()),
        began_at=began.isoformat(timespec="milliseconds"),
        ended_at=ended.isoformat(timespec="milliseconds"),
        runtime=__version__,
        postgres_major=installed_binaries().major(),
        first_wal=_first_wal(draft / "base.tar.gz"),
        rows=dict(rows),
        parts={name: sha256_of(draft / name) for name in _PARTS},
        files={} if files_url else _stored(own, vault.files),
        files_url=files_url,
    )


def _stored(own: Path, kept: Path) -> dict[str, StoredFile]:
    """Say of every file the app has now what it is; of the copies, since the app may delete its own meanwhile."""
    found = {}
    for path in files_below(own):
        copy = kept / path.relative_to(own)
        if copy.exists():
            found[str(path.relative_to(own))] = StoredFile(
                size_bytes=copy.stat().st_size, sha256=sha256_of(copy)
            )
    return found


def _first_wal(archive: Path) -> str:
    import tarfile

    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:  # the label is the archive's first file
            if member.name.removeprefix("./") == "backup_label":
                label = tar.extractfile(member)
                found = _FIRST_WAL.search(label.read().decode()) if label else None
                if found:
                    return found[1]
    raise ServiceFailed(f"{archive} holds no label, so it cannot be put back.")


def _now() -> datetime:
    return datetime.now(UTC)
