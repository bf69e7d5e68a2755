"""`shipworthy init`: a gauntlet.toml from what an app shows."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipworthy.contract.target import Credential, Target
    from shipworthy.gauntlet.discover.draft import Draft


@click.command("init")
@click.option(
    "--repo",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="The app's folder (default: this one, unless another source is given).",
)
@click.option("--run", "start", default=None, help="The command that starts it, with {port} where the port goes; it is started and looked at.")  # fmt: skip
@click.option(
    "--url",
    default=None,
    help="Where the app runs, e.g. http://127.0.0.1:3000; on another machine it must prove to be yours.",
)
@click.option("--openapi", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None, help="An OpenAPI document, as JSON.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), default=None, help="Where to write it (default: gauntlet.toml in the app's folder).")  # fmt: skip
@click.option("--person", "given", type=(str, str), multiple=True, metavar="EMAIL PASSWORD", help="Who may sign in; give two of different tenants.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--start/--no-start", "starts", default=None, help="Start the app as its folder says, and look at its pages, too.")  # fmt: skip
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@click.option("--print", "is_printed", is_flag=True, help="Print the file and write nothing.")
def command(
    repo: Path | None, start: str | None, url: str | None, openapi: Path | None, output: Path | None,
    given: tuple[tuple[str, str], ...], force: bool, starts: bool | None, no_input: bool, is_printed: bool,
) -> None:  # fmt: skip
    """Write a gauntlet.toml for an app in any language, from what it shows.

    Its folder says how it is started, its OpenAPI document which routes it has, its pages where people sign
    in. An app at --url, or one that --start or --run starts, is asked as a visitor asks; nothing is submitted but the
    sign-in of whom you name.

    \b
    Example:  shipworthy init
              shipworthy init --start
              shipworthy init --run 'node server.js --listen {port}'
              shipworthy init --url http://127.0.0.1:3000
              shipworthy init --repo ../shop --openapi ../shop/openapi.json
    """
    from shipworthy.gauntlet.discover.written import still_to_say, written

    path = output or (repo or Path()) / "gauntlet.toml"
    if path.exists() and not force and not is_printed:
        raise click.UsageError(f"{path} is there already. Give --force to write over it, or --print to see what would be")  # fmt: skip
    if start and "{port}" not in start:
        raise click.UsageError("--run must say {port} where the port goes, for example: node server.js --listen {port}")  # fmt: skip
    people = [_credential(email, password) for email, password in given]
    draft = _seen(repo, start, url, openapi, people)
    if draft.start is None and draft.url is None:
        raise click.ClickException(
            f"how the app in {repo or Path.cwd()} is started was not seen. Give the command, as in "
            "shipworthy init --run 'node server.js --listen {port}', or start it yourself and give its address: "
            "shipworthy init --url http://127.0.0.1:3000"
        )
    starts = True if start and starts is None else starts
    can_ask = sys.stdin.isatty() and not no_input and not is_printed
    workdir = os.path.relpath(repo or Path.cwd(), path.absolute().parent)
    if draft.start and draft.url is None and starts is None and can_ask:
        starts = click.confirm(f"Start it now ({draft.start.value}) to look at its pages?", default=True)
    if draft.start and starts:
        draft = _started(draft, repo or Path.cwd(), people)
    if can_ask and not people and (people := _people(draft)):
        where = repo or Path.cwd()
        draft = _started(draft, where, people) if starts else _seen(repo, start, url, openapi, people)
    text = written(draft, people, workdir=workdir)
    _must_be_readable(text)
    if is_printed:
        click.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
        if people or draft.database:
            path.chmod(0o600)  # it holds passwords, if only of people made for this
    except OSError as failed:
        raise click.ClickException(f"{path} could not be written: {failed.strerror}") from failed
    _tell(draft, path, list(still_to_say(draft, people)))


def _seen(
    repo: Path | None, start: str | None, url: str | None, openapi: Path | None, people: Sequence[Credential]
) -> Draft:
    import asyncio
    from urllib.parse import urlsplit

    from shipworthy.gauntlet.discover.draft import Draft, Seen
    from shipworthy.gauntlet.discover.looking import NothingThere
    from shipworthy.gauntlet.discover.openapi import NoOpenApi, read_openapi
    from shipworthy.gauntlet.discover.repository import read_repository
    from shipworthy.gauntlet.ownership import NotProven

    draft = Draft(start=Seen(start, "as given")) if start else Draft()
    if repo is not None or url is None:
        draft = draft.completed_by(read_repository(repo or Path.cwd()))
    try:
        if openapi is not None:
            draft = draft.completed_by(
                read_openapi(openapi.read_text(encoding="utf-8", errors="replace"), where=openapi.name)
            )
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise click.UsageError(f"--url is an address like http://127.0.0.1:3000, not {url!r}")
            draft = asyncio.run(_looked(draft, f"{parts.scheme}://{parts.netloc}", people))
    except (NoOpenApi, NothingThere, NotProven) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    return draft


async def _looked(draft: Draft, url: str, people: Sequence[Credential]) -> Draft:
    """Return the draft with what the app at an address shows: to a visitor, and to the first person behind its door."""
    from dataclasses import replace

    from shipworthy.gauntlet.discover.behind import look_behind
    from shipworthy.gauntlet.discover.looking import look

    draft = draft.completed_by(await look(url))
    if people and draft.login is not None:
        behind = await look_behind(url, draft.login, people[0])
        return behind.completed_by(draft if behind.login else replace(draft, login=None))
    return draft


def _started(draft: Draft, repo: Path, people: Sequence[Credential]) -> Draft:
    """Start the app as its draft says, look at it, and stop it."""
    import asyncio
    import tempfile
    from dataclasses import replace

    from shipworthy.gauntlet.adapters.command import started_by_command
    from shipworthy.gauntlet.adapters.instance import StartFailed
    from shipworthy.gauntlet.discover.looking import NothingThere
    from shipworthy.gauntlet.discover.written import written
    from shipworthy.gauntlet.targetfile import TARGET_FILE, load_target_file

    async def looked(target: Target, folder: Path) -> Draft:
        async with started_by_command(target, folder) as instance:
            return replace(await _looked(draft, instance.handle.base_url, people), url=draft.url)

    try:
        with tempfile.TemporaryDirectory(prefix="shipworthy-init-") as folder:
            path = Path(folder) / TARGET_FILE
            path.write_text(written(draft), encoding="utf-8")
            target = replace(load_target_file(path), workdir=str(repo.resolve()))
            return asyncio.run(looked(target, Path(folder)))
    except (StartFailed, NothingThere) as failed:
        raise click.ClickException(
            f"{failed}\nWith --no-start the file is written without looking at its pages."
        ) from failed


def _people(draft: Draft) -> list[Credential]:
    """Ask for two people who can sign in: the one thing that nothing shows."""
    if draft.login is None:
        return []
    click.echo(
        f"People sign in by {draft.login.value.route}. Name two whom the app knows, of two different tenants or\n"
        "accounts, made for this: the examiner writes in their names. Enter leaves it out."
    )
    people = []
    for which in ("first", "second"):
        email = click.prompt(f"E-mail or name of the {which} person", default="", show_default=False)
        if not email:
            break
        password = click.prompt("Their password", hide_input=True)
        people.append(_credential(email, password))
    return people


def _credential(email: str, password: str) -> Credential:
    from shipworthy.contract.target import Credential

    return Credential(email=email, password=password, tenant=email)


def _must_be_readable(text: str) -> None:
    """What is written here is read there: never leave a file that the gauntlet refuses."""
    import tempfile

    from shipworthy.gauntlet.targetfile import TARGET_FILE, load_target_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / TARGET_FILE
        path.write_text(text, encoding="utf-8")
        load_target_file(path)


def _tell(draft: Draft, path: Path, left: list[str]) -> None:
    rows = [
        ("started by", draft.start and draft.start.value, draft.start and draft.start.where),
        ("found at", draft.url and draft.url.value, ""),
        ("people sign in by", draft.login and draft.login.value.route, draft.login and draft.login.where),
        (
            "database",
            draft.database and _without_password(draft.database.value),
            draft.database and draft.database.where,
        ),
        ("routes", draft.routes and str(len(draft.routes.value)), draft.routes and draft.routes.where),
        ("pages", draft.pages and ", ".join(draft.pages.value), ""),
        (
            "behind the sign-in",
            draft.private and ", ".join(draft.private.value),
            draft.private and draft.private.where,
        ),
    ]
    click.echo(f"{path} is written.\n")
    for what, value, where in rows:
        if value:
            click.echo(f"  {what:18} {value}" + (click.style(f"  ({where})", dim=True) if where else ""))
    if left:
        click.echo("\nStill to say, if it is to be measured:")
        for one in left:
            click.echo(f"  - {one}")
    click.echo("\nX")


def _without_password(url: str) -> str:
    import re

    return re.sub(r"//([^:@/]*):[^@/]*@", r"//\1:…@", url)
