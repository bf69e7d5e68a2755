"""`shipworthy migrate`: up, down, status, plan."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click

if TYPE_CHECKING:
    from shipworthy.kernel.db.migrate import RoomMigrations
    from shipworthy.kernel.db.rollback import Way


@click.group("migrate", invoke_without_command=False)
def command() -> None:
    """Bring the database up to date, or take a step back.

    The database is the one of SHIPWORTHY_DB_URL_ADMIN (a postgresql:// address of an
    administrator); `shipworthy up` migrates its own by itself.

    \b
    Example:  shipworthy migrate plan && shipworthy migrate up
    """


@command.command("up")
@click.option(
    "--phase",
    type=click.Choice(["pre", "post"]),
    multiple=True,
    help="Only this phase: pre expands, post contracts (default: both).",
)
@click.option(
    "--prepare",
    is_flag=True,
    help="First make what is missing: the database, its roles with the passwords of SHIPWORTHY_DB_URL_<ROLE>, "
    "and the realm of SHIPWORTHY_REALM.",
)
def up(phase: tuple[str, ...], prepare: bool) -> None:
    """Apply what is pending. What contracts waits until `shipworthy deploy` has let the last old process go.

    \b
    Example:  shipworthy migrate up
              shipworthy migrate up --prepare        # a new installation, or one that may be new
    """
    from shipworthy.kernel.db.migrate import migrate_up, status

    phases = phase or ("pre", "post")
    url = _admin_url()
    if prepare:
        _make_database(url)
    if "post" in phases:
        contracts = [m.label for m in asyncio.run(status(url, _rooms())) if m.is_contract and not m.applied]
        refuse_while_others_run(contracts, url)
    done = asyncio.run(migrate_up(url, _rooms(), phases=phases))
    if prepare:
        _make_realm(url)
    for migration in done:
        click.echo(f"applied  {migration.label}")
    click.echo(f"{len(done)} applied" if done else "nothing to do: the database is up to date")


@command.command("down")
@click.option(
    "--steps", type=click.IntRange(1, 100), default=1, show_default=True, help="How many migrations to undo."
)
@click.option("--yes", is_flag=True, help="Do not ask. Undoing a migration can delete data.")
def down(steps: int, yes: bool) -> None:
    """Undo the newest migrations, newest first."""
    from shipworthy.kernel.db.migrate import migrate_down, status
    from shipworthy.kernel.db.rollback import way_back

    known = asyncio.run(status(_admin_url(), _rooms()))
    undoing = [m for m in known if m.applied][::-1][:steps]
    for migration in undoing:
        lost = ", ".join(way_back(migration).loses) or "nothing"
        click.echo(f"will undo  {migration.label}  ({migration.down.name}; loses {lost})")
    if not yes:
        click.confirm("This can delete data. Go on?", abort=True)
    for migration in asyncio.run(migrate_down(_admin_url(), _rooms(), steps=steps)):
        click.echo(f"undone  {migration.label}")


@command.command("status")
def show_status() -> None:
    """List every migration and whether it is applied."""
    from shipworthy.kernel.db.migrate import status

    for migration in asyncio.run(status(_admin_url(), _rooms())):
        click.echo(f"{'applied' if migration.applied else 'pending':8} {migration.label}")


@command.command("plan")
@click.option("--back", is_flag=True, help="The way back instead: of what is applied, newest first.")
@click.option(
    "--json", "as_json", is_flag=True, help="As JSON: label, phase, SQL both ways, what taking it back loses."
)
def plan(back: bool, as_json: bool) -> None:
    """Print the SQL that `up` would run, when it may run, and what would take it back.

    \b
    Example:  shipworthy migrate plan
              shipworthy migrate plan --back
    """
    import json

    from shipworthy.kernel.db.migrate import status
    from shipworthy.kernel.db.rollback import way_back

    known = asyncio.run(status(_admin_url(), _rooms()))
    wanted = [m for m in known if m.applied][::-1] if back else [m for m in known if not m.applied]
    ways = [way_back(migration) for migration in wanted]
    if as_json:
        click.echo(json.dumps([_told(way) for way in ways], indent=2))
        return
    for way in ways:
        click.echo(click.style(f"-- {way.migration.label}", bold=True))
        click.echo(f"-- {way.when}")
        if not back:
            click.echo(way.migration.up.read_text(encoding="utf-8"))
        click.echo(
            f"-- taken back by {way.migration.down.name}; it loses {', '.join(way.loses) or 'nothing'}"
        )
        click.echo(way.sql)
    if not ways:
        click.echo("nothing is applied" if back else "nothing to do: the database is up to date")


def refuse_while_others_run(contracts: list[str], url: str) -> None:
    """Errors:  MigrationRefused while a release behind the front of this very database is not this folder's."""
    from shipworthy.cli.front import releases_that_run
    from shipworthy.cli.project import STATE_FOLDER, load_project
    from shipworthy.delivery.release import identity
    from shipworthy.kernel.db.migrate import MigrationRefused

    home = load_project().home
    others = (
        releases_that_run(home / STATE_FOLDER, database_url=url) - {identity(home)} if contracts else set()
    )
    if others:
        raise MigrationRefused(
            f"{', '.join(contracts)}: release {', '.join(sorted(others))} still runs and needs what this takes away; "
            "nothing was applied. Apply what expands (--phase pre), or let `shipworthy deploy` do both in order."
        )


def _told(way: Way) -> dict[str, object]:
    migration = way.migration
    return {
        "label": migration.label,
        "phase": "contract" if migration.is_contract else "expand",
        "applied": migration.applied,
        "up": migration.up.read_text(encoding="utf-8"),
        "down": way.sql,
        "loses": list(way.loses),
    }


def _admin_url() -> str:
    url = os.environ.get("SHIPWORTHY_DB_URL_ADMIN")
    if not url:
        raise click.UsageError(
            "SHIPWORTHY_DB_URL_ADMIN is not set: the postgresql:// address of an administrator"
        )
    return url


def _make_database(url: str) -> None:
    """Errors: UsageError for addresses that cannot be used."""
    from shipworthy.kernel.db.migrate import LOGIN_ROLES
    from shipworthy.kernel.db.setup import make_database

    passwords = {}
    for role in LOGIN_ROLES:
        if address := os.environ.get(f"SHIPWORTHY_DB_URL_{role.upper()}"):
            parts = urlsplit(address)
            if parts.username != role or not parts.password:
                raise click.UsageError(
                    f"SHIPWORTHY_DB_URL_{role.upper()} must name the role {role} and its password: postgresql://{role}:…@host/name"
                )
            passwords[role] = unquote(parts.password)
    if "app" not in passwords:
        raise click.UsageError("SHIPWORTHY_DB_URL_APP is not set: whose password should the role app have?")
    _realm_id()  # before anything is made
    try:
        asyncio.run(make_database(url, passwords=passwords))
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None


def _make_realm(url: str) -> None:
    from shipworthy.cli.project import load_project
    from shipworthy.kernel.db.setup import make_realm

    asyncio.run(make_realm(url, _realm_id(), load_project().settings.app.name))


def _realm_id() -> uuid.UUID:
    from shipworthy.cli.project import realm_id_of

    if text := os.environ.get("SHIPWORTHY_REALM"):
        return realm_id_of(text)
    raise click.UsageError("SHIPWORTHY_REALM is not set: the id of the installation, the same one for good")


def _rooms() -> Sequence[RoomMigrations]:
    from shipworthy.cli.project import load_project
    from shipworthy.kernel.app import migrations_of

    return migrations_of(load_project().rooms)
