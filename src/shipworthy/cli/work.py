"""`shipworthy work`: one worker process."""

from __future__ import annotations

import click


@click.command("work")
def command() -> None:
    """Run one worker of the app in this folder: jobs, and the sealing of audit chains.

    \b
    Example:  shipworthy work
    """
    import asyncio
    import signal

    import uvloop

    from shipworthy.cli.project import current_environment, installation_from, load_project
    from shipworthy.kernel.app import run_worker, scrubber_of
    from shipworthy.kernel.telemetry.log import configure, log, scrub_with

    configure()
    project = load_project()
    installation = installation_from(
        current_environment(),
        role="worker",
        store=project.settings.sessions.store,
        pooling=project.settings.db.pooling,
    )

    scrub_with(scrubber_of(project.rooms, installation))

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        ready = installation.state / "worker.ready"
        ready.unlink(missing_ok=True)

        def on_ready() -> None:
            ready.touch()
            log.info("worker is ready")

        await run_worker(project.settings, project.rooms, installation, stop=stop, on_ready=on_ready)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
