"""What a handler may return besides a plain value (which becomes JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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


@dataclass(slots=True)
class Answer:
    """The final bytes. Header names are lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
