"""Shutting somebody out and letting them in again: what an administrator does from the command line."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.addresses import read_address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.recovery.shut import shut


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person as an administrator sees them."""

    user_id: uuid.UUID
    email: str
    name: str
    status: str
    leaves_at: datetime | None
    has_password: bool
    providers: tuple[str, ...]


async def find(ctx: Ctx, email: str) -> Account:
    """Return who has this address. Errors: Missing."""
    address = read_address(email)
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        row = await tx.maybe(q.reset_account, email_canon=address.canonical if address else "")
    if row is None:
        raise Missing(f"account with the address {email}")
    return _account(row)


async def set_status(ctx: Ctx, email: str, status: Literal["active", "disabled"]) -> Account:
    """Shut a person out, ending all that is signed in as them at once, or let them in again.

    Doing it twice is doing it once. Errors: Missing, Conflict `auth.account_leaving`.
    """
    account = await find(ctx, email)
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        if await tx.maybe(q.user_set_status, user_id=account.user_id, status=status) is None:
            raise Conflict(
                "auth.account_leaving",
                _(
                    "{email} was deleted by its owner and will be erased. It is shut already, and only the link in their mail takes that back.",
                    email=account.email,
                ),
            )
        if status == "disabled":
            await shut(ctx, tx, account.user_id)
        action = "auth.account_disabled" if status == "disabled" else "auth.account_enabled"
        await record(ctx, action, of="user", id=account.user_id, tx=tx)
    return await find(ctx, email)


def _account(row: Record) -> Account:
    return Account(
        user_id=row["user_id"],
        email=row["email_raw"],
        name=row["name"],
        status=row["status"],
        leaves_at=row["leaves_at"],
        has_password=row["has_password"],
        providers=tuple(row["providers"]),
    )
