"""A change of the schema goes back and forth, or is caught. Covers: schema_facts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.local.postgres import PostgresAddress
from tests.support.moved import FIRST, SECOND, Ask, moved_app


@pytest.fixture
async def ask(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[Ask]:
    async with moved_app(cluster, tmp_path, "migrations.back_and_forth") as asked:
        yield asked


async def test_a_sound_pair_goes_back_and_forth(ask: Ask) -> None:
    found = await ask(FIRST, SECOND)
    assert {subject: f.verdict for subject, f in found.items()} == {
        "newest": Verdict.PASS,
        "all": Verdict.PASS,
    }
    assert "the same schema" in found["newest"].title


async def test_a_pair_that_only_fills_a_table_is_a_sound_one(ask: Ask) -> None:
    both = (f"{FIRST[0]}; create table tag (tag_id int)", f"drop table tag; {FIRST[1]}")
    fills = ("insert into tag values (1)", "delete from tag")
    found = await ask(both, fills)
    assert {subject: f.verdict for subject, f in found.items()} == {
        "newest": Verdict.PASS,
        "all": Verdict.PASS,
    }


@pytest.mark.parametrize(
    ("pair", "subject", "said"),
    [
        ((SECOND[0], "alter table note drop column nothing_of_the_kind"), "newest", "cannot be taken back"),
        ((SECOND[0], "select 1"), "newest", "changes nothing"),
        (
            (SECOND[0].replace("create index", "create index if not exists"),
             "alter table note drop column pinned; create index note_pinned on note (text)"),
            "newest", "leaves 2 differences",
        ),
        (("create table tag (tag_id int)", "drop table tag; delete from note where note_id = 1"), "newest", "changed rows of note"),
    ],
)  # fmt: skip
async def test_one_that_loses_or_leaves_something_is_caught(
    ask: Ask, pair: tuple[str, str], subject: str, said: str
) -> None:
    finding = (await ask(FIRST, pair))[subject]
    assert finding.verdict is Verdict.FAIL
    assert said in finding.title


async def test_an_older_one_that_cannot_be_taken_back_is_caught_on_the_whole_way(ask: Ask) -> None:
    found = await ask((FIRST[0], "drop table nothing_of_the_kind"), SECOND)
    assert {subject: f.verdict for subject, f in found.items()} == {
        "newest": Verdict.PASS,
        "all": Verdict.FAIL,
    }


async def test_a_strangers_database_is_made_empty_and_taken_back_step_by_step(ask: Ask) -> None:
    found = await ask(FIRST, SECOND, steps="", role="app")
    assert {f.verdict for f in found.values()} == {Verdict.PASS}
    assert "there were no rows to lose" in found["newest"].title
