"""`shipworthy tenant usage` and `limit`: what tenants use, and what they are given."""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from shipworthy.cli.options import HOME
from shipworthy.cli.reached import STATE, installation_reached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipworthy.kernel.quotas.limits import Usage


@click.command("usage")
@click.argument("tenant", type=click.UUID, required=False)
@STATE
@HOME
@click.option(
    "--check", "is_check", is_flag=True, help="Only say which budgets do not add up; exit code 1 if any."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def usage(
    tenant: uuid.UUID | None, state: Path | None, home: Path | None, is_check: bool, as_json: bool
) -> None:
    """Show what each tenant used of what it was given this month, or one of them.

    \b
    Example:  shipworthy tenant usage
              shipworthy tenant usage 0190c0de-… --json
              shipworthy tenant usage --check
    """
    from shipworthy.cli.project import load_project
    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.quotas.limits import usage_of

    with installation_reached(home, state) as (url, _):
        if is_check:
            _check(url)
        settings = load_project(home).settings.quotas
        found = asyncio.run(usage_of(url, settings, now=utc_now(), tenant_id=tenant))
    if tenant and not found:
        raise click.UsageError(f"there is no tenant {tenant}. See: shipworthy tenant list")
    if as_json:
        click.echo(_as_json(found))
    else:
        _show(found)


@click.command("limit")
@click.argument("tenant", type=click.UUID)
@click.argument("meter")
@click.argument("amount")
@STATE
@HOME
def limit(tenant: uuid.UUID, meter: str, amount: str, state: Path | None, home: Path | None) -> None:
    """Give a tenant AMOUNT of METER (pdf_ms, storage_bytes, crawl_bytes, mails).

    AMOUNT is a number with its unit (90min, 5GB, 1000), "none" for no limit, or "default" for what [quotas] of app.toml
    gives everybody. What waited for it goes on within seconds; the tenant's audit trail has it.

    \b
    Example:  shipworthy tenant limit 0190c0de-… pdf_ms 90min
              shipworthy tenant limit 0190c0de-… storage_bytes 20GB
              shipworthy tenant limit 0190c0de-… mails default
    """
    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.quotas.limits import read_amount, set_limit
    from shipworthy.kernel.quotas.meters import METERS
    from shipworthy.kernel.quotas.words import amount_text

    if meter not in METERS:
        raise click.UsageError(f"there is no meter {meter!r}. Meters: {', '.join(METERS)}")
    most: int | None = None
    if amount not in ("none", "default"):
        try:
            most = read_amount(METERS[meter], amount)
        except ValueError as wrong:
            raise click.UsageError(str(wrong)) from None
    is_default = amount == "default"
    with installation_reached(home, state) as (url, _):
        given = set_limit(url, tenant, METERS[meter], most, is_default=is_default, now=utc_now())
        if not asyncio.run(given):
            raise click.UsageError(f"there is no tenant {tenant}. See: shipworthy tenant list")
    said = (
        "what everybody has"
        if is_default
        else "as much as it wants"
        if most is None
        else amount_text(METERS[meter], most)
    )
    click.echo(f"{tenant}: {meter} is {said}")


def _check(url: str) -> NoReturn:
    from shipworthy.contract.verdict import ExitCode
    from shipworthy.kernel.quotas.limits import drifts_of

    drifts = asyncio.run(drifts_of(url))
    for drift in drifts:
        click.echo(
            f"{drift.tenant_id} {drift.meter} {drift.period}: used {drift.used}, events say {drift.counted}; "
            f"reserved {drift.reserved}, holds say {drift.held}"
        )
    if not drifts:
        click.echo("every budget says what its events say")
    raise SystemExit(ExitCode.FAIL if drifts else ExitCode.PASS)


def _as_json(found: Sequence[Usage]) -> str:
    import json

    return json.dumps(
        [
            {
                "tenant_id": str(one.tenant_id),
                "tenant": one.tenant,
                "meter": one.meter.name,
                "used": one.used,
                "reserved": one.reserved,
                "most": one.given.most,
                "waiting": one.waiting,
            }
            for one in found
        ],
        indent=1,
    )


def _show(found: Sequence[Usage]) -> None:
    from rich.console import Console
    from rich.table import Table

    from shipworthy.kernel.quotas.words import amount_text

    table = Table(header_style="bold", box=None)
    for column, justify in (("tenant", "left"), ("meter", "left"), ("used", "right"), ("of", "right"), ("%", "right"), ("waiting", "right")):  # fmt: skip
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    before = None
    for one in found:
        most = one.given.most
        share = f"{one.used * 100 // most}" if most else ""
        style = (
            ""
            if not most
            else "red"
            if one.used >= most
            else "yellow"
            if one.used >= (one.given.soft_at or 0)
            else ""
        )
        name = f"{one.tenant}\n[dim]{one.tenant_id}[/dim]" if one.tenant_id != before else ""
        given = amount_text(one.meter, most) if most is not None else "no limit"
        table.add_row(
            name,
            one.meter.name,
            amount_text(one.meter, one.used),
            given,
            share,
            str(one.waiting or ""),
            style=style,
        )
        before = one.tenant_id
    Console(width=None if os.isatty(1) else 120).print(table)
