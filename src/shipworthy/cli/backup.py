"""`shipworthy backup`: take one, list them, look whether they are whole, follow the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipworthy.cli.options import HOME

if TYPE_CHECKING:
    from shipworthy.cli.project import Project
    from shipworthy.local.backup.vault import Backup, Vault
    from shipworthy.local.postgres import PostgresAddress
    from shipworthy.local.statedir import StateDir

STATE = click.option(
    "--state", type=click.Path(path_type=Path), help="State directory (default: .shipworthy in the app)."
)
FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where backups lie (default: [backup] folder, else .shipworthy-backups in the app).",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
READY = "backup.ready"


@click.group("backup", invoke_without_command=True)
@click.option("--keep", type=click.IntRange(1, 10_000), help="How many stay (default: [backup] keep).")
@STATE
@FOLDER
@HOME
@_JSON
@click.pass_context
def command(
    context: click.Context,
    keep: int | None,
    state: Path | None,
    folder: Path | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Take a backup: database, files and keys, while the app goes on. Older ones than the newest --keep go.

    With [backup] continuous = true, `up` has every later change there too, and any moment can be brought back.

    \b
    Example:  shipworthy backup
              shipworthy backup list
              shipworthy restore --to .shipworthy-restored
    """
    if context.invoked_subcommand is not None:
        return
    from shipworthy.cli.project import load_project
    from shipworthy.local.postgres import EmbeddedPostgres

    project = load_project(home)
    place, vault = state_of(project, state), vault_of(project, folder)
    _require_embedded(project)
    with EmbeddedPostgres(place.path).reached() as address:
        backup, gone = taken(project, place, vault, address, keep=keep)
    facts = {**_facts(vault, backup), "folder": str(vault.folder), "pruned": gone}
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{backup.name}  {_size(facts['bytes'])}, {len(backup.files)} files, in {vault.folder}")
    if backup.files_url:
        click.echo(
            f"  Documents and pictures lie in {backup.files_url} and are not in it: have that store keep versions."
        )
    if gone:
        click.echo(f"  gone: {', '.join(gone)}")


@command.command("list")
@FOLDER
@HOME
@_JSON
def list_backups(folder: Path | None, home: Path | None, as_json: bool) -> None:
    """List the backups there are, oldest first, and until when each can be brought back.

    \b
    Example:  shipworthy backup list --json
    """
    from shipworthy.cli.project import load_project

    vault = vault_of(load_project(home), folder)
    known = [_facts(vault, backup) for backup in vault.backups()]
    if as_json:
        click.echo(json.dumps(known))
        return
    if not known:
        click.echo(f"no backup in {vault.folder}. Take one: shipworthy backup")
    for facts in known:
        followed = f", followed until {facts['followed_until']}" if facts["followed_until"] else ""
        click.echo(
            f"{facts['name']}  {_size(facts['bytes'])}, {facts['files']} files, of {facts['ended_at']}{followed}"
        )


@command.command("check")
@FOLDER
@HOME
@_JSON
def check(folder: Path | None, home: Path | None, as_json: bool) -> None:
    """Compare every backup with the checksums it was stored with (exit code 1 where one differs).

    That a backup can be brought back is proven by bringing it back: `shipworthy restore`.

    \b
    Example:  shipworthy backup check
    """
    from shipworthy.cli.project import load_project
    from shipworthy.contract.verdict import ExitCode
    from shipworthy.local.backup.vault import damage

    vault = vault_of(load_project(home), folder)
    found = {backup.name: damage(vault, backup) for backup in vault.backups()}
    if as_json:
        click.echo(json.dumps(found))
    else:
        for name, wrong in found.items():
            click.echo(f"{name}  {'; '.join(wrong[:5]) if wrong else 'whole'}")
        if not found:
            click.echo(f"no backup in {vault.folder}. Take one: shipworthy backup")
    if not found or any(found.values()):
        raise click.exceptions.Exit(ExitCode.FAIL)


@command.command("follow", hidden=True)
@STATE
@FOLDER
@HOME
def follow(state: Path | None, folder: Path | None, home: Path | None) -> None:
    """Have every change of a database that runs in the backups' folder; `up` runs this."""
    import asyncio
    import contextlib
    import signal

    from shipworthy.cli.project import load_project
    from shipworthy.local.backup.follow import Follower
    from shipworthy.local.postgres import EmbeddedPostgres

    project = load_project(home)
    place, vault = state_of(project, state), vault_of(project, folder)

    async def run() -> None:
        with EmbeddedPostgres(place.path).reached() as address:

            async def take() -> None:
                await asyncio.to_thread(taken, project, place, vault, address)

            follower = Follower(vault, place, address, take=take, say=lambda line: click.echo(line, err=True))
            following = asyncio.ensure_future(follower.run(ready=(place.path / READY).touch))
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, following.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await following

    asyncio.run(run())


def taken(
    project: Project, state: StateDir, vault: Vault, address: PostgresAddress, *, keep: int | None = None
) -> tuple[Backup, list[str]]:
    """Take a backup of the app whose database answers at `address`; return it and what was let go for it."""
    import asyncio

    from shipworthy.cli.stack import DATABASE
    from shipworthy.kernel.db.inventory import table_rows
    from shipworthy.local.backup.take import take_backup

    rows = asyncio.run(table_rows(address.url(DATABASE)))
    kept = keep or project.settings.backup.keep
    return take_backup(vault, state, address, rows=rows, files_url=project.settings.files.url, keep=kept)


def state_of(project: Project, given: Path | None) -> StateDir:
    from shipworthy.cli.project import STATE_FOLDER
    from shipworthy.local.statedir import StateDir

    return StateDir((given or project.home / STATE_FOLDER).absolute())


def vault_of(project: Project, given: Path | None) -> Vault:
    from shipworthy.local.backup.vault import Vault
    from shipworthy.local.statedir import BACKUPS_DIR_NAME

    return Vault(given or project.home / (project.settings.backup.folder or BACKUPS_DIR_NAME))


def _require_embedded(project: Project) -> None:
    if project.settings.db.provider == "url":
        raise click.UsageError(
            'db.provider is "url": whoever runs that database backs it up (base backups with point-in-time '
            "recovery). `shipworthy backup` is for the embedded one"
        )


def _facts(vault: Vault, backup: Backup) -> dict[str, object]:
    from datetime import UTC, datetime

    parts = sum(path.stat().st_size for path in vault.place(backup).iterdir())
    wal = [path.stat().st_mtime for path in vault.wal(backup.line).glob("*")]
    until = datetime.fromtimestamp(max(wal), UTC).isoformat(timespec="seconds") if wal else None
    return {
        "name": backup.name,
        "ended_at": backup.ended_at,
        "bytes": parts + sum(stored.size_bytes for stored in backup.files.values()),
        "files": len(backup.files),
        "rows": sum(backup.rows.values()),
        "followed_until": until,
    }


def _size(size_bytes: object) -> str:
    assert isinstance(size_bytes, int)
    return f"{size_bytes / 1e6:.1f} MB"
