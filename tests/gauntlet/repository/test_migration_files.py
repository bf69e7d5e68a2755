"""A migration's phase is what it says, and what it does must fit it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.contract.manifest import Migrations
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.repository.migration_files import breaking
from tests.gauntlet.repository.conftest import Ask, lay

DECLARED = Migrations(up="true", down="true", files=("migrations/*.sql",))


@pytest.mark.parametrize(
    ("sql", "does"),
    [
        ("DROP TABLE IF EXISTS note;", ["drops note"]),
        ("alter table note drop column hue, drop column size", ["drops the column hue", "drops the column size"]),
        ("alter table note rename column hue to colour", ["renames hue"]),
        ("alter table note rename to letter", ["renames letter"]),
        ("alter table note alter column size type bigint", ["retypes size"]),
        ("alter table note alter size set data type int", ["retypes size"]),
        ("alter table note alter column hue set not null", ["asks for a value of hue"]),
        ("alter table note add column size int not null", ["asks for a value of size"]),
        ("alter table note add column size int not null default 0, add b text", []),
        ("alter table note add constraint c check (a is not null)", []),
        ("alter table note alter column path type text collate \"C\"", []),
        ("create table note (note_id int not null); alter table note drop column hue", []),
        ("-- drop table note\nselect 'drop table note; drop table tag'", []),
        ("create function f() returns int language sql as $$ drop table note; $$", []),
        ("drop index note_idx; alter table note drop constraint c", []),
    ],
)  # fmt: skip
def test_what_the_previous_release_trips_over_is_named(sql: str, does: list[str]) -> None:
    assert breaking(sql) == does


async def test_each_phase_is_read_from_the_name_or_a_line_and_held_against_the_sql(
    ask: Ask, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    lay(
        app,
        {
            "migrations/0001_pre_note.sql": "create table note (note_id int primary key);",
            "migrations/0002_post_note.sql": "drop table note;",
            "migrations/2026_letters.sql": "-- phase: contract\ndrop table letter;",
        },
    )
    (finding,) = (await ask("migrations.phases", migrations=DECLARED)).values()
    assert finding.verdict is Verdict.PASS
    assert finding.title.startswith("1 migrations take nothing from the previous release, 2 wait")
    lay(app, {"migrations/0003_pre_note.sql": "drop table note;", "migrations/0004_note.sql": "select 1;"})
    found = await ask("migrations.phases", migrations=DECLARED)
    assert {subject: f.verdict for subject, f in found.items()} == {
        "app/0003_pre_note.sql": Verdict.FAIL,
        "app/0004_note.sql": Verdict.FAIL,
    }
    assert "says expand, and drops note" in found["app/0003_pre_note.sql"].title


async def test_a_pattern_that_fits_no_file_is_said(ask: Ask) -> None:
    (finding,) = (await ask("migrations.phases", migrations=DECLARED)).values()
    assert (finding.verdict, "No file fits migrations/*.sql" in finding.cause) == (Verdict.NOT_MEASURED, True)


async def test_squawk_reads_every_migration_and_knows_the_phases(ask: Ask, tmp_path: Path) -> None:
    app = tmp_path / "app"
    lay(app, {"migrations/0001_pre_note.sql": "create table note (note_id int primary key);"})
    lay(app, {"migrations/0002_post_note.sql": "alter table note drop column note_id;"})
    (finding,) = (await ask("migrations.squawk", migrations=DECLARED)).values()
    assert finding.verdict is Verdict.PASS, finding
    lay(app, {"migrations/0003_pre_tag.sql": "select 1;\nalter table tag rename to label;\n"})
    lay(app, {"migrations/0004_pre_tag.sql": "select 1;\n\ncreat table x;\n"})
    found = await ask("migrations.squawk", migrations=DECLARED)
    assert {f.source for f in found.values()} == {"app/0003_pre_tag.sql:2", "app/0004_pre_tag.sql:3"}
    assert {f.verdict for f in found.values()} == {Verdict.FAIL}
    assert "syntax-error" in found["app/0004_pre_tag.sql"].title
