"""The keeper: makes what runs be what the fleet wishes, inside `shipworthy up`.

Starts and stops the web processes, tells Envoy about them, and takes the traffic off a canary as
soon as no deploy watches it. A process that should go keeps its requests until they are answered.
Knows nothing of judging: that is the deploy's.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shipworthy.delivery import envoy, stats
from shipworthy.delivery.errors import StateTorn
from shipworthy.delivery.fleet import Fleet, Member, MemberStatus, Place, Status, put_aside, read, write
from shipworthy.local.errors import LocalServiceError, ServiceFailed
from shipworthy.local.ports import free_port
from shipworthy.local.processes import Child, Supervisor

LOOK_S = 0.05
DRAIN_S_MAX = 15.0  # for requests under way; the app itself gives them ten seconds more
_ASK_AGAIN_S = 1.0  # whether Envoy is there, once it has taken what it was told


@dataclass(frozen=True, kw_only=True)
class Front:
    """Where the front listens and what it needs to know of the app."""

    port: int
    console_hosts: Sequence[str]


class Keeper:
    """Runs until it is cancelled; `start` must have come back first."""

    def __init__(
        self,
        place: Place,
        front: Front,
        supervisor: Supervisor,
        *,
        web: Callable[[Member, int], Child],
        on_stable: Callable[[Member], None] = lambda _member: None,
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._place, self._front, self._supervisor = place.ensure(), front, supervisor
        self._web, self._on_stable, self._say = web, on_stable, say
        self._admin_port = free_port()
        self._members: dict[str, MemberStatus] = {}
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._wish: Fleet
        self._in_force: tuple[int, int] = (0, 0)  # serial, weight
        self._told: tuple[dict[str, int], Fleet] | None = None
        self._versions, self._taken_version, self._asked_at_s = 0, 0, 0.0
        self._leaving: dict[str, float] = {}  # since when nobody wishes it any more
        self._written: Status | None = None
        self._front_up, self._torn, self._stable = True, False, ""

    async def start(self, first: Fleet) -> str:
        """Bring up the stable version of the last wish, or `first`, and the front before it; return its release.

        Errors:  LocalServiceError when the stable version or Envoy does not come up.
        """
        self._wish = self._last_wish() or first
        write(self._place.fleet, self._wish)
        stable = next(m for m in self._wish.members if m.name == self._wish.stable)
        await self._start_member(stable)
        status = self._members[stable.name]
        if status.state != "ready":
            raise ServiceFailed(status.why)
        self._place.envoy.mkdir(mode=0o700, exist_ok=True)
        self._tell(self._served())
        child = envoy.envoy_child(
            self._place.envoy,
            port=self._front.port,
            admin_port=self._admin_port,
            access_log=self._place.access,
            log_file=self._place.root.parent / "logs" / "front.log",
        )
        await self._supervisor.start(child)
        while self._taken_version != self._versions:
            await self._settle()
            await asyncio.sleep(LOOK_S)
        self._write_status()
        return stable.release

    async def run(self) -> None:
        """Look, and do what is wished, for ever."""
        while True:
            await self._look()
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        self._read_wish()
        for member in self._wish.members:
            if member.name not in self._members:
                self._members[member.name] = MemberStatus(state="starting", port=0)
                self._starting[member.name] = asyncio.create_task(self._start_member(member))
        served = self._served()
        if self._told is None or self._told[1] != served or self._told[0] != self._ports():
            self._tell(served)
        await self._settle()
        await self._retire()
        self._write_status()

    def _read_wish(self) -> None:
        try:
            wish = read(self._place.fleet, Fleet)
        except StateTorn as torn:
            if not self._torn:
                self._say(f"{torn} What ran goes on running; the next deploy writes it anew.")
            self._torn = True
            return
        if wish is not None:
            self._wish, self._torn = wish, False

    def _last_wish(self) -> Fleet | None:
        """The version that served last, alone: a canary starts again with the deploy that wants it."""
        for path, kind in ((self._place.fleet, Fleet), (self._place.status, Status)):
            try:
                found = read(path, kind)
            except StateTorn as torn:
                self._say(f"{torn} It lies at {put_aside(path)} now.")
                continue
            if isinstance(found, Status):
                found = found.fleet
            if isinstance(found, Fleet):
                return found.without_canary()
        return None

    def _served(self) -> Fleet:
        """What Envoy should do now: the wish, less what is not ready or not watched."""
        served = self._wish
        roles = (served.canary, served.baseline)
        if any(name and self._state(name) != "ready" for name in roles) or not self._place.is_watched():
            served = served.unwatched()
        if self._state(served.stable) != "ready" and self._told is not None:
            return self._told[1]
        return served

    def _state(self, name: str) -> str:
        return self._members[name].state if name in self._members else "missing"

    def _ports(self) -> dict[str, int]:
        return {name: one.port for name, one in self._members.items() if one.state == "ready"}

    def _tell(self, served: Fleet) -> None:
        self._versions += 1
        version, ports = str(self._versions), self._ports()
        envoy.tell_members(self._place.envoy, ports, version=version)
        envoy.tell_routes(self._place.envoy, served, console_hosts=self._front.console_hosts, version=version)
        self._told = (ports, served)

    async def _settle(self) -> None:
        """See whether Envoy has taken what it was told, and say so."""
        assert self._told is not None
        is_taken = self._taken_version == self._versions
        if is_taken and time.monotonic() - self._asked_at_s < _ASK_AGAIN_S:
            return
        self._asked_at_s = time.monotonic()
        taken = await stats.ask(self._admin_port)
        self._front_up = taken is not None
        version = str(self._versions)
        if taken is None or (taken.members, taken.routes) != (version, version):
            return
        self._taken_version = self._versions
        served = self._told[1]
        self._in_force = (served.serial, served.weight)
        if served.stable != self._stable:
            self._stable = served.stable
            self._on_stable(next(m for m in served.members if m.name == served.stable))

    async def _start_member(self, member: Member) -> None:
        port = free_port()
        self._members[member.name] = MemberStatus(state="starting", port=port)
        try:
            child = self._web(member, port)
            pid = await self._supervisor.start(child)
        except LocalServiceError as failed:
            self._members[member.name] = MemberStatus(state="failed", port=port, why=failed.message)
            return
        self._members[member.name] = MemberStatus(state="ready", port=port, pid=pid)

    async def _retire(self) -> None:
        """End what nobody wishes any more, once Envoy sends it nothing and its requests are answered."""
        assert self._told is not None
        wished = {member.name for member in self._wish.members}
        gone = [name for name in self._members if name not in wished]
        self._leaving = {name: self._leaving.get(name, time.monotonic()) for name in gone}
        is_told = self._taken_version == self._versions and not set(self._told[1].shares()) & set(gone)
        if not gone or not is_told:
            return
        taken = await stats.ask(self._admin_port)
        for name in gone:
            is_busy = taken is not None and taken.active.get(name, 0) > 0
            if is_busy and time.monotonic() - self._leaving[name] < DRAIN_S_MAX:
                continue
            if task := self._starting.pop(name, None):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await self._supervisor.retire(name)
            del self._members[name]

    def _write_status(self) -> None:
        pids = self._supervisor.pids
        members = {name: replace(one, pid=pids.get(name)) for name, one in self._members.items()}
        status = Status(
            pid=os.getpid(),
            port=self._front.port,
            serial=self._in_force[0],
            weight=self._in_force[1],
            fleet=self._wish,
            members=members,
            front=self._front_up,
            torn=self._torn,
        )
        if status != self._written:
            write(self._place.status, status)
            self._written = status

    async def stop(self) -> None:
        """Cancel what is still starting; the supervisor ends the rest."""
        for task in self._starting.values():
            task.cancel()
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
