"""Operators: the people who run an installation. They belong to the realm, whatever organisations they act for.

A tenant's owner is none, and an operator sees no tenant's data for being one: only how the installation does.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Tx

q = load_queries(Path(__file__).parent / "queries.sql", room="kernel")


async def make_operator(ctx: Ctx, user_id: uuid.UUID) -> bool:
    """Make somebody an operator, in their running sessions, too; False where they are one already.

    Needs the worker's role: no route can do this.
    """
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        if await tx.maybe(q.operator_add, user_id=user_id, now=ctx.now()) is None:
            return False
        await ctx.runtime.sessions.set_operator(user_id, is_operator=True, tx=tx)
        await record(ctx, "operator.added", of="user", id=user_id, tx=tx)
    return True


async def end_operator(ctx: Ctx, user_id: uuid.UUID) -> bool:
    """Let somebody be an operator no longer, at once; False where they were none. Needs the worker's role."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        if await tx.maybe(q.operator_remove, user_id=user_id) is None:
            return False
        await ctx.runtime.sessions.set_operator(user_id, is_operator=False, tx=tx)
        await record(ctx, "operator.removed", of="user", id=user_id, tx=tx)
    return True


async def forget_operator(tx: Tx, user_id: uuid.UUID) -> None:
    """Forget that somebody was an operator, as they are erased."""
    await tx.run(q.operator_remove, user_id=user_id)


async def operators(ctx: Ctx) -> Sequence[uuid.UUID]:
    """Return who is one, the first at the top."""
    async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
        return [row["user_id"] for row in await tx.all(q.operator_list)]
