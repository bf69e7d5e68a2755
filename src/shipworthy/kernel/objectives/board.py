"""What operators see: how the objectives stand, read at most as often as the watch looks.

The watch is a process of its own and writes files; a web process of the same machine reads them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shipworthy.contract.manifest import Slo
from shipworthy.kernel.objectives.history import History
from shipworthy.kernel.objectives.reading import Reading, read_objectives
from shipworthy.kernel.objectives.series import Day, Step, budget_days, latency_steps
from shipworthy.kernel.objectives.watch import PERIOD_S

FOLDER = "objectives"  # of the state directory


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One objective with what its charts show."""

    slo: Slo
    reading: Reading
    steps: list[Step]
    days: list[Day]


class Board:
    """Reads the watch's folder. For a thread, never for the loop: a month is up to 20 MB."""

    def __init__(self, folder: Path, slos: Sequence[Slo]) -> None:
        self.folder, self.slos = folder, tuple(slos)
        self._lock = threading.Lock()
        self._read_at_s = float("-inf")
        self._shown: list[Shown] = []

    @property
    def is_watched(self) -> bool:
        return self.folder.is_dir()

    def read(self, *, now_s: float) -> list[Shown]:
        """Return how each objective stands, in the order they are declared. Errors: OSError."""
        with self._lock:
            if not 0 <= now_s - self._read_at_s < PERIOD_S:
                history = History(self.folder / "minutes.jsonl")
                readings = read_objectives(history, self.slos, now_s=now_s)
                self._shown = [
                    Shown(
                        slo=slo,
                        reading=reading,
                        steps=latency_steps(history, slo, now_s=now_s),
                        days=budget_days(history, slo, now_s=now_s),
                    )
                    for slo, reading in zip(self.slos, readings, strict=True)
                ]
                self._read_at_s = now_s
            return self._shown
