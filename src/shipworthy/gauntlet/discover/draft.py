"""`Draft`: what is known of an app so far, each thing with the place it was seen in.

Several sources are asked in turn; what an earlier one said stands. Knows no source.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Generic, TypeVar

from shipworthy.contract.manifest import Login
from shipworthy.contract.target import RouteSection

T = TypeVar("T")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """A value and, for whoever reads the file, where it comes from."""

    value: T
    where: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What one source, or several together, say of an app. None and empty: nothing was seen."""

    name: Seen[str] | None = None
    start: Seen[str] | None = None
    url: Seen[str] | None = None
    health: Seen[str] | None = None
    openapi: Seen[str] | None = None  # the path at which it serves its own description
    database: Seen[str] | None = None
    login: Seen[Login] | None = None
    routes: Seen[tuple[RouteSection, ...]] | None = None
    pages: Seen[tuple[str, ...]] | None = None  # public paths that answer with HTML
    private: Seen[tuple[str, ...]] | None = (
        None  # paths that answer with HTML to who is signed in, and to nobody else
    )
    sitemap: Seen[str] | None = None
    notes: tuple[str, ...] = field(default=())  # what a person has to know or do

    def completed_by(self, other: Draft) -> Draft:
        """Return this draft with the gaps filled by another, and the notes of both."""
        known = {
            one.name: getattr(self, one.name) or getattr(other, one.name)
            for one in fields(Draft)
            if one.name != "notes"
        }
        return replace(self, **known, notes=tuple(dict.fromkeys((*self.notes, *other.notes))))
