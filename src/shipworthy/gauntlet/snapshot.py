"""What was reviewed of how the app asks its database: `gauntlet.lock`, which lies with the code.

Two kinds of entries: "plan NAME" says by which index a named query reaches each table of some size, "route
GET /x" which statements a route runs. Either may have several accepted answers: a planner swaps indexes that
are as good as each other. Pure but for reading and writing the file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipworthy.contract.strict import Undecodable

LOCK_FILE = "gauntlet.lock"
VERSION = 1
_COMMENT = re.compile(r"/\*\s*(.*?)\s*\*/|--[^\n]*", re.DOTALL)
_NAME = re.compile(r"[\w.-]{1,80}")
_TABLE = re.compile(r"\b(?:from|into|update|join)\s+([\w.\"]+)", re.IGNORECASE)

Seen = dict[str, tuple[str, ...]]  # entry -> its lines


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why entries are as they are."""

    on: str  # the day
    why: str
    run: str
    entries: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The file. `entries` are the accepted answers of each; each answer is its lines."""

    entries: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """An entry that is not as it was accepted. `was` is empty for a new one, `now` for one that is gone."""

    entry: str
    was: tuple[str, ...]
    now: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return it as a diff."""
        gone = [line for line in self.was if line not in self.now]
        new = [line for line in self.now if line not in self.was]
        return [*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]


def reason(why: str, run: str, entries: Sequence[str]) -> Reason:
    """Return the reason of today."""
    return Reason(on=datetime.now(UTC).date().isoformat(), why=why.strip(), run=run, entries=tuple(entries))


def plan_entry(query: str) -> str:
    return f"plan {query}"


def route_entry(route: str) -> str:
    return f"route {route}"


def statement_line(text: str, times: int) -> str:
    """Return a statement as one line of an entry: the name it carries, or what it does and to which table.

    Nothing for one that has neither: `select 1` asks whether a connection lives, now and then.
    """
    named = next(
        (found[1] for found in _COMMENT.finditer(text) if found[1] and _NAME.fullmatch(found[1])), ""
    )
    words = " ".join(_COMMENT.sub(" ", text).split())
    table = _TABLE.search(words)
    said = named or (f"{words.partition(' ')[0].lower()} {table[1]}" if table else "")
    return said if times == 1 or not said else f"{said}, {times} times"


def changes(lock: Lock, seen: Seen) -> list[Change]:
    """Return what was seen and not accepted."""
    found = []
    for entry, now in sorted(seen.items()):
        accepted = lock.entries.get(entry, ())
        if now not in accepted:
            found.append(Change(entry=entry, was=accepted[-1] if accepted else (), now=now))
    return found


def gone(lock: Lock, seen: Seen) -> list[Change]:
    """Return what was accepted and is no more; of a run that looked at everything."""
    return [
        Change(entry=e, was=answers[-1], now=())
        for e, answers in sorted(lock.entries.items())
        if e not in seen
    ]


def accepted(lock: Lock, wanted: Sequence[Change], why: Reason, *, also: bool) -> Lock:
    """Return the lock with these changes accepted: beside what was accepted before, or in its place."""
    entries = dict(lock.entries)
    for change in wanted:
        if not change.now:
            del entries[change.entry]
        else:
            entries[change.entry] = (*(entries.get(change.entry, ()) if also else ()), change.now)
    named = set(entries)
    kept = [r for r in lock.reasons if named & set(r.entries)]
    return Lock(entries=entries, reasons=(*kept, *([why] if why.why else [])))


def read_lock(folder: Path) -> Lock:
    """Return the lock of an app; an empty one where there is no file.

    Errors:  Undecodable naming the file, for what is no lock of this version.
    """
    path = folder / LOCK_FILE
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Lock()
    except (OSError, ValueError) as broken:
        raise Undecodable(
            f"it cannot be read: {broken}. Where branches met, keep the entries of both",
            path="",
            source=LOCK_FILE,
        ) from broken
    try:
        if data["version"] != VERSION:
            raise Undecodable(
                f"version {VERSION} is wanted, not {data['version']!r}", path="version", source=LOCK_FILE
            )
        entries = {
            str(e): tuple(tuple(map(str, a)) for a in answers) for e, answers in data["entries"].items()
        }
        reasons = tuple(
            Reason(
                on=str(r["on"]), why=str(r["why"]), run=str(r["run"]), entries=tuple(map(str, r["entries"]))
            )
            for r in data["reasons"]
        )
    except (KeyError, TypeError, AttributeError) as wrong:
        raise Undecodable(
            f"it is not as `shipworthy gauntlet accept` writes it ({wrong!r})", path="", source=LOCK_FILE
        ) from wrong
    return Lock(entries=entries, reasons=reasons)


def write_lock(folder: Path, lock: Lock) -> None:
    """Write the file, whole or not at all: an answer a line, so that a review reads it line by line."""
    entries = ",\n".join(
        f"  {json.dumps(entry)}: {json.dumps([list(a) for a in answers], ensure_ascii=False)}"
        for entry, answers in sorted(lock.entries.items())
    )
    reasons = ",\n".join(
        "  "
        + json.dumps({"on": r.on, "why": r.why, "run": r.run, "entries": list(r.entries)}, ensure_ascii=False)
        for r in lock.reasons
    )
    text = f'{{\n "version": {VERSION},\n "entries": {{\n{entries}\n }},\n "reasons": [\n{reasons}\n ]\n}}\n'
    path = folder / LOCK_FILE
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
