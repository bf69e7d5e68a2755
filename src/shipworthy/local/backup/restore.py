"""Putting a backup back, into a new state directory and never over one that is there.

Everything is made beside the wanted place and renamed in the end: a restore that fails or is killed leaves
nothing there, and the next one clears its leftovers.
"""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shipworthy.local.account import Account, service_account
from shipworthy.local.backup.programs import run_program
from shipworthy.local.backup.vault import Backup, Vault, damage, files_below, line_of
from shipworthy.local.errors import (
    BackupDamaged,
    LocalServiceError,
    RestoreFailed,
    RestoreRefused,
    ServiceFailed,
    file_errors_explained,
)
from shipworthy.local.pgbinaries import Binaries, installed_binaries, runnable_binaries
from shipworthy.local.pgdata import ENVIRONMENT, clear_leftovers
from shipworthy.local.pghome import PostgresHome, claim_home, forget_home, known_home
from shipworthy.local.postgres import EmbeddedPostgres, PostgresAddress
from shipworthy.local.statedir import DirectoryLock, StateDir

_RECOVERY_TIMEOUT_S = 24 * 3600.0
_CHECK_TIMEOUT_S = 3600.0
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_LAST = re.compile(r"last completed transaction was at log time ([^\n]+)")

Verify = Callable[[PostgresAddress, StateDir, Backup], list[str]]


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What stands in the new state directory. `last_change` is the newest transaction it holds, where one is known."""

    state: Path
    backup: Backup
    last_change: datetime | None
    with_last_writes: bool
    files: int


def restore(
    vault: Vault,
    to: Path,
    *,
    name: str = "",
    at: datetime | None = None,
    last_writes_of: Path | None = None,
    verify: Verify,
    say: Callable[[str], None] = lambda _line: None,
) -> Restored:
    """Make `to` the state directory it was at `at` (as late as can be when None).

    What the database in `last_writes_of` (the backup's own, unless another is named) wrote before it died is
    taken along if it is still there and of the same line. `verify` looks at the restored database while it
    runs and returns what is wrong with it.

    Errors:  RestoreRefused where something is there already; BackupMissing, BackupDamaged; RestoreFailed for a
             time that was not reached, and for what `verify` found; DiskFull. Nothing is left at `to`.
    """
    to = to.absolute()
    _require_free(to)
    backup = vault.chosen(name=name, at=at)
    if backup.postgres_major != installed_binaries().major():
        raise RestoreRefused(
            f"The backup {backup.name} was written by PostgreSQL {backup.postgres_major}, and the installed one is "
            f"{installed_binaries().major()}. Restore it with shipworthy {backup.runtime}."
        )
    say(f"backup {backup.name}: checking")
    if wrong := damage(vault, backup):
        raise BackupDamaged(
            f"The backup {backup.name} cannot be trusted: {'; '.join(wrong[:5])}. Restore another one."
        )
    draft = StateDir(to.with_name(f"{to.name}.restoring"))
    with file_errors_explained(to.parent):
        to.parent.mkdir(parents=True, exist_ok=True)
        lock = DirectoryLock(draft.path.with_suffix(".lock"))
        try:
            _clear(draft)
            try:
                made = _made(
                    vault, backup, draft, to, at=at, last_writes_of=last_writes_of, verify=verify, say=say
                )
            except BaseException:
                _clear(draft)
                raise
            _move(draft, to)
        finally:
            lock.release()
            draft.path.with_suffix(".lock").unlink(missing_ok=True)
    return made


def _require_free(to: Path) -> None:
    state = StateDir(to)
    running = EmbeddedPostgres(to).status()
    if running.state == "running":
        raise RestoreRefused(
            f"A database runs in {to} (process {running.pid}), and nothing is restored over one. Restore beside it "
            "(--to ANOTHER), look at it, then stop the app and swap the two folders."
        )
    if running.state == "stopped" or known_home(state).data.exists():
        raise RestoreRefused(
            f"There is a database in {to} already, and nothing is restored over one. Restore beside it (--to ANOTHER), "
            "or move that folder away first."
        )
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise RestoreRefused(f"{to} is not empty; nothing was restored. Choose another --to.")


def _made(
    vault: Vault,
    backup: Backup,
    draft: StateDir,
    to: Path,
    *,
    at: datetime | None,
    last_writes_of: Path | None,
    verify: Verify,
    say: Callable[[str], None],
) -> Restored:
    draft.ensure()
    shutil.copyfile(vault.place(backup) / "secrets.json", draft.secrets_file)
    draft.secrets_file.chmod(0o600)
    account = service_account(owner_of=known_home(draft).data)
    home = claim_home(draft, account=account)
    binaries = runnable_binaries(installed_binaries(), account=account, copy_to=home.binaries)
    say("database: unpacking and checking")
    _unpack(vault.place(backup), home, account)
    run_program(
        [str(binaries.program("pg_verifybackup")), "--quiet", "--exit-on-error", str(home.data)],
        about=to.parent, env=ENVIRONMENT, timeout_s=_CHECK_TIMEOUT_S, account=account,
    )  # fmt: skip
    changes, with_last_writes = _gather_changes(vault, backup, home, last_writes_of)
    for path in (home.path / "changes", *changes):
        account.give(path)
    files = _copy_files(vault, backup, draft)
    say(f"database: replaying {len(changes)} files of changes")
    wrong, last_change = _replay(draft, home, backup, at=at, verify=verify, say=say)
    if wrong:
        raise RestoreFailed(
            f"What was restored from {backup.name} does not hold: {'; '.join(wrong[:5])}. Nothing was put in place; "
            "try an earlier backup (--backup NAME)."
        )
    _require_sound_pages(home, account, binaries, to)
    shutil.rmtree(home.path / "changes")
    return Restored(
        state=to, backup=backup, last_change=last_change, with_last_writes=with_last_writes, files=files
    )


def _unpack(place: Path, home: PostgresHome, account: Account) -> None:
    home.data.mkdir(mode=0o700)
    for archive, into in (("base.tar.gz", home.data), ("pg_wal.tar.gz", home.data / "pg_wal")):
        with tarfile.open(place / archive, "r:gz") as tar:
            tar.extractall(into, filter="data")
    shutil.copyfile(place / "backup_manifest", home.data / "backup_manifest")
    (home.data / "recovery.signal").touch(mode=0o600)
    for path in (home.data, *home.data.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        account.give(path)


def _gather_changes(
    vault: Vault, backup: Backup, home: PostgresHome, last_writes_of: Path | None
) -> tuple[list[Path], bool]:
    """Lay out every change that follows the backup; say whether the last ones of the old database are among them."""
    into = home.path / "changes"
    into.mkdir(mode=0o700)
    sources = [
        path
        for path in (vault.wal(backup.line), _write_ahead_log(backup, last_writes_of))
        if path is not None
    ]
    found: dict[str, Path] = {}
    for source in sources:
        with suppress(FileNotFoundError):
            for path in sorted(source.iterdir()):
                name = path.name.removesuffix(".partial")
                # What the old database wrote itself is never less than what was followed of it.
                if _SEGMENT.fullmatch(name) and name >= backup.first_wal:
                    found[name] = path
    copied = []
    for name, path in found.items():
        with suppress(FileNotFoundError):  # renamed by a database that still runs
            copied.append(Path(shutil.copyfile(path, into / name)))
    return copied, len(sources) > 1


def _write_ahead_log(backup: Backup, last_writes_of: Path | None) -> Path | None:
    state = StateDir(last_writes_of or Path(backup.state))
    with suppress(LocalServiceError, OSError):
        log = known_home(state).data / "pg_wal"
        if log.is_dir() and line_of(state) == backup.line:
            return log
    return None


def _copy_files(vault: Vault, backup: Backup, draft: StateDir) -> int:
    """The backup's files, and those that came after it."""
    began_s = datetime.fromisoformat(backup.began_at).timestamp()
    into, copied = draft.path / "files", 0
    for path in files_below(vault.files):
        key = path.relative_to(vault.files)
        if str(key) in backup.files or path.stat().st_mtime >= began_s:
            (into / key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, into / key)
            copied += 1
    return copied


def _replay(
    draft: StateDir,
    home: PostgresHome,
    backup: Backup,
    *,
    at: datetime | None,
    verify: Verify,
    say: Callable[[str], None],
) -> tuple[list[str], datetime | None]:
    settings = {
        "restore_command": f'cp "{home.path / "changes"}/%f" "%p"',
        "hot_standby": "off",  # so that a server that answers is through with it
        "recovery_target_action": "promote",
        **({"recovery_target_time": at.astimezone(UTC).isoformat()} if at else {}),
    }
    server = EmbeddedPostgres(draft.path, settings=settings)
    try:
        address = server.start(timeout_s=_RECOVERY_TIMEOUT_S)
    except ServiceFailed as failed:
        if at is not None and "recovery ended before configured recovery target" in failed.message:
            last = _last_change(server.log_file)
            until = f" The last change it knows is of {last.isoformat(timespec='seconds')}." if last else ""
            raise RestoreFailed(
                f"What was kept ends before {at.isoformat(timespec='seconds')}.{until} Leave --at out to get everything."
            ) from failed
        raise RestoreFailed(f"The changes could not be replayed. {failed.message}") from failed
    try:
        say("database: verifying")
        return verify(address, draft, backup), _last_change(server.log_file)
    finally:
        server.stop()


def _last_change(log_file: Path) -> datetime | None:
    found = _LAST.findall(log_file.read_text(encoding="utf-8", errors="replace"))
    with suppress(ValueError, IndexError):
        return datetime.strptime(found[-1].strip(), "%Y-%m-%d %H:%M:%S.%f+00").replace(tzinfo=UTC)
    return None


def _require_sound_pages(home: PostgresHome, account: Account, binaries: Binaries, to: Path) -> None:
    """Every page of every table is what was written: checksums, and no page half written."""
    argv = [str(binaries.program("pg_checksums")), "--check", "--pgdata", str(home.data)]
    try:
        run_program(argv, about=to.parent, env=ENVIRONMENT, timeout_s=_CHECK_TIMEOUT_S, account=account)
    except ServiceFailed as failed:
        raise RestoreFailed(f"The restored database has damaged pages. {failed.message}") from failed


def _clear(draft: StateDir) -> None:
    """Delete what a broken-off restore left, wherever its database lies."""
    if not draft.path.exists():
        return
    with suppress(LocalServiceError):
        home = known_home(draft)
        if home.data.exists():
            clear_leftovers(home.data)
        if home.is_outside:
            forget_home(draft, home)
    shutil.rmtree(draft.path)


def _move(draft: StateDir, to: Path) -> None:
    home = known_home(draft)
    for name in ("lock", "logs/postgres.log"):
        (draft.path / name).unlink(missing_ok=True)
    if to.exists():
        to.rmdir()  # empty, or it would have been refused
    if home.is_outside:
        (home.path / "belongs-to").write_text(f"{to}\n")
    draft.path.rename(to)
