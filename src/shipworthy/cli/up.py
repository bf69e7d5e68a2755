"""`shipworthy up`: the whole app on this machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import click

from shipworthy.cli.options import HOME


@click.command("up")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=None, help="Port of the app; 0 takes any free one."
)
@click.option(
    "--seed",
    type=click.Choice(["none", "demo", "volume"]),
    default="demo",
    show_default=True,
    help="Example data: none, two demo tenants, or those plus thousands of rows.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=None,
    help="State directory (default: .shipworthy here).",
)
@click.option(
    "--handle",
    type=click.Path(path_type=Path),
    default=None,
    help="Write what runs where to this file, as JSON.",
)
@click.option(
    "--deployable",
    is_flag=True,
    help="Stand behind a front (Envoy), so that `shipworthy deploy` can replace the version that runs.",
)
@HOME
def command(
    port: int | None,
    seed: str,
    state: Path | None,
    handle: Path | None,
    deployable: bool,
    home: Path | None,
) -> None:
    """Run the app here: database, web, worker and mail inbox, restarted when one dies.

    \b
    Example:  shipworthy up
              shipworthy up --port 0 --seed none
              shipworthy up --deployable
    """
    import asyncio
    import signal
    import threading

    from shipworthy.cli.project import STATE_FOLDER, load_project
    from shipworthy.cli.stack import Options, Running, stack
    from shipworthy.cli.through import through_from

    project = load_project(home)
    options = Options(
        state=(state or project.home / STATE_FOLDER).absolute(),
        port=port if port is not None else project.settings.http.port,
        seed=seed,
        handle=handle.absolute() if handle else None,
        through=through_from(),
        deployable=deployable,
        say=lambda line: click.echo(click.style(line, dim=True), err=True),
    )

    def greet(running: Running) -> None:
        click.echo(f"\n  {click.style(project.settings.app.name, bold=True)} is up\n")
        click.echo(f"  app      {running.base_url}")
        for tenant in running.tenants:
            if any(room.raw_lane for room in project.rooms):
                click.echo(
                    f"  website  http://{tenant.site_host}:{running.base_url.rpartition(':')[2]}  ({tenant.name})"
                )
        click.echo(f"  mail     {running.mail_page}")
        for tenant in running.tenants:
            click.echo(f"  sign in  {tenant.email}   {tenant.password}   ({tenant.name})")
        click.echo("\n  Ctrl-C stops it; the data stays.\n")

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        serving = asyncio.create_task(serve_until(stop))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not started.is_set():
            serving.cancel()  # a signal while starting: unwind what was started
        await asyncio.gather(serving, return_exceptions=started.is_set() is False and stop.is_set())
        stopping.cancel()

    async def serve_until(stop: asyncio.Event) -> None:
        async with stack(project, options) as running:
            started.set()
            greet(running)
            await stop.wait()

    started = threading.Event()
    asyncio.run(run())
