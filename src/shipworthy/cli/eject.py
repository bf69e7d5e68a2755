"""`shipworthy eject`: a room of ours becomes the app's own."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("eject")
@click.argument("room")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(room: str, as_json: bool) -> None:
    """Copy ROOM into this app as rooms/ROOM, to change it there; nothing changes in what the app does.

    From then on it is yours: a new version of Shipworthy no longer changes it. Its migrations stay the same, so the
    database runs none again.

    \b
    Example:  shipworthy eject site
    """
    import shipworthy.rooms
    from shipworthy.builder.eject import eject
    from shipworthy.builder.spec import SpecRefused
    from shipworthy.cli.project import known_rooms, load_project
    from shipworthy.kernel.own_rooms import own_rooms

    project = load_project()
    names = [each.name for each in project.rooms]
    if room in own_rooms(project.home):
        raise SpecRefused(f"rooms/{room} is there already: it is the app's own")
    if room not in known_rooms() or room not in names:
        free = [name for name in names if name not in own_rooms(project.home)]
        raise SpecRefused(f"this app has no room {room!r} of ours; it has: {', '.join(free) or 'none'}")
    done = eject(room, source=Path(shipworthy.rooms.__path__[0]) / room, home=project.home)
    if as_json:
        click.echo(json.dumps({"room": room, "files": done.files, "led": done.led}))
        return
    click.echo(f"rooms/{room} is the app's own now: {len(done.files)} files")
    if done.led:
        click.echo(f"led to it: {', '.join(done.led)}")
    if not done.is_tidy:
        click.echo(
            "ruff is not installed, so imports are not sorted: pip install ruff, then ruff check --fix --select I rooms tests"
        )
    click.echo("\n  shipworthy gauntlet --quick    it does what it did before\n")
