"""A fleet of such versions behind a real front, as `shipworthy up --deployable` keeps one of an app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.canary.version import JOURNEYS, Version
from shipworthy.delivery.fleet import Fleet, Member, Place, Status, read
from shipworthy.delivery.keeper import Front, Keeper
from shipworthy.delivery.pager import Way
from shipworthy.delivery.plan import Outcome, Plan
from shipworthy.delivery.release import Release
from shipworthy.delivery.rollout import Migrate, Rollout
from shipworthy.local.ports import free_port
from shipworthy.local.processes import Child, Supervisor, answers_http


@dataclass
class Kept:
    """What runs: the port people use, and the versions there are to deploy."""

    port: int
    place: Place
    supervisor: Supervisor
    versions: dict[str, Version] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    async def deploy(self, version: Version, plan: Plan) -> Outcome:
        """Bring a version out as the command does."""
        return await self.rollout(version, plan).run()

    def rollout(
        self,
        version: Version,
        plan: Plan,
        *,
        expand: Migrate | None = None,
        contract: Migrate | None = None,
        pages: Mapping[str, Way] | None = None,
    ) -> Rollout:
        self.versions[version.name] = version
        return Rollout(
            self.place,
            Release(id=version.name, folder=Path(), python=""),
            plan,
            journeys=JOURNEYS,
            console_hosts=("localhost",),
            expand=expand,
            contract=contract,
            pages=pages,
            say=self.said.append,
        )

    def releases_that_run(self) -> set[str]:
        """The releases of the processes there are, by what the keeper says."""
        status = read(self.place.status, Status)
        assert status is not None
        return {status.fleet.release_of(name) for name in status.members}


@asynccontextmanager
async def kept(folder: Path, first: Version) -> AsyncIterator[Kept]:
    """Run `first` behind a front until the block ends."""
    supervisor = Supervisor(grace_s=5.0)
    fleet = Kept(port=free_port(), place=Place(folder / "deploy"), supervisor=supervisor)
    fleet.versions[first.name] = first
    (folder / "logs").mkdir(parents=True, exist_ok=True)

    def web(member: Member, port: int) -> Child:
        async def ready() -> bool:
            return await answers_http(port, path="/-/healthz")

        return Child(
            name=member.name,
            argv=fleet.versions[member.release].argv(port),
            log_file=folder / "logs" / f"{member.name}.log",
            is_ready=ready,
            ready_timeout_s=15.0,
        )

    keeper = Keeper(
        fleet.place,
        Front(port=fleet.port, console_hosts=("localhost",)),
        supervisor,
        web=web,
        say=fleet.said.append,
    )
    try:
        await keeper.start(
            Fleet(serial=1, members=(Member(name="web-1", release=first.name),), stable="web-1")
        )
        keeping = asyncio.create_task(keeper.run())
        try:
            yield fleet
            assert not keeping.done(), keeping
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await keeper.stop()
    finally:
        await supervisor.stop()
