"""`shipworthy audit`: verify a tenant's chain."""

from __future__ import annotations

import asyncio
import uuid

import click

from shipworthy.contract.verdict import ExitCode


@click.group("audit")
def command() -> None:
    """Verify the audit trail.

    \b
    Example:  shipworthy audit verify --tenant 0191f3a2-…
    """


@command.command("verify")
@click.option("--tenant", required=True, type=click.UUID, help="The tenant's id.")
def verify(tenant: uuid.UUID) -> None:
    """Recompute the chain and name the first row that does not hold (exit code 1)."""
    from shipworthy.cli.project import current_environment, installation_from, load_project
    from shipworthy.kernel.audit.verify import verify_tenant

    installation = installation_from(
        current_environment(), role="app", pooling=load_project().settings.db.pooling
    )
    report = asyncio.run(verify_tenant(installation, tenant))
    if report.broken:
        click.echo(f"BROKEN at row {report.broken.seq}: {report.broken.reason}")
        raise SystemExit(ExitCode.FAIL)
    click.echo(f"{report.sealed} rows hold; {report.unsealed} are not sealed yet")
