"""`shipworthy tenant`: the tenants of an installation, and one of them as a file."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipworthy.cli.options import HOME
from shipworthy.cli.reached import STATE, installation_reached
from shipworthy.cli.tenant_usage import limit, usage

if TYPE_CHECKING:
    from shipworthy.kernel.tenant_copy import TenantCopy

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("tenant")
def command() -> None:
    """Look at the tenants of an installation; take one out as a file, put it back; see and limit what they use.

    The database is the one of SHIPWORTHY_DB_URL_ADMIN, or the app's embedded one.

    \b
    Example:  shipworthy tenant list
              shipworthy tenant export 0191f3a2-… --to acme.zip
              shipworthy tenant usage
              shipworthy tenant limit 0191f3a2-… pdf_ms 90min
    """


command.add_command(usage)
command.add_command(limit)


@command.command("list")
@STATE
@HOME
@_JSON
def list_tenants(state: Path | None, home: Path | None, as_json: bool) -> None:
    """List tenants: id, name, when they came.

    \b
    Example:  shipworthy tenant list --json
    """
    from shipworthy.kernel.db.setup import tenants_of

    with installation_reached(home, state) as (url, _):
        found = asyncio.run(tenants_of(url))
    if as_json:
        facts = [{"tenant_id": str(t), "name": name, "created_at": at.isoformat()} for t, name, at in found]
        click.echo(json.dumps(facts))
        return
    for tenant_id, name, created_at in found:
        click.echo(f"{tenant_id}  {created_at:%Y-%m-%d}  {name}")


@command.command("export")
@click.argument("tenant", type=click.UUID)
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The zip file to write.")
@STATE
@HOME
@_JSON
def export(tenant: uuid.UUID, to: Path, state: Path | None, home: Path | None, as_json: bool) -> None:
    """Write everything of one tenant to a file: rows as JSON lines, documents and pictures as they are.

    \b
    Example:  shipworthy tenant export 0191f3a2-… --to acme.zip
    """
    from shipworthy.kernel.tenant_copy import export_tenant

    with installation_reached(home, state) as (url, files):
        made = asyncio.run(export_tenant(url, files, tenant, to.absolute()))
    _tell(made, f"written to {to}", as_json)


@command.command("delete")
@click.argument("tenant", type=click.UUID)
@click.option(
    "--to", type=click.Path(path_type=Path), required=True, help="The zip file that keeps what is deleted."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@STATE
@HOME
@_JSON
def delete(
    tenant: uuid.UUID, to: Path, yes: bool, state: Path | None, home: Path | None, as_json: bool
) -> None:
    """Export one tenant and delete it here: rows, audit trail, documents, sessions. People stay: they are the realm's.

    \b
    Example:  shipworthy tenant delete 0191f3a2-… --to acme-deleted.zip
    """
    from shipworthy.kernel.tenant_copy import export_tenant

    if not yes:
        click.confirm(f"This deletes tenant {tenant} with everything of it. Go on?", abort=True)
    with installation_reached(home, state) as (url, files):
        made = asyncio.run(export_tenant(url, files, tenant, to.absolute(), delete=True))
    _tell(made, f"deleted; {to} keeps it", as_json)


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@STATE
@HOME
@_JSON
def bring_in(file: Path, state: Path | None, home: Path | None, as_json: bool) -> None:
    """Put a tenant's file back: into the same database after a delete, or into a restored one.

    \b
    Example:  shipworthy tenant import acme.zip
    """
    from shipworthy.kernel.tenant_copy import import_tenant

    with installation_reached(home, state) as (url, files):
        made = asyncio.run(import_tenant(url, files, file))
    _tell(made, "imported", as_json)


def _tell(made: TenantCopy, what: str, as_json: bool) -> None:
    rows = sum(made.rows.values())
    if as_json:
        click.echo(json.dumps({"tenant_id": str(made.tenant_id), "rows": rows, "files": made.files}))
        return
    click.echo(f"{made.name}: {rows} rows, {made.files} files {what}")
