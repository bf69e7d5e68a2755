"""`shipworthy new`: a runnable app from a few words, from questions, from a file or from one sentence."""

from __future__ import annotations

import json
import shlex
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.cli.project import current_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipworthy.builder.plan import PlannedFile
    from shipworthy.builder.spec import Spec


@click.command("new")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--rooms", default=None, help="Comma-separated; auth is always part of it. [default: invoicing,site]"
)
@click.option("--name", default=None, help="The app's name (default: from the folder).")
@click.option("--locale", type=click.Choice(["en", "de"]), default=None, help="[default: en]")
@click.option("--port", type=click.IntRange(0, 65_535), default=None, help="[default: 8000]")
@click.option(
    "--spec",
    "spec_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="An app.toml to take everything from.",
)
@click.option(
    "--from", "sentence", default=None, help="One sentence; a model fills in the spec (SHIPWORTHY_MODEL_URL)."
)
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(
    path: Path,
    rooms: str | None,
    name: str | None,
    locale: str | None,
    port: int | None,
    spec_file: Path | None,
    sentence: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a runnable app in PATH. In a terminal and without options it asks.

    \b
    Example:  shipworthy new plumber --rooms invoicing,site --name "Berlin Plumber"
              shipworthy new shop --dry-run
              shipworthy new plumber --from "an invoice app for a Berlin plumber, Google sign-in"
    """
    from shipworthy.builder.plan import plan
    from shipworthy.builder.tidied import tidied
    from shipworthy.builder.write import write

    folder = path.absolute()
    given: dict[str, Any] = {"rooms": rooms, "name": name, "locale": locale, "port": port}
    given = {key: value for key, value in given.items() if value is not None}
    spec, own = _wanted(folder.name, given, spec_file, sentence, is_quiet=as_json or dry_run)
    files = plan(spec, folder=folder.name, own=own)
    if not dry_run:
        write(files, folder)
        if own:
            tidied([folder / "rooms", folder / "tests"], home=folder)
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
    for key in spec.to_be_set:
        click.echo(f"  set {key} in app.toml, and its secret in the environment: docs/reference/settings.md")
    click.echo(f"\n  cd {shlex.quote(str(path))}\n  shipworthy up\n")


def _wanted(
    folder: str, given: dict[str, Any], spec_file: Path | None, sentence: str | None, *, is_quiet: bool
) -> tuple[Spec, Sequence[PlannedFile]]:
    """Return the spec and the files of its own rooms, from wherever it is said."""
    if spec_file is not None or sentence is not None:
        if given.keys() - {"name"} or (spec_file is not None and sentence is not None):
            raise click.UsageError(
                "--spec and --from each say everything; give one of them, and no option but --name"
            )
        if spec_file is not None:
            return _from_file(folder, spec_file, given.get("name"))
        said = _from_sentence(folder, str(sentence), given.get("name"))
        if said is not None:
            return _confirmed(said, is_quiet=is_quiet)
        given |= _questions(folder)
    elif not given and not is_quiet and sys.stdin.isatty() and sys.stdout.isatty():
        given = _questions(folder)
    return _checked(folder, _data_of(given))


def _data_of(given: dict[str, Any]) -> dict[str, Any]:
    rooms = [room.strip() for room in given.get("rooms", "invoicing,site").split(",") if room.strip()]
    app: dict[str, Any] = {"rooms": rooms, **{key: given[key] for key in ("name", "locale") if key in given}}
    return {"app": app, "http": {"port": given.get("port", 8000)}}


def _questions(folder: str) -> dict[str, Any]:
    """Ask what an app is made of; every question has an answer that Return takes."""
    from shipworthy.cli.project import known_rooms

    others = [room for room in known_rooms() if room != "auth"]
    title = folder.replace("-", " ").replace("_", " ").title()
    asked = {
        "name": click.prompt("What is it called?", default=title),
        "rooms": ",".join(room for room in others if click.confirm(f"With {room}?", default=True)),
        "locale": click.prompt("Language of its pages", type=click.Choice(["en", "de"]), default="en"),
        "port": click.prompt("Port on this machine", type=click.IntRange(0, 65_535), default=8000),
    }
    click.echo()
    return asked


def _from_file(folder: str, file: Path, name: str | None) -> tuple[Spec, Sequence[PlannedFile]]:
    from shipworthy.builder.spec import SpecRefused

    try:
        text = file.read_text(encoding="utf-8")
        return _checked(folder, tomllib.loads(text), name=name, source=str(file), text=text)
    except tomllib.TOMLDecodeError as broken:
        raise SpecRefused(f"{file} is not valid TOML: {broken}") from broken
    except (OSError, UnicodeDecodeError) as failed:
        raise SpecRefused(f"{file} cannot be read: {failed}") from failed


def _from_sentence(folder: str, sentence: str, name: str | None) -> tuple[Spec, Sequence[PlannedFile]] | None:
    """Return what a model makes of the sentence; None when there is none to ask, and a person to ask instead."""
    from importlib import import_module

    from shipworthy.builder.sentence import Unasked, endpoint_from, spec_of_sentence
    from shipworthy.cli.project import known_rooms

    about = {
        room: (import_module(f"shipworthy.rooms.{room}").__doc__ or room).split("\n")[0]
        for room in known_rooms()
    }
    try:
        endpoint = endpoint_from(current_environment())
        return spec_of_sentence(
            sentence, endpoint=endpoint, rooms=about, check=lambda data: _checked(folder, data, name=name)
        )
    except Unasked as unasked:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise
        click.echo(f"{unasked}.\nThe questions instead:\n", err=True)
        return None


def _confirmed(
    said: tuple[Spec, Sequence[PlannedFile]], *, is_quiet: bool
) -> tuple[Spec, Sequence[PlannedFile]]:
    """Show a person what a model understood, and ask."""
    from shipworthy.builder.plan import scaffold

    if not is_quiet and sys.stdin.isatty() and sys.stdout.isatty():
        settings = next(file.text for file in scaffold(said[0], folder="") if file.path == "app.toml")
        click.echo(settings)
        click.confirm("Make this app?", default=True, abort=True)
    return said


def _checked(
    folder: str, data: dict[str, Any], *, name: str | None = None, source: str = "", text: str = ""
) -> tuple[Spec, Sequence[PlannedFile]]:
    """Return the spec that this data is, and the files of its own rooms.

    Errors:  SpecRefused or Undecodable, naming the key and, where it is written in a file, its line.
    """
    from shipworthy.builder.plan import scaffold
    from shipworthy.builder.spec import spec_from
    from shipworthy.cli.add import own_room_files
    from shipworthy.cli.project import known_rooms
    from shipworthy.contract.strict import decode
    from shipworthy.kernel.settings import Settings, settings_of

    title = name or data.get("app", {}).get("name") or folder
    decode(
        Settings,
        {**data, "app": {"rooms": [], **data.get("app", {}), "name": title}},
        source=source,
        text=text,
    )
    spec = spec_from(data, folder=folder, known_rooms=known_rooms(), name=name)
    settings = next(file.text for file in scaffold(spec, folder=folder) if file.path == "app.toml")
    return spec, own_room_files(settings_of(settings), settings)
