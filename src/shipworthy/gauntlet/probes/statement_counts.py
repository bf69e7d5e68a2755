"""How often the database ran each statement: pg_stat_statements, read before and after.

Counts what one role of one database ran, without resetting anything: others may be counting
too. Transaction control is left out, as the app's own bound leaves it out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.db import PostgresError

# Without texts the server answers from memory; with them it reads a file of all of them (9 ms for 600, 2026-11).
_READ = """
select s.queryid::text as id, sum(s.calls)::bigint as calls
from pg_stat_statements(false) s
where s.userid = (select oid from pg_roles where rolname = $1)
  and s.dbid = (select oid from pg_database where datname = current_database())
group by s.queryid
"""
_TEXTS = """
select s.queryid::text as id, max(s.query) as text from pg_stat_statements s
where s.queryid::text = any($1) group by s.queryid
"""
# A role that waits for its next statement within a transaction has more to come.
_AT_WORK = """
select count(*) from pg_stat_activity
where usename = $1 and datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()
"""
_SETTINGS = "select current_setting('pg_stat_statements.max', true)::int, count(*) from pg_stat_statements"
# What frames a transaction or resets a pooled connection is not what a route asks for, and the
# examiner's own questions carry its mark.
_FRAMING = re.compile(
    r"^\s*(begin|start transaction|commit|end|rollback|abort|savepoint|release|prepare transaction|"
    r"set |reset |show |discard|deallocate|listen|unlisten|close |declare |fetch |"
    r"select pg_advisory_unlock_all|select set_config|with recursive typeinfo_tree)",
    re.IGNORECASE,
)
_OURS = "pg_stat_statements"
_WRITES = re.compile(r"^\s*(insert|update|delete|merge)\b", re.IGNORECASE)

SETTLE_TRIES, SETTLE_PAUSE_S = 5, 0.01


@dataclass(frozen=True)
class Statement:
    """A statement as the database remembers it: constants replaced, comments kept."""

    id: str
    text: str

    @property
    def is_write(self) -> bool:
        return bool(_WRITES.match(self.text))


Calls = dict[str, int]  # the id of a statement -> how often it has run
Counts = dict[Statement, int]


class Watch:
    """Reads the counts of one role over one connection; each statement's text is read once."""

    def __init__(self, connection: Any, user: str) -> None:
        self.connection, self._user = connection, user
        self._known: dict[str, Statement | None] = {}  # None: not the app's

    async def calls(self) -> Calls:
        """Return how often the role has run each statement in this database so far, by its id.

        Errors:  Unmeasurable when the database keeps no statement statistics.
        """
        try:
            return dict(await self.connection.fetch(_READ, self._user))
        except PostgresError as missing:
            raise no_statistics(missing) from missing

    async def settled(self) -> Calls:
        """Return the calls once the role is at no statement: an answer may be sent before its last one ends."""
        for _ in range(SETTLE_TRIES):
            if not await self.connection.fetchval(_AT_WORK, self._user):
                break
            await asyncio.sleep(SETTLE_PAUSE_S)
        return await self.calls()

    async def ran_between(self, before: Calls, after: Calls) -> Counts:
        """Return what of the app's ran in between, and how often."""
        more = {id_: calls - before.get(id_, 0) for id_, calls in after.items() if calls > before.get(id_, 0)}
        if new := [id_ for id_ in more if id_ not in self._known]:
            await self._learn(new)
        known = ((self._known.get(id_), calls) for id_, calls in more.items())
        return {statement: calls for statement, calls in known if statement is not None}

    async def _learn(self, ids: list[str]) -> None:
        for row in await self.connection.fetch(_TEXTS, ids):
            text = row["text"]
            if text:  # one whose text is not there yet is looked up again
                self._known[row["id"]] = Statement(row["id"], text) if is_the_apps(text) else None


def is_the_apps(text: str) -> bool:
    """Say whether a statement is the app's work: neither framing nor the examiner's own question."""
    return _OURS not in text and not _FRAMING.match(text)


def no_statistics(missing: Exception) -> Unmeasurable:
    """Return what to say, and to do, when the database keeps no statement statistics."""
    return Unmeasurable(
        f"The database counts no statements: {missing}",
        fix="In postgresql.conf set shared_preload_libraries = 'pg_stat_statements', restart PostgreSQL, and run: "
        "create extension pg_stat_statements;",
    )


async def room_left(connection: Any) -> bool:
    """Say whether pg_stat_statements has room: when full, it forgets what was rare."""
    bound, held = await connection.fetchrow(_SETTINGS)
    return bound is None or held < bound


def least(runs: list[Counts]) -> Counts:
    """Return what every one of several runs did: background work shows in some of them only."""
    common = set(runs[0]).intersection(*runs[1:]) if runs else set()
    return {statement: min(run[statement] for run in runs) for statement in common}


def total(counts: Mapping[Statement, int]) -> int:
    """Return how many statements that is; a batch of one write counts as one.

    A driver sends one prepared INSERT with many rows as many executions in one round trip, and
    the database counts each. What a route pays for is round trips.
    """
    return sum(1 if statement.is_write else calls for statement, calls in counts.items())
