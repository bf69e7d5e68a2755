"""A person's authenticator app: set up with a code it has shown, used once a code, taken away."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import Conflict, Missing
from shipworthy.kernel.language import _
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.factors.sealing import seal, unseal
from shipworthy.rooms.auth.factors.totp import SECRET_BYTES, address, readable, step_of

SETUP_S = 3600  # a secret nobody confirmed so long is not shown again


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What the page shows of a secret that waits for its first code."""

    address: str
    secret: str


async def begin(ctx: Ctx, tx: Tx) -> None:
    """Let a new secret wait. Errors: Conflict `auth.totp_present`."""
    sealed = seal(
        ctx.runtime.signing_key,
        secrets.token_bytes(SECRET_BYTES),
        realm_id=ctx.scope.realm_id,
        user_id=ctx.user.user_id,
    )
    if await tx.maybe(q.totp_begin, user_id=ctx.user.user_id, sealed=sealed, now=ctx.now()) is None:
        raise Conflict("auth.totp_present", _("An authenticator app is set up already. Remove it first."))


async def setup(ctx: Ctx, tx: Tx) -> Setup:
    """Return the secret that waits. Errors: Missing."""
    row = await tx.maybe(q.totp_get, user_id=ctx.user.user_id)
    is_waiting = row is not None and row["confirmed_at"] is None
    if row is None or not is_waiting or ctx.now() - row["created_at"] > timedelta(seconds=SETUP_S):
        raise Missing("authenticator app being set up")
    secret = _secret(ctx, ctx.user.user_id, row["sealed"])
    if secret is None:
        raise Missing("authenticator app being set up")
    return Setup(
        address=address(secret, issuer=ctx.runtime.settings.app.name, account=ctx.user.email),
        secret=readable(secret),
    )


async def use_code(ctx: Ctx, tx: Tx, user_id: uuid.UUID, code: str, *, is_setup: bool = False) -> bool:
    """Use a code up; of many at once one is told so. With `is_setup` it confirms the secret that waits.

    Cost:    two statements; the caller has counted the try.
    """
    row = await tx.maybe(q.totp_get, user_id=user_id)
    if row is None or (row["confirmed_at"] is None) is not is_setup:
        return False
    secret = _secret(ctx, user_id, row["sealed"])
    step = step_of(secret, code, now=ctx.now()) if secret is not None else None
    if step is None:
        return False
    used = await tx.maybe(q.totp_use, user_id=user_id, sealed=row["sealed"], step=step, now=ctx.now())
    return used is not None


def _secret(ctx: Ctx, user_id: uuid.UUID, sealed: bytes) -> bytes | None:
    secret = unseal(ctx.runtime.signing_key, sealed, realm_id=ctx.scope.realm_id, user_id=user_id)
    if secret is None:
        log.error("a sealed secret does not open", extra={"user_id": str(user_id), "trace_id": ctx.trace_id})
    return secret
