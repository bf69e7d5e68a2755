"""`SampleSource`: looks up the declared samples of a tenant in its own data, as the role app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipworthy.contract.manifest import Sample
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.db import GONE, Database, OpenConnections, PostgresError


class SampleSource:
    """Looks samples up; what does not run is left out, and a note says so once."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._connections = OpenConnections()

    async def look_up(
        self, database: Database, person: Credential, samples: Sequence[Sample]
    ) -> dict[str, str]:
        """Return the value of each sample that finds one.

        Errors:  Undecided when the database lets nobody in.
        """
        try:
            return await self._values(database, person, samples)
        except GONE:  # a fault ended the connection meanwhile: a new one is the answer, or the refusal
            await self.close()
            return await self._values(database, person, samples)

    async def close(self) -> None:
        """Leave the database. The next look-up comes back to it."""
        await self._connections.close()

    async def _values(
        self, database: Database, person: Credential, samples: Sequence[Sample]
    ) -> dict[str, str]:
        """Look all up in one transaction; after one that does not run, the others in another."""
        connection = await self._connections.of(database)
        found: dict[str, str] = {}
        waiting = list(samples)
        while waiting:
            async with database.within(connection, person):
                while waiting and await self._is_found(connection, waiting.pop(0), found):
                    pass
        return found

    async def _is_found(self, connection: Any, sample: Sample, found: dict[str, str]) -> bool:
        """Look one up; False when it does not run, and has spoilt its transaction."""
        try:
            value = await connection.fetchval(sample.sql)
        except GONE:
            raise
        except PostgresError as broken:
            self._note(f"The sample {sample.name!r} does not run: {broken}")
            return False
        if value is not None:
            found[sample.name] = str(value)
        return True

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)
