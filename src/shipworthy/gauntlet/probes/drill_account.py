"""The account of a drill: what was triggered, what was done for it, and what happened when.

Pure but for reading the rows: lost is what was triggered and has no row, doubled what has more
than one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shipworthy.contract.finding import Evidence
from shipworthy.contract.manifest import Job
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.probes.statistics import quote
from shipworthy.gauntlet.probes.tables import app_tables

_KIND = "kind"  # the column whose value tells the rows of one kind of job from another's


class Timeline:
    """What happened when. Units: seconds since the drill began."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lines: list[tuple[float, str]] = []

    @property
    def now_s(self) -> float:
        return time.monotonic() - self._began

    def mark(self, what: str) -> float:
        """Note that something happens now; return when."""
        at_s = self.now_s
        self._lines.append((at_s, what))
        return at_s

    def evidence(self) -> Evidence:
        text = "\n".join(f"{at_s:6.1f} s  {what}" for at_s, what in self._lines)
        return Evidence(kind="text", title="What happened when", text=text)


@dataclass
class Account:
    """Sources that were triggered, and how many rows each has now."""

    triggered: list[str] = field(default_factory=list)
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def lost(self) -> list[str]:
        return [source for source in self.triggered if not self.rows.get(source)]

    @property
    def doubled(self) -> list[str]:
        return [source for source in self.triggered if self.rows.get(source, 0) > 1]


class Rows:
    """Reads the rows a job has written, source by source, as the administrator."""

    def __init__(self, connection: Any, table: str, sql: str, kind: str | None) -> None:
        self.table = table  # as SQL writes it
        self._connection, self._sql, self._kind = connection, sql, kind

    async def of(self, sources: list[str]) -> dict[str, int]:
        """Return how many rows each of these sources has; one without any is left out."""
        kind = [self._kind] if self._kind is not None else []
        return dict(await self._connection.fetch(self._sql, sources, *kind))


async def rows_of(connection: Any, job: Job) -> Rows:
    """Return the reader of a job's rows. Errors: Undecided when the declared table is not there."""
    tables = {table.name: table for table in await app_tables(connection, ())}
    found = tables.get(job.writes or "")
    if found is None or (job.source_column or "") not in found.columns:
        raise Undecided(
            f"The job says it writes {job.writes}.{job.source_column}, and there is no such column.",
            fix="Correct writes and source_column of the job.",
        )
    kind = job.writes_kind if _KIND in found.columns else None
    column = quote(job.source_column or "")
    sql = f"select {column}::text, count(*) from {found.quoted} where {column}::text = any($1)"  # noqa: S608
    sql += f" and {_KIND} = $2" if kind is not None else ""
    return Rows(connection, found.quoted, f"{sql} group by 1", kind)
