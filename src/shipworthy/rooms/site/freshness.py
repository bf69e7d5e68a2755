"""What changed of a site, in the order this process heard of it. Knows no database.

An answer remembers how many changes there had been *before* it was read; it is out of date when one of its
tags changed after that. While nothing changes at all, that is one comparison of two numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from shipworthy.rooms.site.tags import EVERYTHING

_TAGS_MAX = 20_000  # remembered of one site; beyond it everything counts as changed


class Freshness:
    """The changes of one site."""

    __slots__ = ("_everything_at", "_last", "count")

    def __init__(self) -> None:
        self.count = 0  # of all changes
        self._everything_at = 0
        self._last: dict[str, int] = {}  # tag -> the count at its last change

    def changed(self, tags: Iterable[str]) -> None:
        """These tags changed; or everything, where that is among them."""
        self.count += 1
        self._last.update(dict.fromkeys(tags, self.count))
        if EVERYTHING in self._last or len(self._last) > _TAGS_MAX:
            self._last.clear()
            self._everything_at = self.count

    def is_unchanged(self, tags: Iterable[str], *, since: int) -> bool:
        """Say whether none of the tags changed after the change numbered `since`."""
        last = self._last
        return self._everything_at <= since and all(last.get(tag, 0) <= since for tag in tags)
