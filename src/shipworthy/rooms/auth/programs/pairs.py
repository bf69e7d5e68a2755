"""Pairs of tokens: given to somebody signed in, renewed by compare-and-swap, ended with their family.

One row a program, no row a token. A refresh moves the row's counter on by one. Twenty that meet
with the same token all get the pair that the first one made; a token that comes back after the
grace is in two hands, so the program ends and its owner is told.
Source:  RFC 9700, 4.14.2 (refresh token rotation and replay).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Invalid, Missing, Refusal
from shipworthy.kernel.http.origin import origin_of
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.letters import tell
from shipworthy.rooms.auth.names import read_name
from shipworthy.rooms.auth.programs import access, refresh_token
from shipworthy.rooms.auth.programs.keys import keys_at

NAME_CHARS_MAX = 100
PROGRAMS_MAX = 50  # of one person; more is a program that begins anew instead of refreshing


class GrantRefused(Refusal):
    """A refresh token is not ours, over, ended, or was used before (RFC 6749, 5.2: invalid_grant)."""

    kind = "malformed"

    def __init__(self) -> None:
        super().__init__(
            "auth.grant_invalid",
            _("This refresh token is not valid, or no longer. Sign in again for another one."),
        )
        self.members = {"error": "invalid_grant"}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What a program is given: one token to ask with, one to get the next pair with."""

    access_token: str
    refresh_token: str
    expires_in_s: int


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that acts for a person, as they see it."""

    program_id: uuid.UUID
    name: str
    created_at: datetime
    refreshed_at: datetime


async def issue(ctx: Ctx, name: str) -> Pair:
    """Begin a program for whoever is signed in; return its first pair.

    Errors:  Invalid `auth.name_invalid`, Conflict `auth.programs_full`.
    """
    known_as = read_name(name, chars_max=NAME_CHARS_MAX)
    if known_as is None:
        problem = _("Name the program, in at most {count} characters.", count=NAME_CHARS_MAX)
        raise Invalid("auth.name_invalid", _("This is no name."), fields={"name": problem})
    program_id, now, settings = ctx.new_id(), ctx.now(), ctx.runtime.settings.auth
    async with ctx.begin() as tx:
        begun = await tx.maybe(
            q.program_create,
            program_id=program_id,
            user_id=ctx.user.user_id,
            tenant_id=ctx.user.tenant_id,
            name=known_as,
            now=now,
            idle_expires_at=now + timedelta(seconds=settings.refresh_idle_ttl_s),
            absolute_expires_at=now + timedelta(seconds=settings.refresh_ttl_s),
            programs_max=PROGRAMS_MAX,
        )
        if begun is None:
            raise Conflict(
                "auth.programs_full",
                _("You have {count} programs already. End one of them first.", count=PROGRAMS_MAX),
            )
        await tx.run(q.program_purge, now=now)
        await record(ctx, "auth.program_begun", of="program", id=program_id, tx=tx)
    return _pair(ctx, program_id, counter=0, user_id=ctx.user.user_id, tenant_id=ctx.user.tenant_id)


async def refresh(ctx: Ctx, token: str) -> Pair:
    """Return the next pair.

    Errors:  GrantRefused. One that was used before, and not just now, ends its program.
    Cost:    two statements; one more for whoever comes second.
    """
    said = refresh_token.read(ctx.runtime.signing_key, token, realm_id=ctx.scope.realm_id)
    if said is None:
        raise GrantRefused
    now, settings = ctx.now(), ctx.runtime.settings.auth
    async with ctx.begin(_realm(ctx)) as tx:
        row = await tx.maybe(
            q.program_refresh,
            program_id=said.program_id,
            counter=said.counter,
            now=now,
            idle_expires_at=now + timedelta(seconds=settings.refresh_idle_ttl_s),
        )
        if row is None:
            row = await _second(ctx, tx, said)
        if row is not None:
            await record(ctx, "auth.program_refreshed", of="program", id=said.program_id, tx=tx)
    if row is None:
        raise GrantRefused
    return _pair(
        ctx, said.program_id, counter=said.counter + 1, user_id=row["user_id"], tenant_id=row["tenant_id"]
    )


async def programs_of(ctx: Ctx) -> list[Program]:
    """Return the programs that act for this person, the last used first."""
    async with ctx.begin() as tx:
        rows = await tx.all(q.program_list, user_id=ctx.user.user_id, now=ctx.now())
    return [Program(**dict(row)) for row in rows]


async def end(ctx: Ctx, program_id: uuid.UUID) -> None:
    """End one of the person's own programs, at their wish. Errors: Missing."""
    async with ctx.begin() as tx:
        if not await tx.run(q.program_end, program_id=program_id, user_id=ctx.user.user_id, now=ctx.now()):
            raise Missing("program")
        await record(ctx, "auth.program_ended", of="program", id=program_id, tx=tx)


async def end_all_programs(tx: Tx, user_id: uuid.UUID, *, now: datetime) -> None:
    """End all programs of a person, in the transaction that changes what they were given for."""
    await tx.run(q.program_end_all, user_id=user_id, now=now)


async def give_up(ctx: Ctx, token: str) -> None:
    """End the program that this refresh token belongs to. Any other token ends nothing (RFC 7009, 2.2)."""
    said = refresh_token.read(ctx.runtime.signing_key, token, realm_id=ctx.scope.realm_id)
    async with ctx.begin(_realm(ctx)) as tx:
        ended = said and await tx.maybe(q.program_give_up, program_id=said.program_id, now=ctx.now())
        action = "auth.program_ended" if ended else "auth.program_end_refused"
        await record(ctx, action, of="program", id=said.program_id if said else "unknown", tx=tx)


async def _second(ctx: Ctx, tx: Tx, said: refresh_token.RefreshToken) -> Record | None:
    """Somebody has refreshed with this token before: just now (return whose it is), or too long ago."""
    row = await tx.maybe(q.program_get, program_id=said.program_id, now=ctx.now())
    if row is None or row["counter"] <= said.counter:
        return None
    grace = timedelta(seconds=ctx.runtime.settings.auth.refresh_grace_s)
    if row["counter"] == said.counter + 1 and ctx.now() - row["refreshed_at"] <= grace:
        return row
    ended: dict[str, Any] = {"program_id": said.program_id, "now": ctx.now()}
    if await tx.maybe(q.program_give_up, **ended) is not None:
        await record(
            ctx,
            "auth.program_replayed",
            of="program",
            id=said.program_id,
            detail={"counter": said.counter},
            tx=tx,
        )
        await tell(ctx, tx, "program_replayed", user=row, provider=row["program_name"])
    return None


def _pair(
    ctx: Ctx, program_id: uuid.UUID, *, counter: int, user_id: uuid.UUID, tenant_id: uuid.UUID | None
) -> Pair:
    signing_key, realm_id = ctx.runtime.signing_key, ctx.scope.realm_id
    ttl_s = ctx.runtime.settings.auth.access_ttl_s
    return Pair(
        access_token=access.sign(
            keys_at(signing_key, realm_id=realm_id, now=ctx.now())[0],
            issuer=origin_of(ctx),
            program_id=program_id,
            user_id=user_id,
            tenant_id=tenant_id,
            token_id=ctx.new_id(),
            now=ctx.now(),
            ttl_s=ttl_s,
        ),
        refresh_token=refresh_token.write(
            signing_key, realm_id=realm_id, program_id=program_id, counter=counter
        ),
        expires_in_s=ttl_s,
    )


def _realm(ctx: Ctx) -> Scope:
    return Scope(ctx.scope.realm_id)
