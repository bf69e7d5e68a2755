"""The newest migration on a busy database: how long it makes others wait, and how long it waits itself.

A change of a table takes a lock that keeps everybody out. Held for a moment it is nothing; held while a table
is written anew it is an outage. Worse is the one that only waits: behind a report that reads for a minute stands
the migration, and behind the migration stands everybody else, since locks are given in turn. So both are
measured, on a copy: writers of every table that was there before, and one reader who does not end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.db import Database, PostgresError
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.migrations import Commands, own_database, tables_of

# Longer than this a request does not wait for a table: our own apps give up (lock_timeout of role app).
WRITER_WAIT_S_MAX = 2.0
# A migration that does not give up while a reader holds on so long has no lock_timeout to speak of.
GIVES_UP_WITHIN_S = 10.0
WRITERS = 4
_PAUSE_S = 0.005  # they are to notice a lock, not to use up the machine
_WAITING = """
select l.relation::regclass::text || ' (' || l.mode || ')' from pg_locks l join pg_database d on d.oid = l.database
where d.datname = current_database() and not l.granted and l.relation is not null limit 1
"""
_FIX = (
    "Split it: add the column or the constraint without touching rows (NOT VALID, no volatile default), fill it in "
    "small steps, validate it later; build an index concurrently."
)


async def locks(exam: Exam) -> Sequence[Finding]:
    """Take the newest migration back, then bring it forward among writers, and again behind a reader."""
    migrations = exam.manifest.migrations
    assert migrations is not None, "the plan asks for the capability"
    async with own_database(exam) as (database, has_rows):
        commands = Commands(exam, migrations, database)
        await commands.up()
        async with database.connection() as connection:
            after = set(await tables_of(exam, connection))
        await _taken_back(commands)
        async with database.connection() as connection:
            tables = sorted(after & set(await tables_of(exam, connection)))
        if not tables:
            return [exam.finding("newest", Verdict.PASS, "There was no table before the newest migration")]
        among = await _among_writers(exam, database, commands, tables, has_rows)
        await _taken_back(commands)
        return [among, await _behind_a_reader(exam, database, commands, tables)]


async def _taken_back(commands: Commands) -> None:
    if refused := await commands.down(1):
        raise Undecided(
            f"The newest migration cannot be taken back, so it cannot be watched: {refused}",
            fix="Mend its down part first (migrations.back_and_forth).",
        )


async def _among_writers(
    exam: Exam, database: Database, commands: Commands, tables: list[str], has_rows: bool
) -> Finding:
    waits, stop = dict.fromkeys(tables, 0.0), asyncio.Event()
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(database.connection()) for _ in range(WRITERS)]
        writers = [
            asyncio.create_task(_write(connection, tables[number::WRITERS], waits, stop))
            for number, connection in enumerate(connections)
        ]
        try:
            await commands.up()
        finally:
            stop.set()
            await asyncio.gather(*writers)
    table = max(waits, key=lambda name: waits[name])
    measure = Measure(
        name="a writer's longest wait", unit="s", estimate=round(waits[table], 3), bound=WRITER_WAIT_S_MAX
    )
    rows = "on a copy of the seeded rows" if has_rows else "on empty tables, which hides what rows cost"
    if waits[table] > WRITER_WAIT_S_MAX:
        return exam.finding(
            "newest",
            Verdict.FAIL,
            f"While the newest migration runs, writers of {table} wait {waits[table]:.1f} s",
            cause=f"It holds a lock on {table} that keeps everybody else out until it ends.",
            fix=_FIX,
            measures=(measure,),
        )
    title = f"While the newest migration runs, no writer of {len(tables)} tables waits over {WRITER_WAIT_S_MAX:g} s ({rows})"
    return exam.finding("newest", Verdict.PASS, title, measures=(measure,))


async def _write(connection: Any, tables: list[str], waits: dict[str, float], stop: asyncio.Event) -> None:
    """Take the lock that a writer takes on each table in turn, until told to stop; keep the longest wait of each."""
    while tables and not stop.is_set():
        for table in list(tables):
            began = time.monotonic()
            try:
                async with connection.transaction():
                    await connection.execute(f"lock table {table} in row exclusive mode")
            except (
                PostgresError,
                TimeoutError,
            ):  # gone with the migration, or waited for in vain: both end here
                tables.remove(table)
            waits[table] = max(waits[table], time.monotonic() - began)
        await asyncio.sleep(_PAUSE_S)


async def _behind_a_reader(exam: Exam, database: Database, commands: Commands, tables: list[str]) -> Finding:
    async with database.connection() as reader, database.connection() as looker:
        reading = reader.transaction()
        await reading.start()
        await reader.execute(f"lock table {', '.join(tables)} in access share mode")
        began = time.monotonic()
        coming = asyncio.create_task(commands.tried_up())
        try:
            await asyncio.wait([coming], timeout=GIVES_UP_WITHIN_S)
            stuck = None if coming.done() else await looker.fetchval(_WAITING)
            took_s = time.monotonic() - began
        finally:
            await reading.rollback()
        refused = await coming
    measure = Measure(
        name="until it gave up or was through", unit="s", estimate=round(took_s, 1), bound=GIVES_UP_WITHIN_S
    )
    if stuck:
        return exam.finding(
            "waiting",
            Verdict.FAIL,
            f"Behind a reader the newest migration waits without end for {stuck}, and everybody queues behind it",
            cause="It sets no lock_timeout: one long report becomes an outage of the whole table.",
            fix="Let it give up early and try again: set lock_timeout = '2s' before its statements.",
            measures=(measure,),
        )
    if refused and (again := await commands.tried_up()):
        return exam.finding(
            "waiting",
            Verdict.FAIL,
            "A migration that gave up behind a reader cannot be run again",
            cause=again.rpartition("\n")[2],
            fix="Run each migration in one transaction, so that one that gave up leaves nothing.",
            measures=(measure,),
        )
    how = (
        f"gives up after {took_s:.1f} s, and is through at the next try"
        if refused
        else "needs no lock that a reader holds up"
    )
    return exam.finding(
        "waiting", Verdict.PASS, f"Behind a reader the newest migration {how}", measures=(measure,)
    )
