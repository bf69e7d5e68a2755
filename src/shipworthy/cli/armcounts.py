"""What each of two versions counts, asked of its own processes: every address that a name leads to, look after look."""

from __future__ import annotations

import asyncio
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shipworthy.contract.manifest import Slo
from shipworthy.delivery.counted import Counted
from shipworthy.delivery.envoy import OTHER
from shipworthy.kernel.objectives.declared import objectives_of, routes_by_objective
from shipworthy.kernel.objectives.history import Counters, counters_of
from shipworthy.kernel.room import Room
from shipworthy.kernel.settings import Settings

ASK_TIMEOUT_S = 2.0
_ZERO = Counters(0.0, 0.0, ())
# Requests of no objective can only fail: whatever they take is within it.
_NO_OBJECTIVE = Slo(name=OTHER, quantile=0.5, threshold_ms=float("inf"))


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What an app's counters are read by: its objectives, and which routes keep them."""

    slos: tuple[Slo, ...]
    routes: Mapping[str, Sequence[str]]


def declared_by(rooms: Sequence[Room], settings: Settings) -> Declared:
    """Return the objectives of an app, with one more for everything that has none."""
    routes = routes_by_objective(rooms)
    kept = {route for named in routes.values() for route in named}
    others = [f"{route.method} {route.path}" for room in rooms for route in room.routes]
    routes[OTHER] = [route for route in dict.fromkeys(others) if route not in kept]
    return Declared(slos=(*objectives_of(rooms, settings), _NO_OBJECTIVE), routes=routes)


@dataclass(kw_only=True)
class ArmCounts:
    """One version's counters at `urls`; a process that is new, or began anew, counts from its first look."""

    urls: Sequence[str]
    declared: Declared
    _before: dict[str, dict[str, Counters]] = field(default_factory=dict)
    heard: int = 0  # processes that answered at the last look

    async def look(self) -> list[Counted]:
        """Return what came since the last look; nothing of what does not answer."""
        places = [place for url in self.urls for place in await asyncio.to_thread(places_of, url)]
        texts = await asyncio.gather(*(asyncio.to_thread(_text, *place) for place in places))
        self.heard = sum(text is not None for text in texts)
        found: dict[str, list[int]] = {}
        for place, text in zip(places, texts, strict=True):
            if text is None:
                continue
            now = counters_of(text, self.declared.slos, self.declared.routes)
            before = self._before.get(place[0])
            self._before[place[0]] = now
            for name, counters in now.items() if before is not None else ():
                grown = _grown(before.get(name, _ZERO), counters)  # type: ignore[union-attr]
                found[name] = [a + b for a, b in zip(found.get(name, (0, 0, 0)), grown, strict=True)]
        return [
            Counted(journey="" if name == OTHER else name, requests=requests, failed=failed, slow=slow)
            for name, (requests, failed, slow) in found.items()
        ]


def _grown(before: Counters, now: Counters) -> tuple[int, int, int]:
    if now.total < before.total:
        before = _ZERO
    requests = round(now.total - before.total)
    failed = min(requests, round(now.failed - before.failed))
    good = round(now.good - before.good)
    return requests, failed, max(0, requests - failed - good)


def places_of(url: str) -> list[tuple[str, str]]:
    """Return an address for each process behind a name, and what to call it; none while the name leads nowhere."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return [(url, parts.netloc)]  # a certificate is of the name
    port = parts.port or 80
    try:
        known = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    hosts = sorted({str(address[0]) for *_, address in known})
    return [
        (
            parts._replace(netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}").geturl(),
            parts.netloc,
        )
        for host in hosts
    ]


def _text(url: str, host: str) -> str | None:
    asked = urllib.request.Request(url, headers={"Host": host})  # noqa: S310 - http(s) only, see cli/canary.py
    try:
        with urllib.request.urlopen(asked, timeout=ASK_TIMEOUT_S) as answer:  # noqa: S310 - the same
            text: bytes = answer.read()
        return text.decode("utf-8")
    except (OSError, ValueError):
        return None
