"""What a handler may return besides a plain value (which becomes JSON)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Page:
    """Render a template with data."""

    template: str
    data: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    section: str = ""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[str, ...] = ()
    frames: str = ""  # the origin of what it shows in a frame


@dataclass(frozen=True, slots=True)
class Redirect:
    """See other. `flash` is one sentence shown on the next page."""

    to: str
    flash: str = ""
    status: int = 303
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON answer with a status or headers of its own."""

    value: Any
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """Bytes with a media type, for download or display."""

    body: bytes
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200
    chunks: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Stream:
    """A file too large to hold, for download: the next chunk is asked for when the one before is on its way.

    For routes without a transaction: whoever reads slowly must not hold one open. An error in `chunks` cuts the
    connection, so that half a file is never taken for a whole one.
    """

    chunks: AsyncIterator[bytes]
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200
    body: ClassVar[bytes] = b""


@dataclass(slots=True)
class Answer:
    """The final bytes, or `chunks` of them. Header names are lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    chunks: AsyncIterator[bytes] | None = None


def said_besides(answer: Answer, *, tenant_id: uuid.UUID | None) -> list[tuple[bytes, bytes]]:
    """Return the headers every answer of ours carries; `tenant_id` where a proxy of ours is to know whose it is."""
    headers = []
    if not any(header == b"cache-control" for header, _ in answer.headers):
        # Whatever does not say otherwise is one person's: no cache on the way may keep it.
        headers.append((b"cache-control", b"no-store"))
    if tenant_id is not None:
        headers.append((b"x-shipworthy-tenant", str(tenant_id).encode()))
    return headers
