"""The people of an organisation: who they are, what they may do, and their going.

Every change holds the organisation's row, so that of twenty at once each sees what the one before
left: an organisation never loses its last owner.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.errors import Conflict, Forbidden, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.orgs.roles import Role

MEMBERS_PER_PAGE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9a-f]{32})")


@dataclass(frozen=True, kw_only=True)
class Member:
    user_id: uuid.UUID
    name: str
    email: str
    role: str
    joined_at: datetime


async def list_members(ctx: Ctx, *, after: str = "") -> tuple[Sequence[Member], str]:
    """Return a page of members, who joined first at the top, and where the next page begins ("" at the end).

    A place that is none of ours is the beginning. Cost: one query.
    """
    at, user_id = _place(after)
    async with ctx.begin() as tx:
        rows = await tx.all(q.member_list, after_at=at, after_id=user_id)
    page = [Member(**dict(row)) for row in rows[:MEMBERS_PER_PAGE]]
    return page, _after(page[-1]) if len(rows) > MEMBERS_PER_PAGE else ""


async def member_of(ctx: Ctx, user_id: uuid.UUID) -> Member:
    """Return one member. Errors: Missing."""
    async with ctx.begin() as tx:
        row = await tx.maybe(q.member_get, user_id=user_id)
    if row is None:
        raise Missing("member")
    return Member(**dict(row))


async def names_of(tx: Tx, user_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return what people are called, by their ids; whoever has no account any longer is left out."""
    rows = await tx.all(q.person_names, user_ids=list(user_ids))
    return {row["user_id"]: row["name"] for row in rows}


async def owners_of(tx: Tx) -> list[tuple[str, str]]:
    """Return address and language of each owner of the tenant the transaction is scoped to."""
    return [(row["email"], row["language"]) for row in await tx.all(q.owner_list)]


async def change_role(ctx: Ctx, user_id: uuid.UUID, role: Role) -> None:
    """Give a member another role; their running sessions have it within the look-up's few seconds.

    Errors:  Missing, Conflict `auth.last_owner`, Forbidden `auth.owners_only`.
    """
    async with ctx.begin() as tx:
        member = await _held(ctx, tx, user_id, by_owner=True)
        if member["role"] == "owner" and role != "owner":
            _refuse_last(member)
        await tx.run(q.member_change, user_id=user_id, role=role)
        await ctx.runtime.sessions.change_role(user_id, tenant_id=ctx.tenant_id, role=role, tx=tx)
        detail = {"from": member["role"], "to": role}
        await record(ctx, "auth.member_role_changed", of="user", id=user_id, detail=detail, tx=tx)


async def remove(ctx: Ctx, user_id: uuid.UUID) -> None:
    """Remove a member: their sessions act for this organisation no longer, and their programs end.

    Errors:  Missing, Conflict `auth.last_owner`, Forbidden `auth.owners_only`.
    """
    async with ctx.begin() as tx:
        _refuse_last(await _held(ctx, tx, user_id, by_owner=True))
        await _part(ctx, tx, user_id)
        await record(ctx, "auth.member_removed", of="user", id=user_id, tx=tx)


async def leave(ctx: Ctx) -> None:
    """Leave the organisation this session acts for. Errors: Missing, Conflict `auth.last_owner`."""
    async with ctx.begin() as tx:
        _refuse_last(await _held(ctx, tx, ctx.user.user_id, by_owner=False))
        await _part(ctx, tx, ctx.user.user_id)
        await record(ctx, "auth.member_left", of="user", id=ctx.user.user_id, tx=tx)


async def _held(ctx: Ctx, tx: Tx, user_id: uuid.UUID, *, by_owner: bool) -> Record:
    """Hold the organisation's people and return how one of them stands.

    The session may be a few seconds behind, so whoever acts is looked at again.
    Errors:  Missing, Forbidden `auth.owners_only`.
    """
    await tx.one(q.organisation_lock)
    standing = await tx.one(q.member_standing, user_id=user_id, actor_id=ctx.user.user_id)
    if by_owner and standing["actor_role"] != "owner":
        raise Forbidden("auth.owners_only", _("Only an owner may do this, and you are none any longer."))
    if standing["role"] is None:
        raise Missing("member")
    return standing


def _refuse_last(member: Record) -> None:
    if member["role"] == "owner" and not member["has_other_owner"]:
        raise Conflict("auth.last_owner", _("This is the only owner. Make somebody else an owner first."))


async def _part(ctx: Ctx, tx: Tx, user_id: uuid.UUID) -> None:
    """In the transaction of the going, so that nobody is half gone. The membership first: see `step_in`."""
    await tx.run(q.member_remove, user_id=user_id)
    await tx.run(q.program_end_of_member, user_id=user_id, now=ctx.now())
    await ctx.runtime.sessions.change_role(user_id, tenant_id=ctx.tenant_id, role=None, tx=tx)


def _after(member: Member) -> str:
    return f"{(member.joined_at - _EPOCH) // timedelta(microseconds=1)}.{member.user_id.hex}"


def _place(after: str) -> tuple[datetime, uuid.UUID]:
    shape = _CURSOR.fullmatch(after)
    if shape is None:
        return _EPOCH, uuid.UUID(int=0)
    try:
        return _EPOCH + timedelta(microseconds=int(shape[1])), uuid.UUID(hex=shape[2])
    except OverflowError:
        return _EPOCH, uuid.UUID(int=0)
