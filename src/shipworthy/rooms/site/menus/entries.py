"""What a menu shows to visitors. Pure: everything was read with the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from shipworthy.rooms.site.addresses import HOME, encoded

Name = Literal["main", "footer"]
NAMES: tuple[Name, ...] = ("main", "footer")
_TOP_LEVEL = "0"


@dataclass(slots=True)
class Entry:
    """One link of a menu, with those right below it. `here` is what aria-current says of it: "page" is this very
    page, "true" that it is among those below."""

    href: str
    title: str
    here: str = ""
    below: list[Entry] = field(default_factory=list)


def menus_of(
    automatic: Iterable[Sequence[str]], items: Iterable[Sequence[Any]], *, path: str
) -> dict[Name, list[Entry]]:
    """Return the menus around the page at `path`.

    `items` are menu, level, address (None: nobody sees the page) and title of what was put together by hand. A menu
    without any is made of the pages; the footer's then is the main one.
    """
    made: dict[str, list[Sequence[Any]]] = {}
    for menu, *item in items:
        made.setdefault(menu, []).append(item)
    by_itself = [(_TOP_LEVEL, there, title) for there, title in automatic if there != HOME]
    main = made.get("main", by_itself)
    return {"main": _entries(main, path), "footer": _entries(made.get("footer", main), path)}


def _entries(items: Iterable[Sequence[Any]], path: str) -> list[Entry]:
    """Nest the items that are shown. Below one that is not, the others take its place: what is published stays
    within reach."""
    shown: list[Entry] = []
    is_parent_shown = False
    for level, to, title in items:
        if level == _TOP_LEVEL:
            is_parent_shown = to is not None
        if to is None:
            continue
        entry = Entry(_href(to), title, here="page" if to == path else "")
        if level == _TOP_LEVEL or not is_parent_shown:
            shown.append(entry)
        else:
            shown[-1].below.append(entry)
            shown[-1].here = shown[-1].here or (entry.here and "true")
    return shown


def _href(to: str) -> str:
    """Return an address as it may stand between quotation marks: a page's path, or another website's URL."""
    return encoded(to) if to.startswith("/") else escape(to)
