"""The previous release's tests decide whether it could come back; tests that need no schema decide nothing."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.repository.conftest import git, lay
from tests.support.moved import FIRST, SECOND, Ask, moved_app

OLD = f"{sys.executable} old_test.py"
READS = """
import asyncio, os, asyncpg

async def main():
    connection = await asyncpg.connect(os.environ["MIGRATOR_DATABASE"])
    await connection.fetch("select note_id, text from note")

asyncio.run(main())
"""


@pytest.fixture
async def ask(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[Ask]:
    lay(tmp_path, {"old_test.py": READS})
    git(tmp_path, "init")
    git(tmp_path, "add", "old_test.py")
    git(tmp_path, "commit", "-m", "one")
    git(tmp_path, "tag", "v1")
    (tmp_path / "old_test.py").unlink()  # this release has other tests
    git(tmp_path, "commit", "-am", "two")
    async with moved_app(cluster, tmp_path, "migrations.previous") as asked:
        yield asked


async def test_a_schema_that_the_previous_release_understands_passes(ask: Ask) -> None:
    (finding,) = (await ask(FIRST, SECOND, previous=OLD)).values()
    assert (finding.subject, finding.verdict) == ("v1", Verdict.PASS)


async def test_a_column_that_the_previous_release_reads_is_missed(ask: Ask) -> None:
    renamed = ("alter table note rename text to words", "alter table note rename words to text")
    rows = "insert into note (note_id, words) values (1, 'one'), (2, 'two')"
    (finding,) = (await ask(FIRST, renamed, previous=OLD, rows=rows)).values()
    assert (finding.subject, finding.verdict) == ("v1", Verdict.FAIL)
    assert 'column "text" does not exist' in finding.evidence[0].text


async def test_without_a_command_a_tag_or_a_need_of_the_schema_nothing_is_claimed(
    ask: Ask, tmp_path: Path
) -> None:
    with pytest.raises(Unmeasurable, match="Nobody says"):
        await ask(FIRST)
    with pytest.raises(Unmeasurable, match="pass without any schema"):
        await ask(FIRST, previous="true")
    git(tmp_path, "tag", "-d", "v1")
    with pytest.raises(Unmeasurable, match="no git tag before"):
        await ask(FIRST, previous=OLD)
