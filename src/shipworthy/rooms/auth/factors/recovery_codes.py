"""Recovery codes: ten, shown once, each good once, for the day the phone or the key is lost."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import uuid

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.rooms.auth.catalogue import q

CODES = 10
_BYTES = 10  # 80 random bits: a plain SHA-256 hides them
_SHAPE = re.compile(r"[A-Z2-7]{16}")


async def replace_codes(ctx: Ctx, tx: Tx) -> list[str]:
    """Give the person new codes and return them, for the only time; the ones before are dead."""
    codes = [_new_code() for _ in range(CODES)]
    await tx.run(
        q.recovery_replace,
        user_id=ctx.user.user_id,
        codes_sha256=[_digest(ctx.user.user_id, _plain(code)) for code in codes],
        now=ctx.now(),
    )
    return codes


async def use_recovery_code(tx: Tx, user_id: uuid.UUID, code: str) -> bool:
    """Use a code up. Spaces, hyphens and case do not matter."""
    plain = _plain(code)
    if not _SHAPE.fullmatch(plain):
        return False
    used = await tx.maybe(q.recovery_use, user_id=user_id, code_sha256=_digest(user_id, plain))
    return used is not None


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).upper()


def _digest(user_id: uuid.UUID, plain: str) -> bytes:
    return hashlib.sha256(b"shipworthy/auth/recovery/1\x00" + user_id.bytes + plain.encode()).digest()
