"""`shipworthy new`: a runnable app from a few words."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click


@click.command("new")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--rooms", default="invoicing,site", show_default=True, help="Comma-separated; auth is always part of it."
)
@click.option("--name", default=None, help="The app's name (default: from the folder).")
@click.option("--locale", type=click.Choice(["en", "de"]), default="en", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True)
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(
    path: Path, rooms: str, name: str | None, locale: str, port: int, dry_run: bool, as_json: bool
) -> None:
    """Make a runnable app in PATH.

    \b
    Example:  shipworthy new plumber --rooms invoicing,site --name "Berlin Plumber"
              shipworthy new shop --dry-run
    """
    from shipworthy.builder.plan import plan
    from shipworthy.builder.spec import make_spec
    from shipworthy.builder.write import write
    from shipworthy.cli.project import known_rooms

    folder = path.absolute()
    asked = [room.strip() for room in rooms.split(",") if room.strip()]
    spec = make_spec(
        folder=folder.name, name=name, rooms=asked, known_rooms=known_rooms(), locale=locale, port=port
    )
    files = plan(spec, folder=folder.name)
    if not dry_run:
        write(files, folder)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "folder": str(folder),
                    "rooms": spec.rooms,
                    "files": [f.path for f in files],
                    "written": not dry_run,
                }
            )
        )
        return
    if dry_run:
        for file in files:
            click.echo(click.style(f"--- {path / file.path}", bold=True))
            click.echo(file.text)
        click.echo("nothing was written (--dry-run)")
        return
    click.echo(f"{spec.name} is in {path}: {', '.join(spec.rooms)}")
    click.echo(f"\n  cd {shlex.quote(str(path))}\n  shipworthy up\n")
