"""`Through`: addresses that web and worker take instead of the real ones, chosen by an examiner.

Whoever starts `up` may stand between the app and what it needs: SHIPWORTHY_THROUGH names a
loopback address for each ("database=127.0.0.1:5001,mail=127.0.0.1:5002"). What really listens
where is then written to upstreams.json in the state directory before the app starts. The
database's administrator and the handle keep the direct way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import click

from shipworthy.cli.project import VALKEY

VARIABLE = "SHIPWORTHY_THROUGH"
UPSTREAMS_FILE = "upstreams.json"
KNOWN = ("database", "mail", "valkey")
_LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Through:
    """Name -> port on loopback; empty when the app goes straight."""

    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def addresses(self) -> dict[str, str]:
        return {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}

    def of_children(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which the app takes these addresses."""
        changed = {name: value for name, value in environment.items() if name != VARIABLE}
        if port := self.ports.get("database"):
            changed |= {
                name: _on_port(url, port)
                for name, url in environment.items()
                if name.startswith("SHIPWORTHY_DB_URL_")
                and name != "SHIPWORTHY_DB_URL_ADMIN"
                and not name.endswith("_DIRECT")
            }
        if (port := self.ports.get("valkey")) and VALKEY in environment:
            changed[VALKEY] = _on_port(environment[VALKEY], port)
        if port := self.ports.get("mail"):
            changed["SHIPWORTHY_MAIL_PORT"] = str(port)
        return changed

    def tell(self, state: Path, *, database_url: str, mail_port: int, valkey_url: str | None) -> None:
        """Write what really listens where: whole, then renamed, so that nobody reads half of it."""
        if not self.ports:
            return
        parts = urlsplit(database_url)
        if not parts.hostname:
            raise click.UsageError(f"{VARIABLE}: the database's address has no host, so nothing can stand before it")  # fmt: skip
        facts = {
            "database": f"{parts.hostname}:{parts.port or 5432}",
            "mail": f"127.0.0.1:{mail_port}",
        }
        if valkey_url:
            parts = urlsplit(valkey_url)
            facts["valkey"] = f"{parts.hostname}:{parts.port or 6379}"
        draft = state / f"{UPSTREAMS_FILE}.new"
        draft.write_text(json.dumps(facts), encoding="utf-8")
        draft.replace(state / UPSTREAMS_FILE)


def through_from(environment: Mapping[str, str] = os.environ) -> Through:
    """Read SHIPWORTHY_THROUGH.

    Errors:  click.UsageError for a name it does not know and for an address that is not loopback.
    """
    ports = {}
    for entry in filter(None, environment.get(VARIABLE, "").split(",")):
        name, _, address = entry.strip().partition("=")
        host, _, port = address.rpartition(":")
        if name not in KNOWN:
            near = get_close_matches(name, KNOWN, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KNOWN)}"
            raise click.UsageError(f"{VARIABLE}: nothing of the app is called {name!r}; {hint}")
        if host not in _LOOPBACK or not port.isdecimal() or not 0 < int(port) <= 65_535:
            raise click.UsageError(f"{VARIABLE}: {name} needs an address like 127.0.0.1:5001, not {address!r}")  # fmt: skip
        ports[name] = int(port)
    return Through(ports=ports)


def _on_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{port}"))
