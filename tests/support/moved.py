"""An app whose schema is brought forward by SQL pairs, as the examiner's checks of migrations meet it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest, Migrations
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.stages import ALL_CHECKS
from shipworthy.local.postgres import PostgresAddress
from tests.support import migrator

FIRST = ("create table note (note_id int primary key, text text not null)", "drop table note")
SECOND = (
    "alter table note add column pinned boolean not null default false; create index note_pinned on note (pinned)",
    "drop index note_pinned; alter table note drop column pinned",
)
Ask = Callable[..., Awaitable[dict[str, Finding]]]


@asynccontextmanager
async def moved_app(cluster: PostgresAddress, folder: Path, check: str) -> AsyncIterator[Ask]:
    """Yield a function that brings a database forward by pairs, puts rows into it, and asks the check."""
    admin = await asyncpg.connect(cluster.url("postgres"))
    names: list[str] = []
    (asked_check,) = [one for one in ALL_CHECKS if one.name == check]

    async def ask(
        *pairs: tuple[str, str],
        steps: str = " {steps}",
        role: str = "admin",
        previous: str = "",
        lock_timeout_s: int = 0,
        rows: str = "insert into note (note_id, text) values (1, 'one'), (2, 'two')",
    ) -> dict[str, Finding]:
        for number, (up, down) in enumerate(pairs):
            (folder / f"{number}.up.sql").write_text(up)
            (folder / f"{number}.down.sql").write_text(down)
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
        await connection.execute(rows)
        await connection.close()
        exam = Exam(
            _target(folder, steps, previous, lock_timeout_s), StartedInstance(_handle(role, url), None)
        )
        exam.begin(PlannedCheck(check=asked_check))
        try:
            return _by_subject(await asked_check.run(exam))
        finally:
            assert not await exam.heal()
            await exam.close()
            again = await asyncpg.connect(url)  # the app is let in again, and nothing of it was touched
            assert await again.fetchval("select count(*) from note") == 2
            await again.close()

    try:
        yield ask
        left = await admin.fetch("select datname from pg_database where datname like 'gauntlet_%'")
        assert left == []
    finally:
        for name in names:
            await admin.execute(f"drop database {name} with (force)")
        await admin.close()


def _target(folder: Path, steps: str, previous: str, lock_timeout_s: int) -> Target:
    command = f"{sys.executable} {migrator.__file__}"
    migrations = Migrations(
        up=f"{command} up",
        down=f"{command} down{steps}",
        env={"MIGRATOR_DATABASE": "{database}", "MIGRATOR_LOCK_TIMEOUT_S": str(lock_timeout_s)},
        bookkeeping=("applied",),
        previous=previous,
    )
    manifest = Manifest(app="moved", migrations=migrations)
    return Target(
        name="moved",
        kind="command",
        manifest=manifest,
        workdir=str(folder),
        folder=str(folder),
        allow_faults=True,
    )


def _handle(role: str, url: str) -> Handle:
    return Handle(base_url="http://127.0.0.1:1", database_urls={role: url})


def _by_subject(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}
