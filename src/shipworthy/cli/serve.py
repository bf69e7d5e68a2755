"""`shipworthy serve`: one web process (uvicorn; any ASGI server may run `make_app`)."""

from __future__ import annotations

from typing import Any

import click

from shipworthy.cli.project import current_environment, installation_from, load_project


@click.command("serve")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=None,
    help="Port on the loopback interface; the default is app.toml's.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--deployable",
    is_flag=True,
    help="Web and worker behind a front (Envoy, on the loopback interface), so that `shipworthy deploy` can replace them.",
)
def command(port: int | None, host: str, deployable: bool) -> None:
    """Run one web process of the app in this folder.

    \b
    Example:  shipworthy serve --port 8000
              shipworthy serve --deployable
    """
    if deployable:
        from shipworthy.cli.standing import stand

        stand(load_project(), current_environment(), port=port)
        return
    import uvicorn

    from shipworthy.kernel.http.server import options
    from shipworthy.kernel.telemetry.log import configure

    configure()
    settings = load_project().settings
    uvicorn.run(
        "shipworthy.cli.serve:make_app",
        factory=True,
        host=host,
        port=port if port is not None else settings.http.port,
        workers=settings.http.workers,
        **options(),
    )


def make_app() -> Any:
    """Return the ASGI application of the app in this folder: the factory for any ASGI server."""
    from shipworthy.kernel.app import LifespanApp, scrubber_of
    from shipworthy.kernel.telemetry.log import scrub_with

    project = load_project()
    installation = installation_from(
        current_environment(),
        role="app",
        store=project.settings.sessions.store,
        pooling=project.settings.db.pooling,
    )
    scrub_with(scrubber_of(project.rooms, installation))
    return LifespanApp(project.settings, project.rooms, installation)
