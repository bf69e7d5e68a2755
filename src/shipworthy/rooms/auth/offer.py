"""Writing to an address that somebody typed: a link to confirm it, or word that it has an account.

Whoever types an address learns nothing about it: the answer, the statements and the job are the
same for an address that is new, taken, unknown or written to too often. Only its mailbox differs.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.auth.addresses import Address
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.throttle import mail_budget, wait_of
from shipworthy.rooms.auth.tokens import digest, mint

MAIL_JOB = "auth.mail"


async def offer(ctx: Ctx, tx: Tx, address: Address, *, pending: dict[str, Any] | None) -> None:
    """Queue the mail that fits: `pending` is what an account would be made of, None when nobody asked.

    Cost:    six statements, whatever the address.
    """
    is_too_often = await wait_of(ctx, tx, mail_budget(ctx, account=address.canonical)) > 0
    user = await tx.maybe(q.user_by_email, email_canon=address.canonical)
    purpose = _purpose(is_too_often=is_too_often, is_taken=user is not None, is_asked=pending is not None)
    token_id = ctx.new_id()
    await tx.run(
        q.token_create,
        token_id=token_id,
        token_sha256=digest(_token(ctx, token_id)),
        purpose=purpose,
        user_id=user["user_id"] if user else None,
        email_raw=user["email_raw"] if user else address.raw,
        email_canon=address.canonical,
        origin=origin_of(ctx),
        pending=pending if purpose == "sign_up" else None,
        now=ctx.now(),
        expires_at=ctx.now() + timedelta(seconds=ctx.runtime.settings.auth.verify_ttl_s),
    )
    await tx.run(q.token_purge, now=ctx.now())
    await enqueue(ctx, MAIL_JOB, token_id, tx=tx)
    await record(ctx, "auth.mail_asked", of="one_time_token", id=token_id, tx=tx)


def origin_of(ctx: Ctx) -> str:
    """Return where this person reaches the console: a host the edge knows, at the installation's port.

    Only where no public port is set, the port is the one of the request.
    """
    http = ctx.runtime.settings.http
    if not http.public_port:
        return f"{http.public_scheme}://{ctx.host}"
    name = ctx.host.rpartition(":")[0] or ctx.host
    is_default = http.public_port == {"http": 80, "https": 443}[http.public_scheme]
    return f"{http.public_scheme}://{name}" + ("" if is_default else f":{http.public_port}")


def _purpose(*, is_too_often: bool, is_taken: bool, is_asked: bool) -> str:
    if is_too_often:
        return "nothing"
    if is_taken:
        return "account_exists"
    return "sign_up" if is_asked else "nothing"


def _token(ctx: Ctx, token_id: uuid.UUID) -> str:
    return mint(ctx.runtime.signing_key, realm_id=ctx.scope.realm_id, token_id=token_id)
