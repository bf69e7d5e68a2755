"""`shipworthy preview`: a branch of the app at an address of its own, for a while."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.cli.options import HOME, seconds

if TYPE_CHECKING:
    from shipworthy.local.hostline import Say

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_SEED = click.option(
    "--seed",
    type=click.Choice(["none", "demo", "volume"]),
    default="demo",
    show_default=True,
    help="Example data: none, two demo tenants, or those plus thousands of rows.",
)
TTL_S_MAX = 7 * 24 * 3600
_HOST_TIMEOUT_S = 60.0  # the one before may still be shutting its database down
_POLL_S = 0.05


@click.group("preview")
def command() -> None:
    """Look at a branch before it is merged: the app with example data, at its own address, for a while.

    A preview is a clone of a database that is migrated and filled once for each schema. It ends when its
    time is over, whatever became of the command that made it.

    \b
    Example:  shipworthy preview up feature/new-prices
              shipworthy preview list
              shipworthy preview down feature-new-prices
    """


@command.command("up")
@click.argument("branch")
@click.option("--name", default="", help="Its name, and its host NAME.localhost (default: from the branch).")
@click.option(
    "--ttl", "ttl_s", default="1h", show_default=True, callback=seconds, help="How long it stays: 30m, 8h."
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="0 takes any free one."
)
@_SEED
@HOME
@_JSON
def up(branch: str, name: str, ttl_s: float, port: int, seed: str, home: Path | None, as_json: bool) -> None:
    """Bring BRANCH up (a branch, tag or commit; "." is the folder as it is) and print its address.

    \b
    Example:  shipworthy preview up feature/new-prices --ttl 8h
              shipworthy preview up .
    """
    import json
    import os

    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?)?", name):
        raise click.UsageError(
            f"--name must be lower-case letters, digits and hyphens, at most 50, not {name!r}"
        )
    if not 1 <= ttl_s <= TTL_S_MAX:
        raise click.UsageError("--ttl must be between 1s and 168h")
    wish = {
        "branch": branch,
        "name": name,
        "ttl_s": ttl_s,
        "seed": seed,
        "port": port,
        "environment": dict(os.environ),
    }
    facts = _asked(home, {"do": "up", **wish}, starts=True, say=_dim)
    assert facts is not None
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(
        f"\n  {click.style(facts['name'], bold=True)} is up: {facts['app']}, ready in {facts['ready_in_s']:.1f} s\n"
    )
    click.echo(f"  app      {facts['url']}")
    for website, person in zip(facts["websites"], facts["people"], strict=False):
        click.echo(f"  website  {website}  ({person['tenant']})")
    click.echo(f"  mail     {facts['mail']}")
    for person in facts["people"]:
        click.echo(f"  sign in  {person['email']}   {person['password']}   ({person['tenant']})")
    click.echo(f"\n  It ends in {_in_words(ttl_s)}. Before: shipworthy preview down {facts['name']}\n")


@command.command("list")
@HOME
@_JSON
def list_previews(home: Path | None, as_json: bool) -> None:
    """List the previews that are up.

    \b
    Example:  shipworthy preview list --json
    """
    import json

    answer = _asked(home, {"do": "list"}, starts=False)
    previews = answer["previews"] if answer else []
    if as_json:
        click.echo(json.dumps(previews))
        return
    if not previews:
        click.echo("no preview is up. Bring one up: shipworthy preview up BRANCH")
    for preview in previews:
        where = preview.get("url", "starting")
        commit = f" {preview['commit'][:9]}" if preview.get("commit") else ""
        click.echo(
            f"{preview['name']}  {where}  ({preview['branch']}{commit}, ends in {_in_words(preview['left_s'])})"
        )


@command.command("down")
@click.argument("name", required=False, default="")
@click.option("--all", "is_all", is_flag=True, help="Every preview of this app.")
@HOME
@_JSON
def down(name: str, is_all: bool, home: Path | None, as_json: bool) -> None:
    """End a preview and delete everything of it.

    \b
    Example:  shipworthy preview down feature-new-prices
              shipworthy preview down --all
    """
    import json

    if bool(name) is is_all:
        raise click.UsageError("give the NAME of a preview (shipworthy preview list), or --all")
    answer = _asked(home, {"do": "down", "name": name}, starts=False)
    if answer is None and name:
        raise click.UsageError(f"there is no preview {name!r}. No preview is up")
    ended = answer["ended"] if answer else []
    if as_json:
        click.echo(json.dumps({"ended": ended}))
        return
    click.echo(f"ended: {', '.join(ended)}" if ended else "no preview was up")


@command.command("fill", hidden=True)
@click.option(
    "--state", type=click.Path(path_type=Path), required=True, help="State directory of the template."
)
@_SEED
def fill(state: Path, seed: str) -> None:
    """Migrate and fill the database of SHIPWORTHY_DB_URL_ADMIN; `preview up` runs this in the branch's files."""
    import asyncio
    import os

    from shipworthy.cli.project import load_project
    from shipworthy.cli.stack import Options, prepare
    from shipworthy.local.errors import disk_full
    from shipworthy.local.statedir import StateDir

    options = Options(state=state, port=0, seed=seed)
    admin_url = os.environ["SHIPWORTHY_DB_URL_ADMIN"]
    try:
        asyncio.run(prepare(load_project(), StateDir(state).ensure(), admin_url, options, 0))
    except Exception as failed:
        if getattr(failed, "sqlstate", "") == "53100":  # PostgreSQL: disk_full
            raise disk_full(state) from failed
        raise


@command.command("host", hidden=True)
@click.option("--sweep", is_flag=True, help="Only delete what a killed one left.")
@HOME
def host(sweep: bool, home: Path | None) -> None:
    """Hold the previews of an app; `preview up` starts this."""
    import asyncio

    asyncio.run(_host(_app_of(home), is_sweep=sweep))


async def _host(home: Path, *, is_sweep: bool) -> None:
    import asyncio
    import signal

    from shipworthy.cli.preview_host import PreviewHost, folder_of
    from shipworthy.local.hostline import answering

    lock = await _locked(folder_of(home))
    if lock is None:
        return  # another one answers
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        (folder_of(home) / "host.json").unlink(missing_ok=True)
        holder = PreviewHost(home, log=lambda line: click.echo(line, err=True))
        try:
            await holder.clear()
            if is_sweep:
                return
            async with answering(folder_of(home) / "host.json", holder.answer):
                stopped = asyncio.ensure_future(stop.wait())
                while True:
                    unused = asyncio.ensure_future(holder.until_unused())
                    await asyncio.wait([stopped, unused], return_when=asyncio.FIRST_COMPLETED)
                    # Looked at again, and nothing awaited from here on: who asked meanwhile is served.
                    if stop.is_set() or holder.is_unused:
                        break
        finally:
            await holder.close()
    finally:
        lock.release()


async def _locked(folder: Path) -> Any:
    """Return the lock of the one host an app has, or None where another holds it and answers."""
    import asyncio

    from shipworthy.local.errors import AlreadyRunning
    from shipworthy.local.hostline import NobodyAnswers, ask
    from shipworthy.local.statedir import DirectoryLock

    while True:
        try:
            return DirectoryLock(folder / "host.lock")
        except AlreadyRunning:
            pass
        try:
            await ask(folder / "host.json", {"do": "list"})
            return None
        except NobodyAnswers:  # it is just beginning, or just ending
            await asyncio.sleep(_POLL_S)


def _asked(
    home: Path | None, wish: dict[str, Any], *, starts: bool, say: Say = lambda _line: None
) -> dict[str, Any] | None:
    """Have the app's host do one thing; None when there is none and this does not start one."""
    import asyncio

    from shipworthy.cli.preview_host import folder_of
    from shipworthy.local.hostline import NobodyAnswers, ask
    from shipworthy.local.statedir import StateDir

    app = _app_of(home)
    place = folder_of(app) / "host.json"

    async def once() -> dict[str, Any]:
        return await ask(place, dict(wish), say=say)

    async def with_host() -> dict[str, Any]:
        StateDir(folder_of(app).parent).ensure()
        StateDir(folder_of(app)).ensure()
        return await _with_host(app, once)

    try:
        return asyncio.run(with_host() if starts else once())
    except NobodyAnswers:
        if starts:
            raise
        return None


async def _with_host(home: Path, once: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    import asyncio
    import time

    from shipworthy.cli.preview_host import folder_of
    from shipworthy.local.errors import ServiceFailed
    from shipworthy.local.hostline import NobodyAnswers

    log = folder_of(home) / "logs" / "host.log"
    deadline, process = time.monotonic() + _HOST_TIMEOUT_S, None
    while time.monotonic() < deadline:
        try:
            return await once()
        except NobodyAnswers:
            if process is None or process.poll() is not None:
                if process is not None and process.returncode:
                    break
                process = _start_host(home, log)
            await asyncio.sleep(_POLL_S)
    words = log.read_text(encoding="utf-8", errors="replace").strip()[-1000:] if log.exists() else ""
    raise ServiceFailed(
        f"The process that holds previews did not start. Its log ({log}) ends: {words or 'empty'}"
    )


def _start_host(home: Path, log: Path) -> Any:
    """Start the host in the background. Killed, it cannot clean up; the shell that waits for it has it done."""
    import shlex
    import subprocess
    import sys

    program = shlex.join([sys.executable, "-m", "shipworthy", "preview", "host", "--home", str(home)])
    with log.open("wb") as out:
        return subprocess.Popen(
            ["/bin/sh", "-c", f"{program}; code=$?; [ $code = 0 ] || {program} --sweep; exit $code"],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C and the end of the terminal are the command's, not the previews'
        )


def _app_of(home: Path | None) -> Path:
    from shipworthy.cli.project import load_project

    return load_project(home).home


def _dim(line: str) -> None:
    click.echo(click.style(line, dim=True), err=True)


def _in_words(left_s: float) -> str:
    hours, minutes = divmod(round(left_s / 60), 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if left_s >= 60 else f"{left_s:.0f} s"
