"""The access log of canary and baseline, read as it grows, as what the judge takes.

A session is the first characters of its token, or an address: whoever has none is one session
with everybody at that address. The tenant is what the app said of the answer; a failed answer
often says nothing, so a session's tenant is remembered.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from shipworthy.judge.canary import Request

SESSIONS_MAX = 20_000  # whose tenant is remembered
_READ_BYTES_MAX = 8 * 1024 * 1024  # at one look


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One answered request of an arm. `code` 0 is a visitor who left before the answer."""

    arm: Literal["canary", "baseline"]
    journey: str
    code: int
    ms: float
    tenant: str
    session: str
    is_probe: bool = False

    @property
    def failed(self) -> bool:
        return self.code >= 500


class AccessLog:
    """Reads what was written since the last look; starts at the end of what is there.

    Only who knows the deploy's salt is a probe: each one is a session of its own, and that is a say.
    """

    def __init__(self, path: Path, *, salt: str, console_hosts: frozenset[str] = frozenset()) -> None:
        self._path, self._salt, self._console = path, salt, console_hosts
        self._probes = 0
        self._offset = path.stat().st_size if path.exists() else 0
        self._rest = b""
        self._tenants: OrderedDict[str, str] = OrderedDict()

    def new(self) -> list[Seen]:
        """Return the requests since the last call; lines that are not ours are left out."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(_READ_BYTES_MAX)
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return list(self._seen(lines))

    def _seen(self, lines: list[bytes]) -> Iterator[Seen]:
        for line in lines:
            try:
                fields = json.loads(line)
                yield self._of(fields)
            except (ValueError, KeyError, TypeError):
                continue

    def _of(self, fields: dict[str, Any]) -> Seen:
        arm = fields["arm"]
        if arm not in ("canary", "baseline"):
            raise ValueError(arm)
        probe = fields.get("probe") == f"{arm}.{self._salt}"
        session = fields.get("session") or fields.get("peer") or ""
        if probe:
            self._probes += 1
            session = f"probe {self._probes}"
        tenant = fields.get("tenant") or self._tenants.get(session, "")
        if not tenant and (host := _host(fields.get("host"))) and host not in self._console:
            tenant = host  # a site of its own is one tenant's
        elif tenant and not probe:
            self._tenants[session] = tenant
            self._tenants.move_to_end(session)
            if len(self._tenants) > SESSIONS_MAX:
                self._tenants.popitem(last=False)
        return Seen(
            arm=cast(Literal["canary", "baseline"], arm),
            journey=fields["journey"] or "",
            code=int(fields["code"]),
            ms=float(fields["ms"]),
            tenant=tenant,
            session=session,
            is_probe=probe,
        )


def judged(seen: Seen, thresholds_ms: Mapping[str, float]) -> Request | None:
    """Return the request as the judge takes it; None for a visitor who left before it was late."""
    threshold_ms = thresholds_ms.get(seen.journey)
    slow = threshold_ms is not None and seen.ms > threshold_ms
    if seen.code == 0 and not slow:
        return None
    return Request(
        arm=seen.arm,
        failed=seen.failed,
        slow=slow,
        tenant=seen.tenant,
        session=seen.session,
        journey=seen.journey if threshold_ms is not None else "",
    )


def _host(authority: str | None) -> str:
    name, colon, port = (authority or "").lower().rpartition(":")
    return name if colon and port.isdecimal() else (authority or "").lower()
