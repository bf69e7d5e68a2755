"""`shipworthy restore`: make a new state directory of a backup, at any moment that was kept, and prove it sound."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.cli.backup import FOLDER
from shipworthy.cli.options import HOME

if TYPE_CHECKING:
    from shipworthy.cli.project import Project
    from shipworthy.local.backup.vault import Backup
    from shipworthy.local.postgres import PostgresAddress
    from shipworthy.local.statedir import StateDir

_APPEND_ONLY = ("audit", "schema_migration")  # what only grows while its tenants stay


def _moment(_ctx: click.Context, _param: click.Parameter, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time like 2026-11-28T09:30:00Z") from None
    if at.tzinfo is None:
        raise click.BadParameter(f"{text!r} names no zone: end it with Z for UTC, or with +01:00")
    return at


@click.command("restore")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The new state directory.")
@click.option(
    "--at", callback=_moment, help="The moment to go back to, 2026-11-28T09:30:00Z (default: the last one)."
)
@click.option(
    "--backup", "name", default="", help="The backup to begin with (default: the newest that fits)."
)
@click.option(
    "--last-writes-of",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="State directory whose database died, for what it wrote last (default: the backup's own).",
)
@FOLDER
@HOME
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    to: Path,
    at: datetime | None,
    name: str,
    last_writes_of: Path | None,
    folder: Path | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Bring a backup back into a new state directory, and verify it: checksums, audit chains, numbers, rows.

    Nothing is restored over a database that is there. What was restored runs with `shipworthy up --state TO`;
    when it is what you want, stop the app and swap the folders.

    \b
    Example:  shipworthy restore --to .shipworthy-restored
              shipworthy restore --to /tmp/before --at 2026-11-28T09:30:00Z
    """
    from shipworthy.cli.backup import vault_of
    from shipworthy.cli.project import load_project
    from shipworthy.local.backup.restore import restore

    project, facts = load_project(home), dict[str, Any]()

    def verify(address: PostgresAddress, state: StateDir, backup: Backup) -> list[str]:
        facts.update(_verified(project, address, state, backup))
        return [*facts["wrong"]]

    made = restore(
        vault_of(project, folder),
        to,
        name=name,
        at=at,
        last_writes_of=last_writes_of,
        verify=verify,
        say=lambda line: click.echo(click.style(line, dim=True), err=True),
    )
    rows, fewer = facts["rows"], facts["fewer"]
    last = made.last_change.isoformat() if made.last_change else None
    told = {
        "state": str(made.state),
        "backup": made.backup.name,
        "last_change": last,
        "with_last_writes": made.with_last_writes,
        "files": made.files,
        "rows": sum(rows.values()),
        "fewer_rows": fewer,
        "tenants": facts["tenants"],
        "audit_rows": facts["audit_rows"],
    }
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"\n  {made.state} holds everything up to {last or made.backup.ended_at}\n")
    click.echo(
        f"  backup       {made.backup.name}{', with the last writes of ' + made.backup.state if made.with_last_writes else ''}"
    )
    click.echo("  checksums    backup, data files and every page hold")
    click.echo(f"  audit        {told['audit_rows']} rows of {told['tenants']} tenants hold")
    click.echo(f"  rows         {told['rows']} in {len(rows)} tables{_fewer(fewer)}")
    click.echo(f"  files        {made.files}")
    click.echo(f"\n  Look at it: shipworthy up --state {made.state} --port 0\n")


def _fewer(fewer: dict[str, list[int]]) -> str:
    said = ", ".join(f"{table} {before} -> {now}" for table, (before, now) in fewer.items())
    return f"; fewer than when the backup began: {said}" if fewer else ""


def _verified(project: Project, address: PostgresAddress, state: StateDir, backup: Backup) -> dict[str, Any]:
    """What the restored database holds, and what does not hold in it."""
    import asyncio

    from shipworthy.cli.stack import DATABASE, installation_of
    from shipworthy.kernel.db.inventory import table_rows
    from shipworthy.kernel.own import TABLES
    from shipworthy.kernel.soundness import look

    admin_url = address.url(DATABASE)
    rows = asyncio.run(table_rows(admin_url))
    found = asyncio.run(
        look(project.settings, project.rooms, installation_of(state, admin_url), admin_url=admin_url)
    )
    passing = {table.name for table in TABLES if table.scope == "worker"}  # what waits to be done
    fewer = {t: [n, rows[t]] for t, n in backup.rows.items() if rows.get(t, n) < n and t not in passing}
    wrong = [
        *found.wrong,
        *(f"the table {table} is missing" for table in backup.rows if table not in rows),
        *(
            f"{table} has {fewer[table][1]} rows and had {fewer[table][0]}"
            for table in _APPEND_ONLY
            if table in fewer
        ),
    ]
    return {
        "rows": rows,
        "fewer": fewer,
        "wrong": wrong,
        "tenants": found.tenants,
        "audit_rows": found.audit_rows,
    }
