"""`shipworthy user`: look a person up, shut them out, let them in again, and name who runs the installation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from uuid import UUID

    from shipworthy.kernel.context import Ctx
    from shipworthy.rooms.auth.recovery.closing import Account

Done = TypeVar("Done")
_as_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("user")
def command() -> None:
    """Look after the people of the app in this folder.

    \b
    Example:  shipworthy user disable ada@example.com
              shipworthy user operator add ada@example.com
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


@command.group("operator")
def operator() -> None:
    """Name the people who run this installation: they see its objectives, alerts and traces under /operator.

    Needs SHIPWORTHY_DB_URL_WORKER beside SHIPWORTHY_DB_URL_APP: the app's own role cannot make operators.

    \b
    Example:  shipworthy user operator add ada@example.com
              shipworthy user operator list
    """


@operator.command("add")
@click.argument("email")
def operator_add(email: str) -> None:
    """Make a person an operator; they need not sign in again.

    \b
    Example:  shipworthy user operator add ada@example.com
    """
    is_new, account = _operator(email, is_one=True)
    click.echo(f"{account.email} is an operator" + ("" if is_new else " already"))


@operator.command("remove")
@click.argument("email")
def operator_remove(email: str) -> None:
    """Let a person be an operator no longer, at once.

    \b
    Example:  shipworthy user operator remove ada@example.com
    """
    was_one, account = _operator(email, is_one=False)
    click.echo(f"{account.email} is an operator no longer" if was_one else f"{account.email} was no operator")


@operator.command("list")
@_as_json
def operator_list(as_json: bool) -> None:
    """List the operators, the first at the top.

    \b
    Example:  shipworthy user operator list
    """
    names = _run(_operator_names, role="worker")
    if as_json:
        click.echo(json.dumps([{"user_id": str(user_id), "name": name} for user_id, name in names]))
        return
    for user_id, name in names:
        click.echo(f"{user_id}  {name}")
    if not names:
        click.echo("nobody is an operator yet: shipworthy user operator add EMAIL", err=True)


def _operator(email: str, *, is_one: bool) -> tuple[bool, Account]:
    """Each half as the role that may: the web's looks people up, the worker's makes operators."""
    from shipworthy.kernel.operators import end_operator, make_operator
    from shipworthy.rooms.auth.recovery.closing import find

    account = _run(lambda ctx: find(ctx, email))
    change = make_operator if is_one else end_operator
    return _run(lambda ctx: change(ctx, account.user_id), role="worker"), account


async def _operator_names(ctx: Ctx) -> list[tuple[UUID, str]]:
    from shipworthy.kernel.operators import operators

    ids = await operators(ctx)
    known: dict[UUID, str] = {}
    if ids and ctx.runtime.names:
        async with ctx.begin() as tx:
            known = await ctx.runtime.names(tx, ids)
    return [(user_id, known.get(user_id, "")) for user_id in ids]


def _run(do: Callable[[Ctx], Awaitable[Done]], *, role: str = "app") -> Done:
    """Do it in the app of this folder, as one of its roles, beside whatever runs."""
    from shipworthy.cli.project import current_environment, installation_from, load_project
    from shipworthy.kernel.app import running
    from shipworthy.kernel.context import Ctx, Scope

    project = load_project()
    if project.settings.sessions.store == "memory":
        raise click.UsageError(
            'sessions.store is "memory": nobody outside the web process can end its sessions. '
            'Set sessions.store = "postgres"'
        )
    installation = installation_from(
        current_environment(),
        role=role,
        store=project.settings.sessions.store,
        pooling=project.settings.db.pooling,
    )

    async def run() -> Done:
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
