"""Closing everything that is open of an account: sessions, programs, trusted browsers, links under way."""

from __future__ import annotations

import uuid

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.programs.pairs import end_all_programs

LINKS = ("reset", "address_change")  # those that would change how the account is opened
_NOBODY = uuid.UUID(int=0)


async def shut(ctx: Ctx, tx: Tx, user_id: uuid.UUID, *, links: tuple[str, ...] = LINKS) -> None:
    """Close it all, in the transaction of what it is closed for. Cost: four statements."""
    await tx.run(q.token_close, user_id=user_id, purposes=list(links), now=ctx.now())
    await tx.run(q.device_forget_others, user_id=user_id, keep=_NOBODY)
    await end_all_programs(tx, user_id, now=ctx.now())
    await ctx.runtime.sessions.revoke_others(user_id, keep=None, tx=tx)
