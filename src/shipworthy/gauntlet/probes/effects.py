"""How many effects a request had: the rows of one tenant, counted before and after.

Counted as the administrator, past row security, in every table that holds rows of tenants or
realms. Without an administrator's way in nothing is counted, and whoever asks has to make do
with what answers say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipworthy.contract.target import Credential
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import TableFacts, app_tables

# Both values are read, whatever the tables are, so that the statement always takes two.
_SCOPE = "with scope as (select $1::text as tenant, $2::text as realm) "

Growth = dict[str, int]  # table, as SQL writes it -> rows more than before


class RowCounter:
    """Counts the rows of one person's tenant and realm in every table that has such rows."""

    def __init__(self, connection: Any, tables: list[TableFacts], person: Credential) -> None:
        self._connection, self._person = connection, person
        self._sql = _SCOPE + " union all ".join(_count(table) for table in tables) if tables else ""

    async def count(self) -> Growth:
        """Return how many rows there are now, table by table."""
        if not self._sql:
            return {}
        rows = await self._connection.fetch(self._sql, self._person.tenant_id, self._person.realm_id)
        return dict(rows)


async def row_counter(exam: Exam, connection: Any, person: Credential) -> RowCounter:
    """Return a counter for a person on an open connection of the administrator."""
    found = await app_tables(connection, exam.manifest.tables, exam.manifest.scope)
    # What jobs write comes later, and the queue's and shared tables change by themselves: none of
    # them says what one request did.
    by_jobs = {job.writes for job in exam.manifest.jobs}
    tables = [t for t in found if (t.is_scoped or t.scope is None) and t.name not in by_jobs]
    return RowCounter(connection, tables, person)


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


def _count(table: TableFacts) -> str:
    where = ""
    if table.column and table.scope in ("tenant", "realm"):
        where = f"where {quote(table.column)}::text = (select {table.scope} from scope)"  # noqa: S608
    # A table's name is a literal here and an identifier there; both come from the catalogue.
    literal = table.quoted.replace("'", "''")
    return f"select '{literal}', count(*) from {table.quoted} {where}"  # noqa: S608
