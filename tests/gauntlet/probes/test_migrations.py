"""A change of the schema goes back and forth, or is caught. Covers: schema_facts."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest, Migrations
from shipworthy.contract.target import Handle, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.probes.migrations import back_and_forth
from shipworthy.local.postgres import PostgresAddress
from tests.gauntlet.conftest import by_subject, check_named
from tests.support import migrator

ROOT = Path(migrator.__file__).parents[2]
FIRST = ("create table note (note_id int primary key, text text not null)", "drop table note")
SECOND = (
    "alter table note add column pinned boolean not null default false; create index note_pinned on note (pinned)",
    "drop index note_pinned; alter table note drop column pinned",
)
Ask = Callable[..., Awaitable[dict[str, Finding]]]


@pytest.fixture
async def ask(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[Ask]:
    """Bring a database forward by the given pairs, put a row into it, and ask the check."""
    admin = await asyncpg.connect(cluster.url("postgres"))
    names: list[str] = []

    async def asked(
        *pairs: tuple[str, str], steps: str = " {steps}", role: str = "admin"
    ) -> dict[str, Finding]:
        for number, (up, down) in enumerate(pairs):
            (tmp_path / f"{number}.up.sql").write_text(up)
            (tmp_path / f"{number}.down.sql").write_text(down)
        names.append(f"moved_{len(names)}")
        await admin.execute(f"drop database if exists {names[-1]}")
        await admin.execute(f"create database {names[-1]}")
        url = cluster.url(names[-1])
        connection = await asyncpg.connect(url)
        await connection.execute(
            "create table applied (name text primary key, at timestamptz not null default now())"
        )
        for number, (up, _) in enumerate(pairs):
            await connection.execute(up)
            await connection.execute("insert into applied (name) values ($1)", str(number))
        await connection.execute("insert into note (note_id, text) values (1, 'one'), (2, 'two')")
        await connection.close()
        command = f"{sys.executable} {migrator.__file__}"
        manifest = Manifest(
            app="moved",
            migrations=Migrations(
                up=f"{command} up",
                down=f"{command} down{steps}",
                env={"MIGRATOR_DATABASE": "{database}"},
                bookkeeping=("applied",),
            ),
        )
        target = Target(
            name="moved", kind="command", manifest=manifest, workdir=str(tmp_path), allow_faults=True
        )
        handle = Handle(base_url="http://127.0.0.1:1", database_urls={role: url})
        exam = Exam(target, StartedInstance(handle, None))
        exam.begin(PlannedCheck(check=check_named("migrations.back_and_forth")))
        try:
            return by_subject(list(await back_and_forth(exam)))
        finally:
            assert not await exam.heal()
            await exam.close()
            again = await asyncpg.connect(url)  # the app is let in again, and nothing of it was touched
            assert await again.fetchval("select count(*) from note") == 2
            await again.close()

    yield asked
    left = await admin.fetch("select datname from pg_database where datname like 'gauntlet_%'")
    for name in names:
        await admin.execute(f"drop database {name} with (force)")
    await admin.close()
    assert left == []


async def test_a_sound_pair_goes_back_and_forth(ask: Ask) -> None:
    found = await ask(FIRST, SECOND)
    assert {subject: f.verdict for subject, f in found.items()} == {
        "newest": Verdict.PASS,
        "all": Verdict.PASS,
    }
    assert "the same schema" in found["newest"].title


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
