"""Writing to an address that somebody typed: a link to confirm it, or word that it has an account.

Whoever types an address learns nothing about it: the answer, the statements and the job are the
same for an address that is new, taken, unknown or written to too often. Only its mailbox differs.
"""

from __future__ import annotations

from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.rooms.auth.addresses import Address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.letters import write
from shipworthy.rooms.auth.throttle import mail_budget, wait_of


async def offer(ctx: Ctx, tx: Tx, address: Address, *, pending: dict[str, Any] | None) -> None:
    """Queue the mail that fits: `pending` is what an account would be made of, None when nobody asked.

    Cost:    six statements, whatever the address.
    """
    is_too_often = await wait_of(ctx, tx, mail_budget(ctx, account=address.canonical)) > 0
    user = await tx.maybe(q.user_by_email, email_canon=address.canonical)
    purpose = _purpose(is_too_often=is_too_often, is_taken=user is not None, is_asked=pending is not None)
    letter = await write(
        ctx,
        tx,
        purpose,
        to=Address(user["email_raw"], address.canonical) if user else address,
        ttl_s=ctx.runtime.settings.auth.verify_ttl_s,
        user_id=user["user_id"] if user else None,
        pending=pending if purpose == "sign_up" else None,
    )
    await tx.run(q.token_purge, now=ctx.now())
    await record(ctx, "auth.mail_asked", of="one_time_token", id=letter.token_id, tx=tx)


def _purpose(*, is_too_often: bool, is_taken: bool, is_asked: bool) -> str:
    if is_too_often:
        return "nothing"
    if is_taken:
        return "account_exists"
    return "sign_up" if is_asked else "nothing"
