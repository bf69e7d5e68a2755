"""The book of alerts: what is open, who looks after it, what is quiet, and what is still to be told.

One JSON file, changed whole under a lock: the watch and the commands of people write the same one.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shipworthy.contract.strict import decode

CLOSED_KEPT = 50  # alerts that are over


@dataclass(kw_only=True)
class Alert:
    """One rule of one objective. Units: moments are seconds since 1970; None of what has not happened."""

    id: str
    objective: str
    rule: str
    burn: float
    opened_s: float
    closed_s: float | None = None
    acknowledged_by: str = ""


@dataclass(kw_only=True)
class Silence:
    """Nobody is told of this objective's alerts until `until_s`."""

    until_s: float
    by: str
    reason: str


@dataclass(kw_only=True)
class Notice:
    """A change of an alert that somebody must still be told of, this way."""

    alert_id: str
    change: str  # opened | closed
    way: str  # mail | webhook

    @property
    def id(self) -> str:
        """The same at every try, so that a receiver knows a repeat."""
        return f"{self.alert_id}.{self.change}"


@dataclass(kw_only=True)
class Book:
    alerts: list[Alert] = field(default_factory=list)
    silences: dict[str, Silence] = field(default_factory=dict)
    pending: list[Notice] = field(default_factory=list)

    def open_alert(self, objective: str, rule: str) -> Alert | None:
        return next((a for a in self.open if (a.objective, a.rule) == (objective, rule)), None)

    @property
    def open(self) -> list[Alert]:
        return [alert for alert in self.alerts if alert.closed_s is None]

    def is_quiet(self, objective: str, now_s: float) -> bool:
        silence = self.silences.get(objective)
        return silence is not None and silence.until_s > now_s


def read_book(folder: Path) -> Book:
    """Return the book as it is; an empty one where there is none. Errors: Undecodable."""
    try:
        text = (folder / "alerts.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return Book()
    return decode(Book, json.loads(text), source="alerts.json", text=text)


@contextmanager
def book_changed(folder: Path) -> Iterator[Book]:
    """Yield the book to be changed; it is written when the block ends well. Others wait. Errors: OSError."""
    with (folder / "alerts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        book = read_book(folder)
        yield book
        over = sorted((a for a in book.alerts if a.closed_s is not None), key=lambda a: a.closed_s or 0.0)
        book.alerts = [*over[-CLOSED_KEPT:], *book.open]
        draft = folder / "alerts.new"
        draft.write_text(json.dumps(asdict(book), indent=1), encoding="utf-8")
        draft.replace(folder / "alerts.json")
