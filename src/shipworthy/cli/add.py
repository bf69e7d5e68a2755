"""`shipworthy add`: a room of the app's own, from its fields."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipworthy.builder.plan import PlannedFile
    from shipworthy.builder.rooms.asked import Taken
    from shipworthy.kernel.settings import Settings

_ICON = re.compile(r"^  '([a-z0-9-]+)':", re.MULTILINE)
_OURS = {"api": "api", "static": "static", "files": "files", "-": "operations", "up": "operations"}


@click.group("add")
def command() -> None:
    """Add something to the app in this folder."""


@command.command("room")
@click.argument("name")
@click.option(
    "--field",
    "fields",
    multiple=True,
    help="A field, NAME=KIND,OPTION…; otherwise those of [room.NAME.fields] in app.toml.",
)
@click.option("--dry-run", is_flag=True, help="Print the files and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def room(name: str, fields: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Write a room of the app's own: list, form, API, migration, audit, permissions, tests.

    Kinds of fields: text, integer, money, date, time, choice, reference. Options: required, unique, personal,
    chars_max=N, currency=EUR, choices=open|done, to=customers, label=…, german=….

    \b
    Example:  shipworthy add room bookings --field guest=text,required,personal --field starts_on=date,required
              shipworthy add room bookings        (with [room.bookings.fields] in app.toml)
    """
    from shipworthy.builder.appfile import read_field, with_fields, with_room
    from shipworthy.builder.rooms.asked import ask
    from shipworthy.builder.rooms.plan import plan_room
    from shipworthy.builder.rooms.write import write_room
    from shipworthy.cli.project import load_project
    from shipworthy.kernel.settings import APP_FILE, settings_of

    project = load_project()
    app_file = project.home / APP_FILE
    text = app_file.read_text(encoding="utf-8")
    if fields:
        text = with_fields(text, name, dict(read_field(field) for field in fields))
    said = settings_of(text)
    asked = ask(
        name,
        said.room.get(name),
        taken=taken(project.home, in_app=said.app.rooms),
        others=said.room,
        text=text,
    )
    files = plan_room(asked)
    settings = with_room(text, name)
    is_tidy = True
    if not dry_run:
        is_tidy = write_room(files, project.home, name=name, app_file=app_file, settings=settings)
    if as_json:
        click.echo(json.dumps({"room": name, "files": [file.path for file in files], "written": not dry_run}))
        return
    if dry_run:
        for file in files:
            click.echo(click.style(f"--- {file.path}", bold=True))
            click.echo(file.text)
        click.echo("nothing was written (--dry-run)")
        return
    click.echo(f"{asked.label} is in rooms/{name}: {len(files)} files, tests in tests/test_{name}.py")
    if not is_tidy:
        click.echo(
            "ruff is not installed, so they are not formatted: pip install ruff, then ruff format rooms tests"
        )
    click.echo("\n  shipworthy up                  look at it: /" + name)
    click.echo("  shipworthy gauntlet --quick    put the app with its new room through its trials\n")


def own_room_files(settings: Settings, text: str) -> list[PlannedFile]:
    """Return the files of all rooms that a new app's settings describe and name. Errors: SpecRefused."""
    from dataclasses import replace

    from shipworthy.builder.rooms.asked import ask
    from shipworthy.builder.rooms.plan import plan_room

    names = [name for name in settings.app.rooms if name in settings.room]
    files: list[PlannedFile] = []
    if not names:
        return files
    known = taken(None, in_app=tuple(name for name in settings.app.rooms if name not in names))
    for name in names:
        asked = ask(name, settings.room[name], taken=known, others=settings.room, text=text)
        files += plan_room(asked)
        known = replace(
            known,
            rooms=known.rooms | {name},
            in_app=known.in_app | {name},
            tables=known.tables | {asked.table},
            addresses={**known.addresses, name: name},
        )
    return files


def taken(home: Path | None, *, in_app: tuple[str, ...]) -> Taken:
    """Return what a new room may not be called: also by rooms of ours that the app may still take in."""
    from shipworthy.builder.rooms.asked import Taken
    from shipworthy.cli.project import known_rooms, load_rooms
    from shipworthy.kernel.http.pages import KERNEL_TEMPLATES
    from shipworthy.kernel.own import declared
    from shipworthy.kernel.own_rooms import own_rooms

    own = own_rooms(home) if home else []
    named = [*known_rooms(), *(name for name in own if name not in known_rooms())]
    rooms = declared(load_rooms(tuple(named), home=home))
    addresses = dict(_OURS)
    for each in rooms:
        for route in each.routes:
            first = route.path.removeprefix("/api/").strip("/").partition("/")[0]
            addresses.setdefault(first.partition(".")[0], each.name)
    icons = (KERNEL_TEMPLATES / "icons.html").read_text(encoding="utf-8")
    return Taken(
        rooms=frozenset({*named, "kernel"}),
        in_app=frozenset(in_app),
        tables=frozenset(table.name for each in rooms for table in each.tables),
        addresses=addresses,
        icons=frozenset(_ICON.findall(icons)),
    )
