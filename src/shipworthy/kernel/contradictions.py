"""What `app.toml` says in one place and takes back in another: refused with key, line, and what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shipworthy.contract.lines import line_of
from shipworthy.contract.strict import Undecodable

if TYPE_CHECKING:
    from shipworthy.kernel.settings import Settings

_OF_ROOM = {"site": "site", "tax": "invoicing", "pdf": "invoicing"}
# The first must not outlive the second.
_TTLS = (
    ("sessions", "idle_ttl_s", "absolute_ttl_s"),
    ("auth", "refresh_idle_ttl_s", "refresh_ttl_s"),
    ("auth", "access_ttl_s", "refresh_idle_ttl_s"),
)


def refuse_contradictions(settings: Settings, data: Mapping[str, Any], text: str, *, source: str) -> None:
    """Errors: Undecodable for a lifetime that outlives another, sessions kept in one of several processes, and options
    of a room that the app has not."""
    for section, short, long in _TTLS:
        values = getattr(settings, section)
        if (less := getattr(values, short)) > (most := getattr(values, long)):
            said = long if long in data.get(section, {}) and short not in data.get(section, {}) else short
            raise Undecodable(
                f"{section}.{short} is {less}, more than {section}.{long}, which is {most} and ends it before; "
                f"set {section}.{short} to {most} at most, or {section}.{long} to {less} at least",
                path=f"{section}.{said}",
                line=line_of(text, (section, said)),
                source=source,
            )
    if settings.sessions.store == "memory" and settings.http.workers > 1:
        raise Undecodable(
            'sessions.store = "memory" keeps sessions in one process, but http.workers is '
            f'{settings.http.workers}; set http.workers = 1, or sessions.store = "postgres" or "valkey"',
            path="sessions.store",
            line=line_of(text, ("sessions", "store")),
            source=source,
        )
    if settings.site.cdn != "none" and not settings.site.cdn_purge_url:
        raise Undecodable(
            f'site.cdn = "{settings.site.cdn}" needs site.cdn_purge_url, the address its purges go to',
            path="site.cdn",
            line=line_of(text, ("site", "cdn")),
            source=source,
        )
    for section, room in _OF_ROOM.items():
        if section in data and room not in settings.app.rooms:
            raise Undecodable(
                f'[{section}] is about the room {room!r}, and app.rooms has no {room!r}; add "{room}" to app.rooms, '
                f"or take [{section}] out",
                path=section,
                line=line_of(text, (section,)),
                source=source,
            )
