"""The spec of a new app, validated before anything is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NAME_CHARS_MAX = 80


class SpecRefused(ValueError):
    """The spec contradicts itself or names what is not there; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a person asks for."""

    name: str
    rooms: tuple[str, ...]
    locale: str
    port: int


def make_spec(
    *, folder: str, name: str | None, rooms: Sequence[str], known_rooms: Sequence[str], locale: str, port: int
) -> Spec:
    """Return a valid spec; auth is always part of it, since the others stand on its users.

    Errors:  SpecRefused for an unknown room (naming the nearest), a room named twice, or a
             folder name that cannot be a name.
    """
    if not _FOLDER.fullmatch(folder):
        raise SpecRefused(f"the folder name {folder!r} may hold letters, digits, dots, - and _ only")
    for room in rooms:
        if room not in known_rooms:
            near = get_close_matches(room, known_rooms, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known rooms: {', '.join(known_rooms)}"
            raise SpecRefused(f"there is no room {room!r}; {hint}")
    if len(set(rooms)) != len(rooms):
        raise SpecRefused(f"a room is named twice in {', '.join(rooms)}")
    if not 0 <= port <= 65_535:
        raise SpecRefused(f"port {port} is not between 0 and 65535")
    title = (name or folder.replace("-", " ").replace("_", " ").title()).strip()
    if not title or len(title) > _NAME_CHARS_MAX or not title.isprintable():
        raise SpecRefused(f"the app's name must be 1 to {_NAME_CHARS_MAX} printable characters")
    return Spec(name=title, rooms=("auth", *(r for r in rooms if r != "auth")), locale=locale, port=port)
