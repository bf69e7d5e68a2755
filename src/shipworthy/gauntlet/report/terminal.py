"""The live view: which stage, which check, how the load goes, while a run goes on.

On a terminal a block of lines that renews itself, failures standing above it; elsewhere, in a
log or a pipe, one plain line for each event worth one. It shows and never decides: nothing
here reaches a verdict.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict, overall
from shipworthy.gauntlet.report.ink import STYLE, sign
from shipworthy.gauntlet.report.summary import print_summary
from shipworthy.gauntlet.report.words import VERDICT_WORD, amount, in_line
from shipworthy.gauntlet.view import View

if TYPE_CHECKING:
    from shipworthy.gauntlet.plan import PlannedCheck

__all__ = ["LiveView", "LoadSecond", "print_summary"]

PLAIN_LOAD_EVERY_S = 10  # a log needs a sign of life, not a line every second
WIDTH_MAX = 100


class LoadSecond(TypedDict, total=False):
    """One second of load on one journey. What is left out is not shown.

    Units:   `lag_ms_p99` is how late the generator sent; `is_valid` is its own judgement.
    """

    journey: str
    second: int
    seconds_total: int
    requests: int
    failures: int
    latency_ms_p50: float
    latency_ms_p95: float
    threshold_ms: float
    lag_ms_p99: float
    is_valid: bool


@dataclass
class _Stage:
    name: str
    checks_left: int = 0
    elapsed_s: float = 0.0
    begun_at: float | None = None
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    check: str = ""
    progress: str = ""
    was_run: bool = False


@dataclass
class _Journey:
    latest: LoadSecond
    failures: int = 0
    requests: int = 0


class LiveView(View):
    """Shows a run as it goes. Use as a context manager around the run.

    `stages` may be given, else `planned` tells them; `thresholds_ms` by journey puts the
    promise beside the measured p95.
    """

    def __init__(
        self,
        *,
        target: str,
        label: str = "",
        stages: Sequence[str] = (),
        thresholds_ms: Mapping[str, float] | None = None,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console()
        self._title = in_line(target, 60) + (f", {label}" if label else "")
        self._stages = {name: _Stage(name) for name in stages}
        self._thresholds_ms = dict(thresholds_ms or {})
        self._clock = clock
        self._began_at = clock()
        self._current: _Stage | None = None
        self._journeys: dict[str, _Journey] = {}
        self._live: Live | None = None
        self._spinner = Spinner("line" if self._console.options.ascii_only else "dots")

    def __enter__(self) -> Self:
        self._began_at = self._clock()
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                get_renderable=self._frame, console=self._console, refresh_per_second=8, transient=True
            )
            self._live.start()
        else:
            self._say(f"Gauntlet: {self._title}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave_stage()
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._console.print(self._frame())

    # The few events a run has; the View's methods below tell them in the run's own terms.

    def stage(self, name: str) -> None:
        """A stage begins, or goes on; the one before it rests."""
        if self._current is not None and self._current.name == name:
            return
        self._leave_stage()
        self._current = self._stages.setdefault(name, _Stage(name))
        self._current.begun_at, self._current.was_run = self._clock(), True
        if self._live is None:
            self._say(f"{in_line(name, 40)}")

    def check(self, name: str) -> None:
        """A check begins."""
        if self._current is not None:
            self._current.check, self._current.progress = in_line(name, 120), ""
        self._journeys.clear()

    def finding(self, finding: Finding) -> None:
        """A check has answered; what failed or is undecided is shown at once."""
        stage = self._stages.setdefault(finding.stage, _Stage(finding.stage))
        stage.verdicts[finding.verdict] += 1
        if finding.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            self._announce(finding)

    def load_second(self, data: LoadSecond) -> None:
        """One second of load went by on one journey."""
        journey = self._journeys.setdefault(data.get("journey", ""), _Journey(latest=data))
        journey.latest = {**journey.latest, **data}
        journey.failures += data.get("failures", 0)
        journey.requests += data.get("requests", 0)
        is_last = data.get("journey", "") == next(reversed(self._journeys))
        if self._live is None and is_last and (data.get("second", 0) + 1) % PLAIN_LOAD_EVERY_S == 0:
            self._say(self._load_line(data.get("second", 0) + 1))

    def planned(self, plan: tuple[PlannedCheck, ...]) -> None:
        for planned in plan:
            name = planned.check.stage
            self._stages.setdefault(name, _Stage(name)).checks_left += 1

    def note(self, text: str) -> None:
        line = Text(in_line(text, 300), style="dim")
        self._console.print(line) if self._live is None else self._live.console.print(line)

    def check_begins(self, planned: PlannedCheck) -> None:
        self.stage(planned.check.stage)
        self.check(planned.check.title)

    def progress(self, done: int, total: int, subject: str = "") -> None:
        if self._current is not None:
            self._current.progress = f"{done:,} of {total:,}"

    def second(
        self,
        journey: str,
        second: int,
        *,
        requests: int,
        failures: int,
        latency_ms_p50: float,
        latency_ms_p95: float,
    ) -> None:
        self.load_second(
            {
                "journey": journey,
                "second": second,
                "requests": requests,
                "failures": failures,
                "latency_ms_p50": latency_ms_p50,
                "latency_ms_p95": latency_ms_p95,
            }
        )

    def found(self, finding: Finding) -> None:
        self.finding(finding)

    def check_ends(self, planned: PlannedCheck) -> None:
        stage = self._stages[planned.check.stage]
        stage.checks_left = max(0, stage.checks_left - 1)
        self._journeys.clear()
