"""How many effects a request had: the rows of one tenant, counted before and after.

Counted as the administrator, past row security, in every table that holds rows of tenants or
realms. Without an administrator's way in nothing is counted, and whoever asks has to make do
with what answers say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.target import Credential
from shipworthy.gauntlet.db import PostgresError
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import TableFacts, app_tables

# Both values are read, whatever the tables are, so that the statement always takes two.
_SCOPE = "with scope as (select $1::text as tenant, $2::text as realm) "
_TYPES = """
select a.attrelid as oid, format_type(a.atttypid, null) as type
from unnest($1::oid[], $2::text[]) as wanted(oid, name)
join pg_attribute a on a.attrelid = wanted.oid and a.attname = wanted.name
"""
_PAGES = "select oid, relpages from pg_class where oid = any($1::oid[])"

Growth = dict[str, int]  # table, as SQL writes it -> rows more than before


class RowCounter:
    """Counts the rows of one person's tenant and realm in every table that has such rows.

    On several connections at once, for counting large tables is what takes its time.
    """

    def __init__(self, connections: Sequence[Any], counts: Sequence[_Count], person: Credential) -> None:
        self._person = person
        self._shares = [_Share(connection) for connection in connections]
        for count in sorted(counts, key=lambda count: -count.pages):
            lightest = min(self._shares, key=lambda share: share.pages)
            lightest.take(count)

    async def count(self, only: Collection[str] | None = None) -> Growth:
        """Return how many rows there are now, table by table; of `only` these tables where they are named."""
        found: Growth = {}
        for part in await asyncio.gather(*(share.count(only, self._person) for share in self._shares)):
            found |= part
        return found


@dataclass(frozen=True, kw_only=True)
class _Count:
    """How the rows of one table are counted, and how large it is."""

    table: str  # as SQL writes it
    sql: str
    pages: int


class _Share:
    """The tables that one connection counts."""

    def __init__(self, connection: Any) -> None:
        self.pages = 0
        self._connection = connection
        self._sql: dict[str, str] = {}
        self._asked: dict[frozenset[str], Any] = {}  # prepared

    def take(self, count: _Count) -> None:
        self._sql[count.table] = count.sql
        self.pages += count.pages + 1

    async def count(self, only: Collection[str] | None, person: Credential) -> Growth:
        names = frozenset(self._sql if only is None else self._sql.keys() & set(only))
        if not names:
            return {}
        if not self._asked:  # planning dozens of tables takes longer than counting in them
            await self._connection.execute("set plan_cache_mode = force_generic_plan")
        if names not in self._asked:
            sql = " union all ".join(sql for table, sql in self._sql.items() if table in names)
            self._asked[names] = await self._connection.prepare(_SCOPE + sql)
        return dict(await self._asked[names].fetch(person.tenant_id, person.realm_id))


async def row_counter(exam: Exam, connections: Sequence[Any], person: Credential) -> RowCounter:
    """Return a counter for a person on open connections of the administrator."""
    connection = connections[0]
    found = await app_tables(connection, exam.manifest.tables, exam.manifest.scope)
    # What jobs write comes later, and the queue's and shared tables change by themselves: none of
    # them says what one request did.
    by_jobs = {job.writes for job in exam.manifest.jobs}
    tables = [t for t in found if (t.is_scoped or t.scope is None) and t.name not in by_jobs]
    types = await _column_types(connection, tables, person)
    pages = dict(await connection.fetch(_PAGES, [table.oid for table in tables]))
    counts = [
        _Count(table=table.quoted, sql=_count(table, types.get(table.oid, "")), pages=pages.get(table.oid, 0))
        for table in tables
    ]
    return RowCounter(connections, counts, person)


async def _column_types(connection: Any, tables: list[TableFacts], person: Credential) -> dict[int, str]:
    """Return the type of each table's scoping column, where the person's id can be written in it: an index then serves."""
    wanted = {table.oid: table for table in tables if table.column}
    rows = await connection.fetch(_TYPES, list(wanted), [table.column for table in wanted.values()])
    writable: dict[str, bool] = {}
    for row in rows:
        if row["type"] not in writable:
            table = wanted[row["oid"]]
            id_ = person.realm_id if table.scope == "realm" else person.tenant_id
            writable[row["type"]] = await _can_be_written(connection, id_, row["type"])
    return {row["oid"]: row["type"] for row in rows if writable[row["type"]]}


async def _can_be_written(connection: Any, id_: str, type_: str) -> bool:
    try:
        return bool(await connection.fetchval(f"select $1::text::{type_}::text = $1", id_))
    except PostgresError:
        return False


def counts_rows(exam: Exam, person: Credential | None) -> bool:
    """Say whether the rows of this person's tenant can be counted."""
    return person is not None and bool(person.tenant_id) and exam.can("database.admin")


def growth(before: Mapping[str, int], after: Mapping[str, int]) -> Growth:
    """Return the tables that have more rows than before, and how many more."""
    return {
        name: number - before.get(name, 0) for name, number in after.items() if number > before.get(name, 0)
    }


def beyond(allowed: Mapping[str, int], grown: Mapping[str, int], *, times: int = 1) -> Growth:
    """Return what grew more than `times` single effects would have made it, and by how many rows.

    Only tables that one effect makes grow count: others grow by what goes on in the background.
    """
    return {
        name: grown[name] - times * number
        for name, number in allowed.items()
        if grown.get(name, 0) > times * number
    }


def effects(single: Mapping[str, int], grown: Mapping[str, int]) -> float:
    """Return how many single effects a growth amounts to; 0 where nothing is counted."""
    return max((grown.get(name, 0) / number for name, number in single.items()), default=0.0)


def _count(table: TableFacts, type_: str) -> str:
    where = ""
    if table.column and table.scope in ("tenant", "realm"):
        asked = f"(select {table.scope} from scope)"  # noqa: S608
        is_theirs = f"= {asked}::{type_}" if type_ else f"::text = {asked}"
        where = f"where {quote(table.column)}{is_theirs}"
    # A table's name is a literal here and an identifier there; both come from the catalogue.
    literal = table.quoted.replace("'", "''")
    return f"select '{literal}', count(*) from {table.quoted} {where}"  # noqa: S608
