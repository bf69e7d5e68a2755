"""`Behind`: web and worker behind a front, of the release that was deployed last (`up --deployable`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from shipworthy.cli.children import web_child, worker_child
from shipworthy.cli.project import Project
from shipworthy.delivery.errors import StateTorn
from shipworthy.delivery.fleet import Fleet, Member, Place, Status, read, write
from shipworthy.delivery.keeper import Front, Keeper
from shipworthy.delivery.release import Release, found, take
from shipworthy.kernel.flags.file import FLAGS_FILE
from shipworthy.local.errors import LocalServiceError, ServiceFailed
from shipworthy.local.processes import Child, Supervisor
from shipworthy.local.statedir import StateDir

DELIVERY_FOLDER = "deploy"
ENVIRONMENT_FILE = "environment.json"  # what a deploy's migrations need; 0600, gone with `up`
_WORKER_AGAIN_S = 5.0


class Behind:
    """Keeps the fleet of one app; `start` comes back when the front answers."""

    def __init__(
        self,
        project: Project,
        state: StateDir,
        port: int,
        environment: Mapping[str, str],
        supervisor: Supervisor,
        say: Callable[[str], None],
    ) -> None:
        self._project, self._state, self._supervisor, self._say = project, state, supervisor, say
        self._environment = {
            **environment,
            "SHIPWORTHY_BEHIND_FRONT": "1",
            # Not of the release: a switch must reach what runs.
            "SHIPWORTHY_FLAGS_FILE": str(project.home / FLAGS_FILE),
        }
        self._place = Place(state.path / DELIVERY_FOLDER).ensure()
        self.release = ""  # that served when it started
        self._worker: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._keeper = Keeper(
            self._place,
            Front(port=port, console_hosts=project.settings.app.hosts),
            supervisor,
            web=self._web,
            on_stable=self._stable,
            say=say,
        )

    async def start(self, *, database_url: str) -> None:
        """Errors:  LocalServiceError when the release, its worker or Envoy does not come up."""
        release = take(self._project.home, into=self._place.releases)
        write(self._place.root / ENVIRONMENT_FILE, {"SHIPWORTHY_DB_URL_ADMIN": database_url})
        first = Fleet(serial=1, members=(Member(name="web-1", release=release.id),), stable="web-1")
        served = self.release = await self._keeper.start(first)
        if served != release.id:
            self._say(
                f"release {served} serves, as it was deployed; this folder has changed since: shipworthy deploy"
            )
        assert self._worker is not None
        await self._worker
        self._keeping = asyncio.create_task(self._keeper.run(), name="keep the fleet")
        self._keeping.add_done_callback(self._kept)

    async def stop(self) -> None:
        """Stop keeping; the supervisor ends the processes."""
        tasks = [task for task in (self._keeping, self._worker) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._keeper.stop()
        for file in (self._place.status, self._place.root / ENVIRONMENT_FILE):
            file.unlink(missing_ok=True)

    def _kept(self, keeping: asyncio.Task[None]) -> None:
        if not keeping.cancelled() and (failed := keeping.exception()):
            self._say(
                f"the fleet is kept no longer: {failed!r}. What runs goes on; start `up` again to deploy."
            )

    def _release(self, member: Member) -> Release:
        release = found(member.release, into=self._place.releases)
        if release is None:
            raise ServiceFailed(
                f"release {member.release} does not lie in {self._place.releases} any more. To serve this folder as it "
                f"is instead, remove {self._place.fleet} and start again."
            )
        return release

    def _web(self, member: Member, port: int) -> Child:
        release = self._release(member)
        return web_child(
            release.folder, self._state, port, self._environment, name=member.name, python=release.python
        )

    def _stable(self, member: Member) -> None:
        """The worker is always of the stable release: jobs of a version that may go back are not begun by it."""
        before = self._worker
        self._worker = asyncio.create_task(self._replace_worker(member, before), name="replace the worker")

    async def _replace_worker(self, member: Member, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            before.cancel()
            with suppress(asyncio.CancelledError, LocalServiceError):
                await before
            await self._supervisor.retire("worker")
        while True:
            try:
                release = self._release(member)
                child = worker_child(release.folder, self._state, self._environment, python=release.python)
                await self._supervisor.start(child)
                return
            except LocalServiceError as failed:
                if before is None:
                    raise  # the first start: `up` says so and ends
                self._say(f"the worker of release {member.release} does not come up: {failed} Next try in {_WORKER_AGAIN_S:g} s.")  # fmt: skip
                await asyncio.sleep(_WORKER_AGAIN_S)


def releases_that_run(state: Path, *, database_url: str) -> set[str]:
    """Return the releases of the processes behind a front that use this database; empty where none runs."""
    place = Place(state / DELIVERY_FOLDER)
    try:
        environment = json.loads((place.root / ENVIRONMENT_FILE).read_text(encoding="utf-8"))
        status = read(place.status, Status)
    except (OSError, ValueError, StateTorn):
        return set()
    if status is None or environment.get("SHIPWORTHY_DB_URL_ADMIN") != database_url:
        return set()
    return {member.release for member in status.fleet.members}
