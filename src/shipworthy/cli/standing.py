"""`shipworthy serve --deployable`: the fleet behind its front in production, where a database and mail are there already."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import click

from shipworthy.cli.front import Behind
from shipworthy.cli.project import Project, installation_from
from shipworthy.local.ports import require_port
from shipworthy.local.processes import Supervisor
from shipworthy.local.statedir import StateDir

_ADMIN = "SHIPWORTHY_DB_URL_ADMIN"


def stand(project: Project, environment: Mapping[str, str], *, port: int | None) -> None:
    """Run until SIGTERM.

    Errors:  a usage error naming the variable that is missing; LocalServiceError when something does not come up.
    """
    for role in ("app", "worker"):
        installation_from(
            environment,
            role=role,
            store=project.settings.sessions.store,
            pooling=project.settings.db.pooling,
        )
    if _ADMIN not in environment:
        raise click.UsageError(f"{_ADMIN} is not set: a deploy migrates the database with it")
    state = StateDir(Path(environment["SHIPWORTHY_STATE"]).absolute()).ensure()
    lock = state.lock()
    try:
        port = require_port(port if port is not None else project.settings.http.port, what="app")
        asyncio.run(_stand(project, environment, state, port))
    finally:
        lock.release()


async def _stand(project: Project, environment: Mapping[str, str], state: StateDir, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def say(line: str) -> None:
        click.echo(line, err=True)

    supervisor = Supervisor(on_report=say)
    # Who serves visitors never knows the administrator's address.
    of_app = {name: value for name, value in environment.items() if name != _ADMIN}
    behind = Behind(project, state, port, of_app, supervisor, say)
    try:
        starting = asyncio.create_task(behind.start(database_url=environment[_ADMIN]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()  # a signal while starting: unwind what was started
            await asyncio.gather(starting, return_exceptions=True)
            return
        starting.result()
        say(f"release {behind.release} serves at http://127.0.0.1:{port}")
        await stopping
    finally:
        await behind.stop()
        await supervisor.stop()
