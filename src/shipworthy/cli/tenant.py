"""`shipworthy tenant`: the tenants of an installation."""

from __future__ import annotations

import asyncio
import os

import click


@click.group("tenant")
def command() -> None:
    """Look at the tenants of the database in SHIPWORTHY_DB_URL_ADMIN.

    \b
    Example:  shipworthy tenant list
    """


@command.command("list")
def list_tenants() -> None:
    """List tenants: id, name, when they came."""
    from shipworthy.kernel.db.setup import tenants_of

    url = os.environ.get("SHIPWORTHY_DB_URL_ADMIN")
    if not url:
        raise click.UsageError(
            "SHIPWORTHY_DB_URL_ADMIN is not set: the postgresql:// address of an administrator"
        )
    for tenant_id, name, created_at in asyncio.run(tenants_of(url)):
        click.echo(f"{tenant_id}  {created_at:%Y-%m-%d}  {name}")
