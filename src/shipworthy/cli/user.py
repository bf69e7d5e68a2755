"""`shipworthy user`: look a person up, shut them out, let them in again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from shipworthy.kernel.context import Ctx
    from shipworthy.rooms.auth.recovery.closing import Account

_as_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("user")
def command() -> None:
    """Look after the people of the app in this folder.

    \b
    Example:  shipworthy user disable ada@example.com
    """


@command.command("show")
@click.argument("email")
@_as_json
def show(email: str, as_json: bool) -> None:
    """Print whose account it is, whether it is open, and how it is signed in to."""
    from shipworthy.rooms.auth.recovery.closing import find

    _tell(_run(lambda ctx: find(ctx, email)), as_json=as_json)


@command.command("disable")
@click.argument("email")
@_as_json
def disable(email: str, as_json: bool) -> None:
    """Shut a person out and end all that is signed in as them."""
    from shipworthy.rooms.auth.recovery.closing import set_status

    _tell(_run(lambda ctx: set_status(ctx, email, "disabled")), as_json=as_json)


@command.command("enable")
@click.argument("email")
@_as_json
def enable(email: str, as_json: bool) -> None:
    """Let a person in again; they sign in as before."""
    from shipworthy.rooms.auth.recovery.closing import set_status

    _tell(_run(lambda ctx: set_status(ctx, email, "active")), as_json=as_json)


def _run(do: Callable[[Ctx], Awaitable[Account]]) -> Account:
    """Do it in the app of this folder, as its app role, beside whatever runs."""
    from shipworthy.cli.project import current_environment, installation_from, load_project
    from shipworthy.kernel.app import running
    from shipworthy.kernel.context import Ctx, Scope

    project = load_project()
    if project.settings.sessions.store == "memory":
        raise click.UsageError(
            'sessions.store is "memory": nobody outside the web process can end its sessions. '
            'Set sessions.store = "postgres"'
        )
    installation = installation_from(current_environment(), role="app", pooling=project.settings.db.pooling)

    async def run() -> Account:
        async with running(project.settings, project.rooms, installation) as runtime:
            return await do(Ctx(scope=Scope(runtime.realm_id), runtime=runtime, trace_id=_trace_id()))

    return asyncio.run(run())


def _trace_id() -> str:
    import uuid

    return uuid.uuid4().hex


def _tell(account: Account, *, as_json: bool) -> None:
    facts: dict[str, Any] = asdict(account)
    if as_json:
        click.echo(json.dumps(facts, indent=2, default=str))
        return
    ways = [*(["password"] if account.has_password else []), *account.providers]
    shown = partial(click.style, bold=True)
    click.echo(f"{shown(account.email)}  {account.name}  {account.user_id}")
    until = f", erased after {account.leaves_at:%Y-%m-%d %H:%M} UTC" if account.leaves_at else ""
    click.echo(f"  status   {account.status}{until}")
    click.echo(f"  sign-in  {', '.join(ways) or 'none'}")
