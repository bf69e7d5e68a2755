"""`shipworthy audit`: prove the trail, anchor it, take it out as a file, erase what it keeps of somebody."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipworthy.contract.verdict import ExitCode

if TYPE_CHECKING:
    from shipworthy.cli.project import Project
    from shipworthy.kernel.app import Installation
    from shipworthy.kernel.audit.export import Manifest
    from shipworthy.kernel.audit.keys import AuditKeys
    from shipworthy.kernel.audit.proving import Proven
    from shipworthy.kernel.audit.verify import Anchors, Report
    from shipworthy.kernel.db.tx import Database
    from shipworthy.kernel.files.store import FileStore

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_as_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_tenant = click.option("--tenant", required=True, type=click.UUID, help="The tenant's id.")


@click.group("audit")
def command() -> None:
    """Prove the audit trail, take it out as a file, and sign where it stands.

    \b
    Example:  shipworthy audit verify
              shipworthy audit export --tenant 0191f3a2-… --format csv --out trail/
              shipworthy audit verify --export trail/
    """


@command.command("verify")
@click.option("--tenant", type=click.UUID, default=None, help="Of one tenant only.")
@click.option(
    "--export",
    "place",
    type=click.Path(path_type=Path, exists=True),
    default=None,
    help="Prove an export, a folder or a ZIP file, without any database.",
)
@click.option("--key", "trusted", multiple=True, help="A public key that may have signed it (`audit keys`).")
@_as_json
def verify(tenant: uuid.UUID | None, place: Path | None, trusted: tuple[str, ...], as_json: bool) -> None:
    """Recompute the chains, hold them against the signed anchors, and name the first row that does not hold (exit code 1).

    \b
    Example:  shipworthy audit verify --tenant 0191f3a2-…
              shipworthy audit verify --export trail.zip --key 1yJ0…
    """
    if place is not None:
        _verify_export(place, trusted, as_json=as_json)
        return
    if trusted:
        raise click.UsageError("--key goes with --export; for a database set SHIPWORTHY_AUDIT_TRUSTED")
    anchors, reports = asyncio.run(_verified(tenant))
    is_whole = not anchors.problems and not any(report.broken for _, report in reports)
    if as_json:
        _say_json(
            {
                "holds": is_whole,
                "anchors": anchors.count,
                "problems": anchors.problems,
                "chains": [{"tenant": str(tenant_id), **_facts(report)} for tenant_id, report in reports],
            }
        )
    else:
        _tell(anchors, reports)
    raise SystemExit(ExitCode.PASS if is_whole else ExitCode.FAIL)


@command.command("export")
@_tenant
@click.option("--format", "kind", type=click.Choice(["csv", "jsonl"]), default="jsonl", show_default=True)
@click.option("--from", "from_day", type=_DAY, default=None, help="The first day (UTC).")
@click.option("--to", "to_day", type=_DAY, default=None, help="The last day (UTC).")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A folder.")
def export(
    tenant: uuid.UUID, kind: Any, from_day: datetime | None, to_day: datetime | None, out: Path
) -> None:
    """Write a tenant's sealed rows and a manifest that proves them.

    \b
    Example:  shipworthy audit export --tenant 0191f3a2-… --from 2026-01-01 --to 2026-12-31 --out trail-2026/
    """
    from shipworthy.local.errors import file_errors_explained

    first, last = from_day.date() if from_day else None, to_day.date() if to_day else None
    if first and last and first > last:
        raise click.UsageError(f"--from {first} comes after --to {last}")
    with file_errors_explained(out):
        out.mkdir(parents=True, exist_ok=True)
        manifest = asyncio.run(_exported(tenant, kind, first, last, out))
    vouched = f"; row {manifest.anchor.seq} is anchored" if manifest.anchor else "; not anchored yet"
    click.echo(f"{manifest.rows:,} rows in {out / manifest.file}{vouched}")


@command.command("anchor")
def anchor() -> None:
    """Sign where all chains stand now; workers do it every audit.anchor_period_s by themselves.

    \b
    Example:  shipworthy audit anchor
    """
    number = asyncio.run(_anchored())
    click.echo(f"anchor {number} is in the file store" if number else "no chain grew since the last anchor")


@command.command("keys")
def keys() -> None:
    """Print the public halves of the keys that sign anchors, the one that signs first; give them to whoever proves exports.

    \b
    Example:  shipworthy audit keys
    """
    from shipworthy.kernel.audit.keys import key_id, key_text

    _, installation = _project(role="auditor")
    for public in _keys_of(installation).own:
        click.echo(f"{key_id(public)}  {key_text(public)}")


@command.command("erase")
@_tenant
@click.option(
    "--subject", required=True, help="Whom the values are about: user:ID, or address:NAME@EXAMPLE.COM."
)
def erase(tenant: uuid.UUID, subject: str) -> None:
    """Erase the personal values that a tenant's trail keeps of somebody. The chain holds as before.

    \b
    Example:  shipworthy audit erase --tenant 0191f3a2-… --subject address:ada@example.com
    """
    erased = asyncio.run(_erased(tenant, subject))
    click.echo(f"{erased} values erased" if erased else f"nothing is kept of {subject}")


def _verify_export(place: Path, trusted: tuple[str, ...], *, as_json: bool) -> None:
    from shipworthy.kernel.audit.keys import key_from, key_id
    from shipworthy.kernel.audit.proving import NotAnExport, prove_export

    try:
        public = [key_from(text) for text in trusted]
    except ValueError as wrong:
        raise click.UsageError(f"--key is no public key: {wrong}") from None
    try:
        proven = prove_export(place, trusted={key_id(key): key for key in public})
    except NotAnExport as unreadable:
        raise click.UsageError(str(unreadable)) from None
    if as_json:
        broken = proven.broken
        _say_json(
            {
                "holds": proven.holds,
                "rows": proven.manifest.rows,
                "broken": {"seq": broken.seq, "reason": broken.reason} if broken else None,
                "problems": proven.problems,
                "anchored": proven.anchored,
                "signed_by": proven.signed_by or None,
                "is_key_known": proven.is_key_known,
            }
        )
    else:
        _tell_proven(proven)
    raise SystemExit(ExitCode.PASS if proven.holds else ExitCode.FAIL)


def _tell_proven(proven: Proven) -> None:
    for problem in proven.problems:
        click.echo(f"WRONG: {problem}")
    if proven.broken:
        click.echo(f"BROKEN at row {proven.broken.seq}: {proven.broken.reason}")
    if not proven.holds:
        return
    said = proven.manifest
    click.echo(f"{said.rows:,} rows hold, {said.first_seq} to {said.last_seq} of tenant {said.tenant}")
    if proven.anchored is None:
        click.echo("No anchor vouches for them: that none was written anew is not proven.")
    elif proven.is_key_known:
        click.echo(f"Signed up to row {proven.anchored} by the key {proven.signed_by}, which you trust.")
    else:
        click.echo(
            f"Signed up to row {proven.anchored} by the key {proven.signed_by}; whether that is theirs you know when"
            " you pass their public key: --key"
        )


async def _verified(tenant: uuid.UUID | None) -> tuple[Anchors, list[tuple[uuid.UUID, Report]]]:
    from shipworthy.kernel.audit.verify import read_anchors, tenants_in, verify_chain
    from shipworthy.kernel.context import Scope

    async with _opened(role="auditor") as (installation, database, files):
        realm_id = installation.realm_id
        anchors = await read_anchors(files, _keys_of(installation), database, realm_id=realm_id)
        tenants = [tenant] if tenant else await tenants_in(database, realm_id, anchors)
        reports = []
        for tenant_id in tenants:
            reports.append(
                (tenant_id, await verify_chain(database, Scope(realm_id, tenant_id), anchors.of(tenant_id)))
            )
        return anchors, reports


def _tell(anchors: Anchors, reports: list[tuple[uuid.UUID, Report]]) -> None:
    for problem in anchors.problems:
        click.echo(f"WRONG: {problem}")
    for tenant_id, report in reports:
        if report.broken:
            click.echo(f"BROKEN {tenant_id} at row {report.broken.seq}: {report.broken.reason}")
    rows = sum(report.sealed for _, report in reports)
    waiting = sum(report.unsealed for _, report in reports)
    anchored = sum(report.anchored for _, report in reports)
    whole = sum(report.broken is None for _, report in reports)
    click.echo(
        f"{whole} of {len(reports)} chains hold: {rows:,} rows, {anchored:,} of them anchored ({anchors.count} anchors);"
        f" {waiting} are not sealed yet"
    )


def _facts(report: Report) -> dict[str, Any]:
    broken = report.broken
    return {
        "sealed": report.sealed,
        "unsealed": report.unsealed,
        "anchored": report.anchored,
        "broken": {"seq": broken.seq, "reason": broken.reason} if broken else None,
    }


async def _exported(
    tenant: uuid.UUID, kind: Any, from_day: date | None, to_day: date | None, out: Path
) -> Manifest:
    from rich.console import Console
    from rich.progress import Progress

    from shipworthy.kernel.audit.export import MANIFEST, Wanted, manifest_text, write_export
    from shipworthy.kernel.context import Scope, utc_now

    async with _opened(role="auditor") as (installation, database, files):
        wanted = Wanted(
            scope=Scope(installation.realm_id, tenant), kind=kind, from_day=from_day, to_day=to_day
        )
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("rows", total=None)

            async def tell(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            with (out / wanted.file).open("wb") as file:
                manifest = await write_export(
                    wanted,
                    file,
                    database=database,
                    files=files,
                    keys=_keys_of(installation),
                    realm_id=installation.realm_id,
                    now=utc_now(),
                    tell=tell,
                )
        (out / MANIFEST).write_bytes(manifest_text(manifest))
        return manifest


async def _anchored() -> int | None:
    from datetime import timedelta

    from shipworthy.kernel.app import running
    from shipworthy.kernel.audit.anchors import anchor_heads

    project, installation = _project(role="worker")
    async with running(project.settings, (), installation, process="worker") as runtime:
        return await anchor_heads(runtime, older_than=timedelta(0))


async def _erased(tenant: uuid.UUID, subject: str) -> int:
    from shipworthy.kernel.app import running
    from shipworthy.kernel.audit.personal import erase_personal
    from shipworthy.kernel.context import Ctx, Scope

    project, installation = _project(role="app")
    async with running(project.settings, (), installation) as runtime:
        ctx = Ctx(scope=Scope(runtime.realm_id, tenant), runtime=runtime, trace_id=uuid.uuid4().hex)
        async with ctx.begin() as tx:
            return await erase_personal(ctx, subject, tx=tx)


@asynccontextmanager
async def _opened(*, role: str) -> AsyncIterator[tuple[Installation, Database, FileStore]]:
    from shipworthy.kernel.db.tx import open_database
    from shipworthy.kernel.files.store import open_files

    project, installation = _project(role=role)
    database = await open_database(
        installation.database_url, connections_max=1, acquire_timeout_s=5, direct_url=installation.direct_url
    )
    try:
        yield (
            installation,
            database,
            open_files(project.settings.files.url, default_folder=installation.state / "files"),
        )
    finally:
        await database.close()


def _project(*, role: str) -> tuple[Project, Installation]:
    from shipworthy.cli.project import current_environment, installation_from, load_project

    project = load_project()
    return project, installation_from(
        current_environment(),
        role=role,
        store=project.settings.sessions.store,
        pooling=project.settings.db.pooling,
    )


def _keys_of(installation: Installation) -> AuditKeys:
    from shipworthy.kernel.audit.keys import AuditKeys

    return AuditKeys(
        installation.audit_keys or (installation.signing_key,), trusted=installation.audit_trusted
    )


def _say_json(facts: dict[str, Any]) -> None:
    import json

    click.echo(json.dumps(facts, indent=2))
