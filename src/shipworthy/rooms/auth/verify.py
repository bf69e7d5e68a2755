"""Judging a password that has been counted as a try."""

from __future__ import annotations

from shipworthy.kernel.context import Ctx, Scope
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.telemetry.spans import span
from shipworthy.rooms.auth.hashing import Ticket, pool_of
from shipworthy.rooms.auth.passwords import normalised
from shipworthy.rooms.auth.throttle import Budget, give_back


async def is_right(
    ctx: Ctx, password: str, *, stored: str | None, budget: Budget, ticket: Ticket | None = None
) -> bool:
    """Return whether the password made `stored`; without one it takes as long, and is wrong.

    Call it while no transaction is open. Errors: Busy `auth.busy`; the try is taken back, since it
    was not judged.
    """
    pool = pool_of(ctx.runtime)
    try:
        with span("auth.password"):
            return await pool.verify(normalised(password), stored=stored or pool.decoy, ticket=ticket)
    except Busy:
        async with ctx.begin(Scope(ctx.scope.realm_id)) as tx:
            await give_back(tx, budget)
        raise
