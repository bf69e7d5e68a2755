"""The spec of a new app, validated before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NAME_CHARS_MAX = 80
LOCALES = ("en", "de")
TO_BE_SET = "to-be-set"  # a value that only the app's owner can know, such as a client id
_ASKED_ITSELF = {
    "app": ("name", "rooms", "locale"),
    "http": ("port",),
}  # what Spec holds in fields of its own


class SpecRefused(ValueError):
    """The spec contradicts itself or names what is not there; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a person asks for. `more` is everything else that app.toml can say, section by section."""

    name: str
    rooms: tuple[str, ...]
    locale: str
    port: int
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """The whole as it stands in app.toml."""
        whole = {section: dict(said) for section, said in self.more.items()}
        whole["app"] = {
            "name": self.name,
            "rooms": list(self.rooms),
            "locale": self.locale,
            **whole.get("app", {}),
        }
        whole["http"] = {"port": self.port, **whole.get("http", {})}
        return whole

    @property
    def to_be_set(self) -> list[str]:
        """The keys whose values only the app's owner knows."""
        providers = self.more.get("auth", {}).get("providers", {})
        return [
            f"auth.providers.{name}.client_id"
            for name, said in providers.items()
            if said["client_id"] == TO_BE_SET
        ]


def make_spec(
    *,
    folder: str,
    name: str | None,
    rooms: Sequence[str],
    known_rooms: Sequence[str],
    locale: str,
    port: int,
    more: Mapping[str, Any] | None = None,
) -> Spec:
    """Return a valid spec; auth is always part of it, since the others stand on its users.

    Errors:  SpecRefused for an unknown room (naming the nearest), a room named twice, or a
             folder name that cannot be a name.
    """
    if not _FOLDER.fullmatch(folder):
        raise SpecRefused(f"the folder name {folder!r} may hold letters, digits, dots, - and _ only")
    own = (more or {}).get("room", {})
    known = [*known_rooms, *own]
    for room in rooms:
        if room not in known:
            near = get_close_matches(room, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known rooms: {', '.join(known)}"
            raise SpecRefused(f"there is no room {room!r}; {hint}")
    if len(set(rooms)) != len(rooms):
        raise SpecRefused(f"a room is named twice in {', '.join(rooms)}")
    if not 0 <= port <= 65_535:
        raise SpecRefused(f"port {port} is not between 0 and 65535")
    title = (name or folder.replace("-", " ").replace("_", " ").title()).strip()
    if not title or len(title) > _NAME_CHARS_MAX or not title.isprintable():
        raise SpecRefused(f"the app's name must be 1 to {_NAME_CHARS_MAX} printable characters")
    # Those of its own come last: they may refer to what the others keep.
    ours = ("auth", *(room for room in rooms if room != "auth" and room not in own))
    return Spec(
        name=title, rooms=(*ours, *(r for r in rooms if r in own)), locale=locale, port=port, more=more or {}
    )


def spec_from(
    data: Mapping[str, Any], *, folder: str, known_rooms: Sequence[str], name: str | None = None
) -> Spec:
    """Return the spec that a whole app.toml says. It was read by the settings' classes before.

    Errors:  SpecRefused, as `make_spec`.
    """
    app, http = data.get("app", {}), data.get("http", {})
    more = {
        section: kept
        for section, said in data.items()
        if (kept := {key: value for key, value in said.items() if key not in _ASKED_ITSELF.get(section, ())})
    }
    return make_spec(
        folder=folder,
        name=name or app.get("name"),
        rooms=app.get("rooms", ()),
        known_rooms=known_rooms,
        locale=app.get("locale", "en"),
        port=http.get("port", 8000),
        more=more,
    )
