"""Private pictures: shown on no page, and to whoever has a signed address until that expires.

The address names one form of one picture; a proof over it, its end and its key stands in the query (kernel/files/links.py:
two keys may live at once, the first signs, both open). The end is rounded, so within the same hour everybody gets the same
address and a CDN can keep what it stands for, until then and no longer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Busy, Forbidden
from shipworthy.kernel.files.links import LinkQuery
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.assets.names import (
    FORMATS,
    PRIVATE_PREFIX,
    address,
    asked_for,
    variant_object,
    widths_of,
)
from shipworthy.rooms.site.assets.serve import load_picture
from shipworthy.rooms.site.hosts import Site
from shipworthy.rooms.site.shelf import send_bytes

LINK_TTL_S = 3_600
PRIVATE = f"{PRIVATE_PREFIX}/".encode()
_QUERY_FIELDS_MAX = 12
_SAFE = ((b"x-content-type-options", b"nosniff"), (b"x-robots-tag", b"noindex"))
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_NO_STORE = (b"cache-control", b"no-store")


def picture_link(ctx: Ctx, asset: Record, *, width: int, format: str = "jpg") -> tuple[str, datetime | None]:
    """Return the address of a picture in the width nearest below one asked for, and until when it opens; a public one
    always does."""
    fitting = [there for there in widths_of(asset["width"]) if there <= width] or [
        widths_of(asset["width"])[0]
    ]
    chosen = format if format in FORMATS else "jpg"
    path = address(asset, fitting[-1], chosen)
    if not asset["is_private"]:
        return path, None
    key = variant_object(ctx.tenant_id, asset["key"], asset["slug"], fitting[-1], chosen, is_private=True)
    name = path.rpartition("/")[2]
    link = ctx.runtime.file_links.sign(
        key, name=name, now=ctx.now(), ttl_s=LINK_TTL_S, show="inline", shared=True
    )
    return f"{path}?{link.path.partition('?')[2]}", link.expires_at


async def answer_private(runtime: Runtime, site: Site, scope: Any, send: Any, raw_path: bytes) -> int:
    """Send the picture a signed address stands for: 403 where anything in it was changed or it has expired."""
    status, headers, body = await _answer(runtime, site, raw_path, scope["query_string"])
    length = (b"content-length", str(len(body)).encode())
    return await send_bytes(send, scope, status, [*headers, *_SAFE, length], body)


async def _answer(
    runtime: Runtime, site: Site, raw_path: bytes, query: bytes
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    asked = asked_for(raw_path)
    if asked is None:
        return 404, [_TEXT, _NO_STORE], b"There is no such picture.\n"
    try:
        key = variant_object(site.tenant_id, *asked, is_private=True)
        opened = runtime.file_links.open(key, _told(query), now=runtime.now())
        picture = await load_picture(runtime.files, site.tenant_id, raw_path, is_private=True)
    except Forbidden as refused:
        return 403, [_TEXT, _NO_STORE], f"{refused.message}\n".encode()
    except Busy as away:
        wait = (b"retry-after", str(away.retry_after_s or 5).encode())
        return 503, [_TEXT, _NO_STORE, wait], f"{away.message}\n".encode()
    if picture is None:
        return 404, [_TEXT, _NO_STORE], b"There is no such picture.\n"
    kept = f"public, max-age={opened.max_age_s}, immutable".encode() if picture.is_final else b"no-store"
    return 200, [(b"content-type", picture.media_type.encode()), (b"cache-control", kept)], picture.body


def _told(query: bytes) -> LinkQuery:
    """Return what a query says; one that cannot be read says nothing, and nothing opens with it."""
    try:
        pairs = dict(parse_qsl(query.decode("ascii"), max_num_fields=_QUERY_FIELDS_MAX, strict_parsing=True))
        return msgspec.convert(pairs, LinkQuery)
    except (UnicodeDecodeError, ValueError):
        return LinkQuery()
