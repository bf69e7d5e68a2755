"""A person's own account: their sessions, name and password."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.hashing import pool_of
from shipworthy.rooms.auth.names import PERSON_CHARS_MAX, read_name
from shipworthy.rooms.auth.passwords import normalised, password_problem
from shipworthy.rooms.auth.programs.pairs import end_all_programs
from shipworthy.rooms.auth.renewal import renew
from shipworthy.rooms.auth.throttle import give_back, password_budget, reserve
from shipworthy.rooms.auth.verify import is_right


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A running session as its owner sees it."""

    session_id: uuid.UUID
    device_id: uuid.UUID
    device_name: str
    last_seen_at: datetime
    is_current: bool


async def open_sessions(ctx: Ctx) -> list[OpenSession]:
    """Return the person's running sessions, this one first, then the last used."""
    sessions = [
        OpenSession(
            session_id=device.session_id,
            device_id=device.device_id,
            device_name=device.device_name,
            last_seen_at=device.last_seen_at,
            is_current=device.session_id == ctx.user.session_id,
        )
        for device in await ctx.runtime.sessions.devices(ctx.user.user_id)
    ]
    return sorted(sessions, key=lambda s: not s.is_current)


async def rename(ctx: Ctx, name: str) -> None:
    """Change the person's name, here and in all their sessions. Errors: Invalid `auth.name_invalid`."""
    new = read_name(name, chars_max=PERSON_CHARS_MAX)
    if new is None:
        problem = _("Enter your name, at most {count} characters.", count=PERSON_CHARS_MAX)
        raise Invalid("auth.name_invalid", _("This is no name."), fields={"name": problem})
    async with ctx.begin() as tx:
        await tx.run(q.user_rename, user_id=ctx.user.user_id, name=new)
        await record(ctx, "auth.renamed", of="user", id=ctx.user.user_id, tx=tx)
    await ctx.runtime.sessions.rename(ctx.user.user_id, name=new)


async def change_password(ctx: Ctx, *, current: str, new: str) -> str:
    """Set another password, end the person's other sessions, and return the cookie of this one, renewed.

    Errors:  Invalid `auth.password_invalid` (field `new`) or `auth.password_wrong` (field `current`),
             TooMany `auth.throttled`, Busy `auth.busy`.
    """
    _check_new(ctx, new)
    await _check_current(ctx, current)
    password_hash = await pool_of(ctx.runtime).hash(normalised(new))
    keep = await current_device(ctx)
    async with ctx.begin() as tx:
        user_id = ctx.user.user_id
        await tx.run(q.credential_replace, user_id=user_id, password_hash=password_hash, now=ctx.now())
        await tx.run(q.device_forget_others, user_id=user_id, keep=keep)
        await end_all_programs(tx, user_id, now=ctx.now())
        await tx.run(q.token_close, user_id=user_id, purposes=["reset"], now=ctx.now())
        await record(ctx, "auth.password_changed", of="user", id=user_id, tx=tx)
        await ctx.runtime.sessions.revoke_others(user_id, keep=ctx.user.session_id, tx=tx)
        return await renew(ctx, tx)


async def sign_out(ctx: Ctx) -> None:
    """End this session. The browser stays known: its owner may come back to it."""
    async with ctx.begin() as tx:
        await record(ctx, "auth.signed_out", of="session", id=ctx.user.session_id, tx=tx)
    await ctx.runtime.sessions.revoke(ctx.user.session_id)


async def end_session(ctx: Ctx, session_id: uuid.UUID) -> None:
    """End one of the person's own sessions and stop trusting its browser. Errors: Missing."""
    ended = next((s for s in await open_sessions(ctx) if s.session_id == session_id), None)
    if ended is None:
        raise Missing("session")
    async with ctx.begin() as tx:
        await tx.run(q.device_forget, device_id=ended.device_id, user_id=ctx.user.user_id)
        await record(ctx, "auth.session_ended", of="session", id=session_id, tx=tx)
    await ctx.runtime.sessions.revoke(session_id)


async def end_other_sessions(ctx: Ctx) -> None:
    """End all of the person's sessions but this one, and trust only this browser."""
    keep = await current_device(ctx)
    async with ctx.begin() as tx:
        await tx.run(q.device_forget_others, user_id=ctx.user.user_id, keep=keep)
        await record(ctx, "auth.other_sessions_ended", of="user", id=ctx.user.user_id, tx=tx)
    await ctx.runtime.sessions.revoke_others(ctx.user.user_id, keep=ctx.user.session_id)


def _check_new(ctx: Ctx, new: str) -> None:
    person = ctx.user
    problem = password_problem(
        new,
        chars_min=ctx.runtime.settings.auth.password_chars_min,
        known_words=(person.name, person.email, person.tenant_name, ctx.runtime.settings.app.name),
    )
    if problem:
        raise Invalid("auth.password_invalid", _("The new password will not do."), fields={"new": problem})


async def _check_current(ctx: Ctx, current: str) -> None:
    """Errors: Invalid `auth.password_wrong`. A stolen session gets as few tries as a sign-in."""
    budget = password_budget(ctx)
    async with ctx.begin() as tx:
        await reserve(ctx, tx, budget)
        row = await tx.maybe(q.credential_get, user_id=ctx.user.user_id)
    if not await is_right(ctx, current, stored=row["password_hash"] if row else None, budget=budget):
        problem = _("This is not your current password.")
        raise Invalid(
            "auth.password_wrong", _("The current password is not right."), fields={"current": problem}
        )
    async with ctx.begin() as tx:
        await give_back(tx, budget)


async def current_device(ctx: Ctx) -> uuid.UUID:
    """Return the browser this session runs in; an id nothing has when the session has just ended."""
    current = (s.device_id for s in await open_sessions(ctx) if s.is_current)
    return next(current, uuid.UUID(int=0))
