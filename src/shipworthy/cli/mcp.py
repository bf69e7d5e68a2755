"""`shipworthy mcp`: the findings for a coding agent, over the Model Context Protocol."""

from __future__ import annotations

from pathlib import Path

import click

from shipworthy.cli.options import HOME


@click.command("mcp")
@click.option(
    "--target",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="A gauntlet.toml, for an app that is not ours.",
)
@HOME
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    default=None,
    help="The folder of the report, within the project (default: report).",
)
def command(target: Path | None, home: Path | None, report: Path | None) -> None:
    """Serve the findings of one project on standard input and output, until that ends.

    Four tools: verdict, list_findings, explain, run_only. An agent's settings start it, in the app's folder:

    \b
    Example:  claude mcp add shipworthy -- shipworthy mcp --home /path/to/app
              {"mcpServers": {"shipworthy": {"command": "shipworthy", "args": ["mcp", "--home", "/path/to/app"]}}}
    """
    import asyncio

    folder = (target.parent if target else (home or Path.cwd())).resolve()
    if target is None and not (folder / "app.toml").is_file():
        raise click.UsageError(f"there is no app.toml in {folder}. Give --home FOLDER, or --target FILE")
    place = (folder / (report or "report")).resolve()
    if not place.is_relative_to(folder):
        raise click.UsageError(f"--report must lie within {folder}: the server goes nowhere else")
    arguments = ["--target", str(target.resolve())] if target else ["--home", str(folder)]
    asyncio.run(_served(folder, place, arguments))


async def _served(folder: Path, report: Path, arguments: list[str]) -> None:
    import asyncio
    import contextlib
    import signal
    import sys

    from shipworthy import __version__
    from shipworthy.gauntlet.mcp.tools import SAID, Project
    from shipworthy.gauntlet.mcp.wire import LINE_BYTES_MAX, serve

    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    out = sys.stdout.buffer

    def write(line: bytes) -> None:
        out.write(line)
        out.flush()

    project = Project(folder, report, arguments)
    serving = asyncio.create_task(
        serve(project.tools(), name="shipworthy", version=__version__, said=SAID, read=reader, write=write)
    )
    # What it started must be stopped by it, whoever ends it.
    loop.add_signal_handler(signal.SIGTERM, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
