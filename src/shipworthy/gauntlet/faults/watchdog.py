"""The watchdog: the process that takes faults back when their lease ends, or when we do.

Run as `python -m shipworthy.gauntlet.faults.watchdog`; obeys on standard input. An entry stays
until the examiner says that it is healed: when the input ends, all that are left are taken back
once more, since the examiner may have died between the end of a lease and its fault.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

from shipworthy.contract.strict import decode
from shipworthy.gauntlet.companion import obey
from shipworthy.gauntlet.faults.undo import Undo


@dataclass
class _Entry:
    undo: Undo
    timer: asyncio.TimerHandle
    is_over: bool = False


class Watch:
    """The list of what must be taken back."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._taken = 0

    async def carry_out(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked["do"]:
            case "take":
                return {"lease": self._take(decode(Undo, asked["undo"], source="the undo"), asked["lease_s"])}
            case "heal":
                self._heal(asked["lease"])
                return {}
            case "look":
                entry = self._entries.get(asked["lease"])
                return {"is_over": entry is None or entry.is_over}
        raise ValueError(f"a watchdog cannot {asked['do']}")

    def take_back_all(self) -> None:
        for entry in reversed(self._entries.values()):
            # One that cannot be taken back must not keep the others from it.
            with contextlib.suppress(OSError, ValueError):
                entry.undo.carry_out()

    def _take(self, undo: Undo, lease_s: float) -> int:
        self._taken += 1
        number = self._taken
        # Whoever comes second has seen the first fault's doing: only the first knows how it was before.
        first = next((e.undo for e in self._entries.values() if e.undo.same_place == undo.same_place), undo)
        timer = asyncio.get_running_loop().call_later(lease_s, self._end, number)
        self._entries[number] = _Entry(first, timer)
        return number

    def _end(self, number: int) -> None:
        entry = self._entries[number]
        entry.is_over = True
        with contextlib.suppress(OSError):  # told when the examiner heals, tried again when it dies
            self._take_back(entry)

    def _heal(self, number: int) -> None:
        entry = self._entries.get(number)
        if entry is None:
            return
        entry.timer.cancel()
        entry.is_over = True
        self._take_back(entry)
        del self._entries[number]

    def _take_back(self, entry: _Entry) -> None:
        """Undo it, unless another fault still holds the same thing: the last one then does."""
        place = entry.undo.same_place
        if not any(not e.is_over and e.undo.same_place == place for e in self._entries.values()):
            entry.undo.carry_out()


async def _watch() -> None:
    watch = Watch()
    await obey(watch.carry_out)
    watch.take_back_all()


if __name__ == "__main__":
    asyncio.run(_watch())
