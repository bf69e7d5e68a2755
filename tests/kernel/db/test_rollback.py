"""What taking a migration back loses is said before it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.kernel.db.migrate import Migration
from shipworthy.kernel.db.rollback import losses, way_back


@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("drop table note; drop table if exists tag;", ("the table note with its rows", "the table tag with its rows")),
        ("alter table tag drop column hue, drop column if exists size", ("the column tag.hue", "the column tag.size")),
        ("delete from note where old;\nupdate tag set hue = ''", ("rows of note", "what stood in rows of tag")),
        ("drop index note_at; alter table note drop constraint one", ()),
        ("-- drop table note;\n/* truncate tag */ select 'drop table note; delete from tag'", ()),
        ("create function f() returns void language sql as $$ delete from note; $$", ()),
    ],
)  # fmt: skip
def test_what_is_lost_is_named(sql: str, lost: tuple[str, ...]) -> None:
    assert losses(sql) == lost


def test_the_way_back_says_when_the_migration_may_run(tmp_path: Path) -> None:
    up, down = tmp_path / "up.sql", tmp_path / "down.sql"
    up.write_text("create table note (note_id int)")
    down.write_text("drop table note")
    expand = way_back(Migration("toy", 1, "pre", "note", up, down))
    contract = way_back(Migration("toy", 1, "post", "note", up, down))
    assert expand.loses == contract.loses == ("the table note with its rows",)
    assert (expand.migration.is_contract, contract.migration.is_contract) == (False, True)
    assert expand.when.startswith("expand: run it before the new release")
    assert contract.when.startswith("contract: run it when no process of the previous release is left")
