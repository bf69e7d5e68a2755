"""A clock that can be moved from outside, for drills: only an app that `up --handle` runs has one.

The file holds "SECONDS UNTIL": by how much the wall clock is moved, and the moment (seconds since
1970) from which it is right again. So it rights itself though whoever moved it is gone. The
database's clock stays right: a moved clock is one machine's that disagrees with the others.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

from shipworthy.kernel.context import utc_now

_MOVED_S_MAX = 400 * 86_400.0
_LOOK_S = 0.05  # how often the file is looked at: 20 us each


class MovableClock:
    """Tells the time; called like `utc_now`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._look_at_s = 0.0
        self._moved_s, self._until_s = 0.0, 0.0

    def __call__(self) -> datetime:
        if time.monotonic() >= self._look_at_s:
            self._look_at_s = time.monotonic() + _LOOK_S
            self._moved_s, self._until_s = _said_by(self._file)
        now = utc_now()
        return now + timedelta(seconds=self._moved_s) if now.timestamp() < self._until_s else now


def _said_by(file: Path) -> tuple[float, float]:
    try:
        moved_s, until_s = map(float, file.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return 0.0, 0.0  # not moved
    return (moved_s, until_s) if abs(moved_s) <= _MOVED_S_MAX else (0.0, 0.0)
