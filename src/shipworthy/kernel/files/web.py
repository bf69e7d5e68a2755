"""HTTP for stored files: a signed address in, the file out. It needs no session: the address is the permission."""

from __future__ import annotations

import re
import uuid
from urllib.parse import quote

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.files.links import LinkQuery, Opened
from shipworthy.kernel.http.reply import File, Stream
from shipworthy.kernel.route import Route, route

# By the ending of the name it is saved under. What a browser would run in our origin is never shown, only saved.
_SHOWN = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}
_SAVED = {"xml": "application/xml", "csv": "text/csv; charset=utf-8", "zip": "application/zip"}
_WHOLE_BYTES_MAX = 4 * 1024 * 1024  # a larger file is sent piece by piece
_NOT_IN_A_NAME = re.compile(r"[^\w .()\-]")


async def fetch_file(ctx: Ctx, owner_id: uuid.UUID, kind: str, name: str, told: LinkQuery) -> File | Stream:
    """Errors: those of `FileLinks.open`; Missing; Upstream `files.unavailable`."""
    opened = ctx.runtime.file_links.open(f"{owner_id}/{kind}/{name}", told, now=ctx.now())
    size_bytes, chunks = await ctx.runtime.files.chunks(opened.key)
    if size_bytes <= _WHOLE_BYTES_MAX:
        return as_file(b"".join([chunk async for chunk in chunks]), opened)
    media_type, headers = _told_of(opened)
    return Stream(chunks, media_type, headers=headers)


def as_file(body: bytes, opened: Opened) -> File:
    """Return the file with the headers it goes out with, on whatever host."""
    media_type, headers = _told_of(opened)
    return File(body, media_type, headers=headers)


def _told_of(opened: Opened) -> tuple[str, tuple[tuple[str, str], ...]]:
    ending = opened.name.rpartition(".")[2].lower()
    is_shown = opened.show == "inline" and ending in _SHOWN
    cache = f"{'public' if opened.is_shared else 'private'}, max-age={opened.max_age_s}, immutable"
    headers = (
        ("content-disposition", disposition("inline" if is_shown else "attachment", opened.name)),
        ("cache-control", cache),
    )
    return _SHOWN.get(ending) or _SAVED.get(ending) or "application/octet-stream", headers


def disposition(show: str, name: str) -> str:
    """Return a Content-Disposition that saves as `name`. Source: RFC 6266, with RFC 5987 beyond ASCII."""
    safe = _NOT_IN_A_NAME.sub("-", name) or "file"
    plain = safe.encode("ascii", "replace").decode().replace("?", "-")
    header = f'{show}; filename="{plain}"'
    return header if plain == safe else f"{header}; filename*=UTF-8''{quote(safe)}"


# queries_max counts the session's look-up and touch (2), for whoever comes with one.
ROUTES: tuple[Route, ...] = (
    route("GET", "/files/{owner_id}/{kind}/{name}", fetch_file, title="Read a file by its signed address",
          media="file", auth="public", transaction=False, query=LinkQuery, queries_max=2),
)  # fmt: skip
