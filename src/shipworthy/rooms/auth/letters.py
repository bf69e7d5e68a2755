"""Writing to people: a row that says what and to whom, and a job that sends it.

The row and the job are in the caller's transaction: what was rolled back is not told. The token of
a letter's link is returned and kept nowhere (see tokens.py).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record, Tx
from shipworthy.kernel.http.origin import origin_of
from shipworthy.kernel.language import spoken
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.auth.addresses import Address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.tokens import digest, mint

MAIL_JOB = "auth.mail"


@dataclass(frozen=True)
class Letter:
    """A letter under way: its id, and the token of its link."""

    token_id: uuid.UUID
    token: str


async def write(
    ctx: Ctx,
    tx: Tx,
    purpose: str,
    *,
    to: Address,
    ttl_s: int,
    user_id: uuid.UUID | None = None,
    pending: dict[str, Any] | None = None,
) -> Letter:
    """Queue the letter of this purpose; `nothing` makes the same row and job and sends none.

    `pending` is what the link is good for, and what the letter says. Cost: two statements.
    """
    token_id = ctx.new_id()
    letter = Letter(token_id, mint(ctx.runtime.signing_key, realm_id=ctx.scope.realm_id, token_id=token_id))
    await tx.run(
        q.token_create,
        token_id=token_id,
        token_sha256=digest(letter.token),
        purpose=purpose,
        user_id=user_id,
        email_raw=to.raw,
        email_canon=to.canonical,
        origin=origin_of(ctx),
        language=spoken(),
        pending=pending,
        now=ctx.now(),
        expires_at=ctx.now() + timedelta(seconds=ttl_s),
    )
    await enqueue(ctx, MAIL_JOB, token_id, tx=tx)
    return letter


async def tell(ctx: Ctx, tx: Tx, purpose: str, *, user: Record, **words: object) -> None:
    """Queue word of a change to the person it concerns. `user` has user_id, email_raw, email_canon, name."""
    await write(
        ctx,
        tx,
        purpose,
        to=Address(user["email_raw"], user["email_canon"]),
        ttl_s=ctx.runtime.settings.auth.verify_ttl_s,
        user_id=user["user_id"],
        pending={"name": user["name"], **words},
    )
