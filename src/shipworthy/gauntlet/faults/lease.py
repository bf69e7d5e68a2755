"""`Lease`: the promise that a fault ends, kept by a watchdog process even if we are killed.

Taken before the fault is inflicted, and confirmed after it. `Exam.heal_later` stays the usual way
back; the lease is the net under it.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.contract.strict import encode
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.companion import Companion, CompanionGone, start_companion
from shipworthy.gauntlet.faults.undo import Undo
from shipworthy.gauntlet.proxy.toxic import lease_of


class Lease:
    """One thing that will be taken back."""

    def __init__(self, companion: Companion, number: int, what: str) -> None:
        self._companion, self._number, self.what = companion, number, what

    async def is_over(self) -> bool:
        """Say whether it was taken back already."""
        return bool((await self._companion.ask("look", lease=self._number))["is_over"])

    async def heal(self) -> None:
        """Take it back now; any number of times. Errors: ValueError with what the system refuses."""
        await self._companion.ask("heal", lease=self._number)


async def confirm(leases: Sequence[Lease]) -> None:
    """Make sure, after inflicting, that all leases of a fault still run; else undo all of it at once.

    Errors:  Undecided: a lease was shorter than the fault's own start.
    """
    over = [lease for lease in leases if await lease.is_over()]
    if over:
        for lease in leases:
            await lease.heal()
        raise Undecided(f"The lease ended before it was in force: {over[0].what}.")


class Leases:
    """All leases of an exam. The watchdog is started with the first."""

    def __init__(self) -> None:
        self._companion: Companion | None = None

    async def take(self, what: str, undo: Undo, *, lease_s: float) -> Lease:
        """Have `undo` done when the lease ends or we do, whichever is first.

        Errors:  Undecided when nobody would keep the promise; ValueError for a lease that cannot be kept.
        """
        lease_s = lease_of(lease_s)
        try:
            if self._companion is None:
                self._companion = await start_companion(
                    "shipworthy.gauntlet.faults.watchdog", what="The watchdog"
                )
            answer = await self._companion.ask("take", undo=encode(undo), lease_s=lease_s)
        except (CompanionGone, OSError) as gone:
            raise Undecided(f"Nothing was broken, since nobody would have mended it: {gone}") from gone
        return Lease(self._companion, answer["lease"], what)

    async def close(self) -> None:
        """End the watchdog; what was not healed until now is."""
        if self._companion is not None:
            await self._companion.end()
            self._companion = None
