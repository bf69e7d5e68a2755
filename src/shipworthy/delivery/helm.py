"""The helm: a deploy's hold on the fleet. It wishes, waits until that is so, and sees when `up` is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from shipworthy.delivery.errors import FrontMissing, StateTorn, StepFailed
from shipworthy.delivery.fleet import Fleet, Place, Status, put_aside, read, write
from shipworthy.local.processes import is_taken

LOOK_S = 0.05
FRONT_TIMEOUT_S = 20.0  # for Envoy to take a weight on a busy machine


class Helm:
    """`fleet` is the last wish; `step` names what is done, for the errors."""

    def __init__(self, place: Place, *, say: Callable[[str], None]) -> None:
        """Errors:  FrontMissing when nothing runs here that could be replaced, StepFailed without Envoy."""
        self._place, self._say = place, say
        self.step = "look at what runs"
        status = self._status()
        self._keeper_pid = status.pid
        self.fleet = self._wish(status)

    async def alone(self) -> bool:
        """Leave the stable version alone; requests under way are answered. False when `up` is gone."""
        try:
            self.wish(self.fleet.without_canary())
            await self.in_force()
            await self.until_gone()
        except StepFailed:
            return False
        return True

    def _status(self) -> Status:
        try:
            status = read(self._place.status, Status)
        except StateTorn:
            status = None
        if status is None or not is_taken(status.pid):
            raise FrontMissing(
                f"step {self.step!r}: no app runs here behind a front. Start it with "
                "`shipworthy up --deployable`, then deploy."
            )
        if not status.front:
            raise StepFailed(self.step, f"Envoy does not answer. Its log: {self._place.root.parent / 'logs' / 'front.log'}")  # fmt: skip
        return status

    def _wish(self, status: Status) -> Fleet:
        """The last wish, whole; where the file is torn, what the keeper has in force."""
        try:
            wish = read(self._place.fleet, Fleet)
        except StateTorn as torn:
            self._say(
                f"{torn} Going on from what runs; the torn file lies at {put_aside(self._place.fleet)}."
            )
            wish = None
        return wish or status.fleet

    def alive(self) -> Status:
        """Errors:  StepFailed when `up` is gone: without it nothing serves."""
        try:
            status = read(self._place.status, Status)
        except StateTorn:
            status = None
        if status is None or status.pid != self._keeper_pid or not is_taken(status.pid):
            raise StepFailed(self.step, f"`shipworthy up` (process {self._keeper_pid}) is gone. Start it again, then deploy again.")  # fmt: skip
        return status

    def wish(self, fleet: Fleet) -> None:
        self.fleet = fleet
        write(self._place.fleet, fleet)

    async def weigh(self, weight: int) -> None:
        self.wish(replace(self.fleet, serial=self.fleet.serial + 1, weight=weight))
        await self.in_force()

    async def in_force(self) -> None:
        """Errors:  StepFailed when the front does not take what was wished."""
        deadline_s = time.monotonic() + FRONT_TIMEOUT_S
        while True:
            self._place.watch()
            status = self.alive()
            if status.serial == self.fleet.serial and status.weight == self.fleet.weight:
                return
            if time.monotonic() > deadline_s:
                why = "Envoy is gone" if not status.front else "it was not taken"
                raise StepFailed(self.step, f"the front did not take the weight {self.fleet.weight} % within {FRONT_TIMEOUT_S:g} s: {why}")  # fmt: skip
            await asyncio.sleep(LOOK_S / 5)

    async def until_gone(self) -> None:
        kept = {member.name for member in self.fleet.members}
        while set(self.alive().members) - kept:  # noqa: ASYNC110 - the keeper is another process; files are how it tells
            await asyncio.sleep(LOOK_S)
