"""Twice is once: the key is taken, and the answer kept, in the transaction of the effect.

A second request with the same key waits for the first one's commit on the key's index and
then gets the very same answer. A refusal rolls back and so forgets the key: the caller may
correct the request and try again. The same key with another body is refused.
Source: draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.errors import Conflict, Invalid
from shipworthy.kernel.http.reply import Answer
from shipworthy.kernel.language import _

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_FORM_FIELD = re.compile(rb"(?:^|&)_idempotency_key=([0-9A-Za-z._-]{1,255})(?:&|$)")
ANONYMOUS = uuid.UUID(int=0)


def key_of(headers: dict[str, str], body: bytes) -> str:
    """Return the request's key: the header, or a form's hidden field.

    Errors:  Invalid `idempotency.key_missing` or `idempotency.key_invalid`.
    """
    key = headers.get("idempotency-key")
    if key is None and (field := _FORM_FIELD.search(body)):
        key = field.group(1).decode()
    if key is None:
        raise Invalid(
            "idempotency.key_missing",
            _(
                "This request needs an Idempotency-Key header (any unique text), so that sending it twice does it once."
            ),
        )
    if not _KEY.fullmatch(key):
        raise Invalid(
            "idempotency.key_invalid", _("An Idempotency-Key is 1 to 255 visible ASCII characters.")
        )
    return key


async def replay(ctx: Ctx, key: str, *, method: str, path: str, body: bytes) -> Answer | None:
    """Take the key for this request, or return the answer it was given before.

    Errors:  Conflict `idempotency.key_reused` when the key came with another request.
    """
    digest = hashlib.sha256(f"{method} {path}\n".encode() + body).digest()
    principal_id = _principal(ctx)
    if await ctx.db.maybe(q.idempotency_claim, principal_id=principal_id, key=key, request_sha256=digest):
        return None
    first = await ctx.db.one(q.idempotency_get, principal_id=principal_id, key=key)
    if first["request_sha256"] != digest:
        raise Conflict(
            "idempotency.key_reused",
            _("This Idempotency-Key was used for another request. Use a new key for a new request."),
        )
    headers = [(n.encode(), v.encode()) for n, v in first["headers"]]
    return Answer(first["status"], [*headers, (b"idempotent-replayed", b"true")], first["body"])


async def remember(ctx: Ctx, key: str, answer: Answer) -> None:
    """Keep the answer beside its effect."""
    await ctx.db.run(
        q.idempotency_finish,
        principal_id=_principal(ctx),
        key=key,
        status=answer.status,
        headers=[[n.decode(), v.decode()] for n, v in answer.headers if n != b"set-cookie"],
        body=answer.body,
    )


def _principal(ctx: Ctx) -> uuid.UUID:
    return ctx.principal.user_id if ctx.principal else ANONYMOUS
