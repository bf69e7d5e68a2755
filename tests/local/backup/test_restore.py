"""Backups of a real server, and what comes back of them: after a crash, a lost disk, at a moment, or not at all.

Covers: vault, programs, take, follow.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shipworthy.local.backup.follow import Follower
from shipworthy.local.backup.restore import Restored, restore
from shipworthy.local.backup.take import take_backup
from shipworthy.local.backup.vault import Backup, Vault, damage, files_below, line_of
from shipworthy.local.errors import (
    AlreadyRunning,
    BackupDamaged,
    BackupMissing,
    DatabaseMissing,
    DiskFull,
    RestoreFailed,
    RestoreRefused,
)
from shipworthy.local.postgres import EmbeddedPostgres, PostgresAddress
from shipworthy.local.statedir import StateDir
from tests.support.disk import small_disk
from tests.support.postgres import open_directory, run_sql


@pytest.fixture
def place() -> Iterator[Path]:
    with open_directory() as directory:
        yield directory


class Shop:
    """A database with one table, its files and its backups."""

    def __init__(self, place: Path) -> None:
        self.state, self.vault = StateDir(place / "state"), Vault(place / "backups")
        self.server = EmbeddedPostgres(self.state.path)
        self.address: PostgresAddress = self.server.start()
        self.sql("create table sale (n int primary key)")

    def sql(self, text: str) -> str:
        return run_sql(self.address, text)

    def sells(self, *numbers: int) -> None:
        for number in numbers:
            self.sql(f"insert into sale values ({number})")

    def stores(self, key: str, text: str) -> None:
        (self.state.path / "files" / key).parent.mkdir(parents=True, exist_ok=True)
        (self.state.path / "files" / key).write_text(text)

    def backs_up(self, *, keep: int = 7) -> Backup:
        return take_backup(self.vault, self.state, self.address, rows={"sale": 0}, keep=keep)[0]


@pytest.fixture
def shop(place: Path) -> Iterator[Shop]:
    shop = Shop(place)
    try:
        yield shop
    finally:
        shop.server.stop()


def sold(address: PostgresAddress) -> list[int]:
    return [int(line) for line in run_sql(address, "select n from sale order by n").splitlines()]


def restored(shop: Shop, to: Path, **wanted: object) -> tuple[Restored, list[int]]:
    """Restore, and return what the new database holds once it runs by itself."""
    made = restore(shop.vault, to, verify=lambda *_: [], **wanted)  # type: ignore[arg-type]
    with EmbeddedPostgres(to) as address:
        return made, sold(address)


def test_a_crash_loses_nothing_that_was_committed(shop: Shop, place: Path) -> None:
    shop.stores("t1/pdf/a", "before")
    shop.sells(1, 2)
    shop.backs_up()
    shop.stores("t1/pdf/b", "after")
    shop.sells(3, 4)
    os.kill(shop.address.pid, signal.SIGKILL)
    made, numbers = restored(shop, place / "again")
    assert numbers == [1, 2, 3, 4]
    assert made.with_last_writes
    assert (place / "again/files/t1/pdf/a").read_text() == "before"
    assert not (place / "again.restoring").exists()
    # It is another life of the database, and its keys are the same.
    assert line_of(StateDir(place / "again")) != line_of(shop.state)
    assert StateDir(place / "again").all_secrets() == shop.state.all_secrets()


async def test_what_was_followed_comes_back_when_the_disk_is_gone_and_at_any_moment(
    shop: Shop, place: Path
) -> None:
    ready = asyncio.Event()

    async def take() -> None:
        await asyncio.to_thread(shop.backs_up)

    follower = Follower(shop.vault, shop.state, shop.address, take=take, say=lambda _line: None)
    following = asyncio.ensure_future(follower.run(ready=ready.set))
    try:
        await asyncio.wait_for(ready.wait(), 60)
        assert len(shop.vault.backups()) == 1
        shop.sells(1, 2)
        between = datetime.fromisoformat(shop.sql("select clock_timestamp() at time zone 'utc'")).replace(
            tzinfo=UTC
        )
        shop.sells(3)
        shop.stores("t1/pdf/b", "after")
        behind = (
            "select 1 from pg_stat_replication where flush_lsn < pg_current_wal_lsn() or flush_lsn is null"
        )
        kept = shop.vault.files / "t1/pdf/b"
        for _ in range(600):
            if kept.exists() and not shop.sql(behind):
                break
            await asyncio.sleep(0.05)
        assert not shop.sql(behind)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    shop.server.stop()
    await asyncio.to_thread(shutil.rmtree, shop.state.path)  # the whole disk, with the last writes
    made, numbers = await asyncio.to_thread(restored, shop, place / "again")
    assert (numbers, made.with_last_writes) == ([1, 2, 3], False)
    assert "t1/pdf/b" in [
        str(path.relative_to(place / "again/files")) for path in files_below(place / "again/files")
    ]
    _, earlier = await asyncio.to_thread(restored, shop, place / "earlier", at=between)
    assert earlier == [1, 2]
    with pytest.raises(RestoreFailed, match=r"ends before .* last change it knows"):
        restore(shop.vault, place / "late", at=datetime.now(UTC) + timedelta(hours=1), verify=lambda *_: [])
    with pytest.raises(BackupMissing, match="nothing earlier"):
        restore(shop.vault, place / "early", at=between - timedelta(days=1), verify=lambda *_: [])
    assert sorted(os.listdir(place)) == ["again", "backups", "earlier"]


def test_nothing_is_restored_over_what_is_there_and_nothing_of_a_damaged_backup(
    shop: Shop, place: Path
) -> None:
    backup = shop.backs_up()
    with pytest.raises(RestoreRefused, match=f"process {shop.address.pid}"):
        restore(shop.vault, shop.state.path, verify=lambda *_: [])
    shop.server.stop()
    with pytest.raises(RestoreRefused, match="already"):
        restore(shop.vault, shop.state.path, verify=lambda *_: [])
    (place / "full").mkdir()
    (place / "full" / "mine.txt").write_text("mine")
    with pytest.raises(RestoreRefused, match="not empty"):
        restore(shop.vault, place / "full", verify=lambda *_: [])
    with pytest.raises(RestoreFailed, match="numbers are missing"):
        restore(shop.vault, place / "new", verify=lambda *_: ["numbers are missing"])
    base = shop.vault.place(backup) / "base.tar.gz"
    body = bytearray(base.read_bytes())
    body[len(body) // 2] ^= 1
    base.write_bytes(body)
    assert damage(shop.vault, backup) == [f"{backup.name}/base.tar.gz is not what was stored"]
    with pytest.raises(BackupDamaged, match="is not what was stored"):
        restore(shop.vault, place / "new", verify=lambda *_: [])
    (shop.vault.place(backup) / "backup.json").write_text("{")
    with pytest.raises(BackupDamaged):
        shop.vault.backups()
    assert not [path for path in place.iterdir() if path.name.startswith("new")]


def test_old_backups_go_with_what_only_they_needed(shop: Shop) -> None:
    shop.stores("t1/pdf/old", "old")
    first = shop.backs_up()
    (shop.state.path / "files/t1/pdf/old").unlink()
    for name in (first.first_wal[:-1] + "0", "0" * 24):
        shop.vault.wal(first.line).mkdir(parents=True, exist_ok=True)
        (shop.vault.wal(first.line) / name).write_bytes(b"")
    second = shop.backs_up()
    third = shop.backs_up(keep=2)
    assert [backup.name for backup in shop.vault.backups()] == [second.name, third.name]
    assert list(shop.vault.wal(first.line).iterdir()) == []
    assert not (shop.vault.files / "t1/pdf/old").exists()
    note = json.loads((shop.vault.place(third) / "backup.json").read_text())
    assert note["first_wal"] == third.first_wal
    assert set(note["parts"]) == {"base.tar.gz", "pg_wal.tar.gz", "backup_manifest", "secrets.json"}
    assert (shop.vault.place(third) / "secrets.json").stat().st_mode & 0o077 == 0
    assert not [problem for backup in shop.vault.backups() for problem in damage(shop.vault, backup)]


def test_a_full_disk_and_a_kill_leave_the_backups_before_as_they_were(shop: Shop, place: Path) -> None:
    shop.vault.folder.mkdir()
    with small_disk(shop.vault.folder, size_mb=12):
        first = shop.backs_up()
        shop.sql("create table bulk as select gen_random_uuid() from generate_series(1, 350000)")
        with pytest.raises(DiskFull, match="untouched"):
            shop.backs_up()
        assert [backup.name for backup in shop.vault.backups()] == [first.name]
        assert not damage(shop.vault, first)
        assert not list(shop.vault.folder.glob(".*Z"))
        (place / "small").mkdir()
        with small_disk(place / "small", size_mb=30):
            with pytest.raises(DiskFull, match="untouched"):
                restore(shop.vault, place / "small" / "new", verify=lambda *_: [])
            assert list((place / "small").iterdir()) == []
    other = Vault(place / "other")
    killed = subprocess.Popen([sys.executable, "-c", _TAKE, str(other.folder), str(shop.state.path)])
    _until(lambda: list(other.folder.glob(".*Z/base/*")))
    with pytest.raises(AlreadyRunning, match=str(killed.pid)):
        take_backup(other, shop.state, shop.address, rows={}, keep=7)
    killed.kill()
    killed.wait()
    assert other.backups() == []
    taken, _ = take_backup(other, shop.state, shop.address, rows={}, keep=7)
    assert [path.name for path in sorted(other.folder.glob("*Z"))] == [taken.name]
    assert not list(other.folder.glob(".*Z"))


def test_without_a_database_or_a_backup_the_next_step_is_named(place: Path) -> None:
    with pytest.raises(DatabaseMissing, match="shipworthy up"), EmbeddedPostgres(place / "none").reached():
        raise AssertionError
    with pytest.raises(BackupMissing, match="shipworthy backup"):
        restore(Vault(place / "none"), place / "new", verify=lambda *_: [])


_TAKE = """
import sys
from pathlib import Path
from shipworthy.local.backup.take import take_backup
from shipworthy.local.backup.vault import Vault
from shipworthy.local.postgres import EmbeddedPostgres
from shipworthy.local.statedir import StateDir

state = Path(sys.argv[2])
with EmbeddedPostgres(state).reached() as address:
    take_backup(Vault(Path(sys.argv[1])), StateDir(state), address, rows={}, keep=7)
"""


def _until(condition: object) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.01)
