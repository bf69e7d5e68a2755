"""A migration that keeps a busy table's writers out is found, and one that waits behind a reader without end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.probes import migration_locks
from shipworthy.local.postgres import PostgresAddress
from tests.support.moved import FIRST, SECOND, Ask, moved_app


@pytest.fixture
async def ask(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[Ask]:
    async with moved_app(cluster, tmp_path, "migrations.locks") as asked:
        yield asked


async def test_a_quick_change_that_gives_up_behind_a_reader_passes(ask: Ask) -> None:
    found = await ask(FIRST, SECOND, lock_timeout_s=1)
    assert {subject: f.verdict for subject, f in found.items()} == {
        "newest": Verdict.PASS,
        "waiting": Verdict.PASS,
    }
    assert "gives up after" in found["waiting"].title
    assert "on a copy of the seeded rows" in found["newest"].title


async def test_one_that_holds_a_table_for_seconds_and_sets_no_timeout_fails_twice(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_locks, "WRITER_WAIT_S_MAX", 0.5)
    monkeypatch.setattr(migration_locks, "GIVES_UP_WITHIN_S", 4.0)
    slow = (
        "lock table note in access exclusive mode; select pg_sleep(1); create table tag (tag_id int)",
        "drop table tag",
    )
    found = await ask(FIRST, slow)
    assert {subject: f.verdict for subject, f in found.items()} == {
        "newest": Verdict.FAIL,
        "waiting": Verdict.FAIL,
    }
    assert "writers of note wait" in found["newest"].title
    assert "note (AccessExclusiveLock)" in found["waiting"].title
    assert "lock_timeout" in found["waiting"].fix


async def test_one_that_touches_no_table_of_before_is_held_up_by_nobody(ask: Ask) -> None:
    found = await ask(FIRST, ("create table tag (tag_id int)", "drop table tag"), role="app")
    assert {f.verdict for f in found.values()} == {Verdict.PASS}
    assert "needs no lock that a reader holds up" in found["waiting"].title
    assert "on empty tables" in found["newest"].title


async def test_the_first_migration_of_all_has_nobody_to_keep_out(ask: Ask) -> None:
    (finding,) = (await ask(FIRST)).values()
    assert (finding.verdict, "no table before" in finding.title) == (Verdict.PASS, True)
