"""The fleet: which processes of which release should run, and how much traffic each gets.

Owns the files in the state directory by which a deploy (it wishes) and the keeper (it does) talk.
Each is written whole and renamed, by one side only; whoever is killed leaves the last whole one.

    .shipworthy/deploy/
    ├── fleet.json      the wish: members, roles, weight; written by the deploy
    ├── status.json     what is: ports, states, the serial that is in force; written by the keeper
    ├── watched         touched by the deploy every second: a canary nobody watches gets no traffic
    ├── lock            held by the one deploy
    ├── progress.json   the deploy that is under way, and its step
    ├── access.jsonl    requests of canary and baseline, by Envoy
    └── records/ID/     decision.json, decision.md and the evidence
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from shipworthy.contract.strict import Undecodable, decode, encode
from shipworthy.delivery.errors import StateTorn

T = TypeVar("T")
WATCHED_S_MAX = 5.0  # a deploy that has not looked for so long does not watch: killed, stopped or stuck


@dataclass(frozen=True, kw_only=True)
class Member:
    """One web process of one release."""

    name: str
    release: str


@dataclass(frozen=True, kw_only=True)
class Journey:
    """Requests that are judged together: by method, path and kind of host, against one objective."""

    name: str
    threshold_ms: float
    method: str = ""  # empty: any
    path: str = ".*"  # a regular expression of the whole path, without the query
    host: Literal["any", "console", "site"] = "any"


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What should run. `weight` is the canary's, in percent of the sessions; the fresh baseline gets as many."""

    serial: int
    members: tuple[Member, ...]
    stable: str
    baseline: str | None = None
    canary: str | None = None
    weight: int = 0
    salt: str = ""
    journeys: tuple[Journey, ...] = ()

    def shares(self) -> dict[str, int]:
        """Return each member's percent of the sessions, canary first and baseline last; they add up to 100.

        A session's place does not depend on the weight: who has the canary keeps it while it grows.
        """
        if self.canary is None or self.weight == 0:
            return {self.stable: 100}
        beside = min(self.weight, 100 - self.weight) if self.baseline else 0
        shares = {self.canary: self.weight, self.stable: 100 - self.weight - beside}
        if self.baseline:
            shares[self.baseline] = beside
        return {name: share for name, share in shares.items() if share}

    def unwatched(self) -> Fleet:
        """Return the fleet as it is served while nobody watches the canary."""
        return replace(self, weight=0)

    def without_canary(self) -> Fleet:
        """Return the next wish: the stable version alone."""
        kept = tuple(member for member in self.members if member.name == self.stable)
        return Fleet(serial=self.serial + 1, members=kept, stable=self.stable)

    def release_of(self, member: str) -> str:
        return next(one.release for one in self.members if one.name == member)


@dataclass(frozen=True, kw_only=True)
class MemberStatus:
    """What became of one member."""

    state: Literal["starting", "ready", "failed"]
    port: int
    pid: int | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the keeper did. `serial` is the wish that is in force, `weight` what the canary really gets."""

    pid: int
    port: int
    serial: int
    weight: int
    fleet: Fleet
    members: dict[str, MemberStatus] = field(default_factory=dict)
    front: bool = True  # Envoy runs and took what it was told
    torn: bool = False  # fleet.json cannot be read; the last whole one is in force


@dataclass(frozen=True)
class Place:
    """The files of one app's delivery."""

    root: Path

    @property
    def fleet(self) -> Path:
        return self.root / "fleet.json"

    @property
    def status(self) -> Path:
        return self.root / "status.json"

    @property
    def watched(self) -> Path:
        return self.root / "watched"

    @property
    def progress(self) -> Path:
        return self.root / "progress.json"

    @property
    def access(self) -> Path:
        return self.root / "access.jsonl"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def envoy(self) -> Path:
        return self.root / "envoy"

    @property
    def releases(self) -> Path:
        return self.root.parent / "releases"

    def record(self, deploy: str) -> Path:
        return self.root / "records" / deploy

    def ensure(self) -> Place:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def watch(self) -> None:
        """Say that a deploy looks after the canary now."""
        self.watched.touch(mode=0o600)
        os.utime(self.watched)

    def is_watched(self) -> bool:
        try:
            return time.time() - self.watched.stat().st_mtime <= WATCHED_S_MAX
        except OSError:
            return False


def write(path: Path, value: Any) -> None:
    """Write whole, to the disk, then rename: a reader sees the old file or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value if isinstance(value, Mapping) else encode(value), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read(path: Path, kind: type[T]) -> T | None:
    """Return what the file holds, None when there is none.

    Errors:  StateTorn when it is not what we write.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as failed:
        raise StateTorn(f"{path} cannot be read: {failed}") from failed
    try:
        return decode(kind, json.loads(text), source=path.name)
    except (ValueError, Undecodable) as broken:
        raise StateTorn(f"{path} is not what was written there: {broken}") from broken


def put_aside(path: Path) -> Path:
    """Move a torn file out of the way and return where it lies now: it may be evidence."""
    aside = path.with_name(f"{path.name}.torn")
    path.replace(aside)
    return aside
