"""Migrations go back and forth: taken back and brought forward, the schema is the same and no row is lost.

On a database of the examiner's own: for our apps a copy of the seeded one, so that there are rows to lose;
for a stranger's an empty one, which shows the schema only and says so. The app's own commands do the work.
"""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.manifest import Migrations
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.db import Database, PostgresError
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.schema_facts import Columns, checksums_of, columns_of, schema_of
from shipworthy.gauntlet.repository.tool import Ended, output_of, ran

STEPS_MAX = 100  # nobody takes more back; one step at a time where a command knows no other
# Where tools everybody uses note what they applied; others are named in the declaration.
BOOKKEEPING = ("alembic_version", "django_migrations", "schema_migrations", "_prisma_migrations", "knex_migrations",
               "flyway_schema_history")  # fmt: skip
_LINES_SHOWN = 30
_FIX = (
    "Write the down part so that it takes back exactly what the up part did, and nothing that people wrote."
)


async def back_and_forth(exam: Exam) -> Sequence[Finding]:
    """Take the newest migration back and forward again, then all of them; say what differs."""
    migrations = exam.manifest.migrations
    assert migrations is not None, "the plan asks for the capability"
    async with own_database(exam) as (database, has_rows):
        commands = Commands(exam, migrations, database)
        await commands.up()
        return [
            await _last_step(exam, database, commands, has_rows),
            await _whole_way(exam, database, commands),
        ]


async def _last_step(exam: Exam, database: Database, commands: Commands, has_rows: bool) -> Finding:
    async with database.connection() as connection:
        before, columns = await schema_of(connection), await tables_of(exam, connection)
        all_rows = await checksums_of(connection, columns)
    if refused := await commands.down(1):
        return _irreversible(exam, "newest", "The newest migration cannot be taken back", refused)
    async with database.connection() as connection:
        kept = {
            table: tuple(c for c in names if c in columns[table])
            for table, names in (await tables_of(exam, connection)).items()
            if table in columns
        }
        # One that only fills tables takes their rows back and leaves the schema as it is.
        is_taken_back = (
            await schema_of(connection) != before or await checksums_of(connection, columns) != all_rows
        )
    if not is_taken_back:
        return exam.finding(
            "newest", Verdict.FAIL, "Taking the newest migration back changes nothing", fix=_FIX
        )
    await commands.up()
    async with database.connection() as connection:
        again, rows = await schema_of(connection), await checksums_of(connection, kept)
    comparable = {table: all_rows[table] for table, names in kept.items() if names == columns[table]}
    lost = [table for table, known in comparable.items() if rows[table] != known]
    if differing := _differing(before, again):
        title = (
            f"Back and forward again, the newest migration leaves {len(differing)} differences in the schema"
        )
        return exam.finding("newest", Verdict.FAIL, title, fix=_FIX, evidence=(_shown(differing),))
    counted = sum(int(known.partition(":")[0]) for known in comparable.values())
    if lost:
        title = (
            f"Back and forward again, the newest migration has changed rows of {', '.join(sorted(lost)[:4])}"
        )
        return exam.finding("newest", Verdict.FAIL, title, fix=_FIX)
    title = "Back and forward again, the newest migration leaves the same schema"
    title += (
        f" and the same {counted:,} rows in {len(comparable)} tables"
        if has_rows
        else "; there were no rows to lose"
    )
    measures = (Measure(name="rows compared", unit="rows", estimate=counted),)
    return exam.finding("newest", Verdict.PASS, title, measures=measures)


async def tables_of(exam: Exam, connection: Any) -> Columns:
    """Return the tables of the app; what a tool notes for itself may differ by the time."""
    migrations = exam.manifest.migrations
    noted = {*BOOKKEEPING, *(migrations.bookkeeping if migrations else ())}
    return {table: names for table, names in (await columns_of(connection)).items() if table not in noted}


async def _whole_way(exam: Exam, database: Database, commands: Commands) -> Finding:
    async with database.connection() as connection:
        before = await schema_of(connection)
    if refused := await commands.down_all():
        return _irreversible(exam, "all", "The migrations cannot all be taken back", refused)
    async with database.connection() as connection:
        left = {fact for fact in await schema_of(connection) if fact in before}
    await commands.up()
    async with database.connection() as connection:
        again = await schema_of(connection)
    if differing := _differing(before, again):
        title = f"All the way back and forward again, {len(differing)} differences are left in the schema"
        return exam.finding("all", Verdict.FAIL, title, fix=_FIX, evidence=(_shown(differing),))
    title = f"All migrations go back and forward again: {len(before) - len(left)} facts of the schema made anew, the same"
    return exam.finding("all", Verdict.PASS, title)


def _irreversible(exam: Exam, subject: str, title: str, said: str) -> Finding:
    shown = (Evidence(kind="log", title="It said", text=said),)
    return exam.finding(
        subject, Verdict.FAIL, title, cause=said.rpartition("\n")[2], fix=_FIX, evidence=shown
    )


def _differing(before: frozenset[str], after: frozenset[str]) -> list[str]:
    return [
        *(f"- {fact}" for fact in sorted(before - after)),
        *(f"+ {fact}" for fact in sorted(after - before)),
    ]


def _shown(lines: list[str]) -> Evidence:
    return Evidence(kind="text", title="Before (-) and after (+)", text="\n".join(lines[:_LINES_SHOWN]))


class Commands:
    """The app's commands, on a database of the examiner's own."""

    def __init__(self, exam: Exam, migrations: Migrations, database: Database) -> None:
        self._exam, self._migrations, self._database = exam, migrations, database
        self._known = {"{database}": database.url, "{python}": sys.executable}

    async def up(self) -> None:
        """Bring the schema forward. Errors: Undecided, because then nothing can be compared."""
        if refused := await self.tried_up():
            raise Undecided(
                f"Bringing the schema forward failed: {refused}", fix=f"Run it by hand: {self._migrations.up}"
            )

    async def tried_up(self) -> str:
        """Bring the schema forward; return what it said when it failed, else nothing."""
        return await self._ran(self._migrations.up)

    async def down(self, steps: int) -> str:
        """Take steps back; return what it said when it failed, else nothing."""
        return await self._ran(self._migrations.down, {"{steps}": str(steps)})

    async def down_all(self) -> str:
        if "{steps}" in self._migrations.down:
            return await self.down(STEPS_MAX)
        for _ in range(STEPS_MAX):
            async with self._database.connection() as connection:
                before = await schema_of(connection)
            refused = await self.down(1)
            async with self._database.connection() as connection:
                tables, unchanged = await columns_of(connection), await schema_of(connection) == before
            if refused and len(tables) > 1:  # the one that is left remembers what was applied
                return refused
            if refused or unchanged:
                return ""
        return ""

    async def ended(self, command: str, *, cwd: Path, timeout_s: float) -> Ended:
        """Run a command of the app's to its end. Errors: Unmeasurable when it does not start or takes too long."""
        words = [_filled(word, self._known) for word in shlex.split(command)]
        return await ran(words[0], words[1:], cwd=cwd, env=self._env(self._known), timeout_s=timeout_s)

    async def _ran(self, command: str, more: dict[str, str] | None = None) -> str:
        known = {**self._known, **(more or {})}
        words = [_filled(word, known) for word in shlex.split(command)]
        try:
            await output_of(words[0], words[1:], cwd=Path(self._exam.target.workdir), env=self._env(known))
        except Unmeasurable as failed:
            return failed.why
        return ""

    def _env(self, known: dict[str, str]) -> dict[str, str]:
        declared = {name: _filled(value, known) for name, value in self._migrations.env.items()}
        return {**os.environ, **declared}


@asynccontextmanager
async def own_database(exam: Exam, *, is_empty: bool = False) -> AsyncIterator[tuple[Database, bool]]:
    """Yield a database of the examiner's own, and whether it has the seeded rows; dropped afterwards."""
    is_admin = exam.can("database.admin")
    source = exam.database("admin" if is_admin else "app")
    is_copied = is_admin and not is_empty
    name = f"gauntlet_{secrets.token_hex(6)}"
    parts = urlsplit(source.url)
    beside = Database(urlunsplit(parts._replace(path="/postgres")), role=source.role, scope=source.scope)
    try:
        if is_copied:
            await _copied(exam, beside, parts.path.lstrip("/"), name)
        else:
            await beside.fetch(f'create database "{name}"')
    except PostgresError as refused:
        raise Unmeasurable(
            f"No database of its own can be made: {refused}.",
            fix="Give target.database a role that may create databases (CREATEDB).",
        ) from refused
    try:
        own = Database(urlunsplit(parts._replace(path=f"/{name}")), role=source.role, scope=source.scope)
        yield own, is_copied
    finally:
        await beside.fetch(f'drop database if exists "{name}" with (force)')


async def _copied(exam: Exam, beside: Database, source: str, name: str) -> None:
    """Copy the app's database; nobody may be in it meanwhile, so the app is turned away for a moment."""
    exam.heal_later("letting the app back into its database", lambda: _opened(beside, source))
    await beside.fetch(f'alter database "{source}" allow_connections false')
    try:
        await beside.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", source
        )
        await beside.fetch(f'create database "{name}" template "{source}"')
    finally:
        await _opened(beside, source)


async def _opened(beside: Database, source: str) -> None:
    await beside.fetch(f'alter database "{source}" allow_connections true')


def _filled(word: str, known: dict[str, str]) -> str:
    for placeholder, value in known.items():
        word = word.replace(placeholder, value)
    return word
