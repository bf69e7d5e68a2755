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

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
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
    done: int = 0  # subjects of the running check
    total: int = 0
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
            self._current.check, self._current.done, self._current.total = in_line(name, 120), 0, 0
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
            self._current.done, self._current.total = done, total

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

    def _leave_stage(self) -> None:
        stage, self._current = self._current, None
        if stage is None or stage.begun_at is None:
            return
        stage.elapsed_s += self._clock() - stage.begun_at
        stage.begun_at, stage.check = None, ""
        if self._live is None:
            self._say(f"  {_counts(stage)} in {_clock_text(stage.elapsed_s)}")

    def _announce(self, finding: Finding) -> None:
        title, name = in_line(finding.title, 200), in_line(finding.id, 120)
        if self._live is None:
            self._say(f"  {finding.verdict}: {title} ({name})")
            return
        mark = sign(finding.verdict, self._console)
        line = Text.assemble(" ", mark, " ", (title, "bold"), (f"  {name}", "dim"))
        self._live.console.print(line, no_wrap=True, overflow="ellipsis")

    def _say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True, highlight=False)

    def _frame(self) -> RenderableType:
        rows = Table.grid(padding=(0, 2, 0, 0), expand=True)
        rows.add_column(width=1)
        rows.add_column(no_wrap=True)
        rows.add_column(justify="right", no_wrap=True, style="dim")
        rows.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for stage in list(self._stages.values()):
            rows.add_row(*self._row(stage))
        load = [Text(), *self._load()] if self._journeys else []
        body = Group(self._head(), Text(), rows, *load)
        return Padding(_Bounded(body), (1, 1, 0, 1))

    def _head(self) -> RenderableType:
        head = Table.grid(expand=True)
        head.add_column(no_wrap=True, overflow="ellipsis")
        head.add_column(justify="right", style="dim", no_wrap=True)
        elapsed = _clock_text(self._clock() - self._began_at)
        head.add_row(Text.assemble(("Gauntlet", "bold"), f"  {self._title}"), elapsed)
        return head

    def _row(self, stage: _Stage) -> list[RenderableType]:
        if stage is self._current:
            now_s = stage.elapsed_s + self._clock() - (stage.begun_at or self._clock())
            progress = f"  {stage.done:,} of {stage.total:,}" if stage.total else ""
            said = Text.assemble(stage.check, (progress, "dim"))
            return [self._spinner, Text(stage.name, style="bold"), _clock_text(now_s), said]
        if not stage.was_run and not stage.verdicts:
            return [
                Text("·" if self._can_draw() else ".", style="dim"),
                Text(stage.name, style="dim"),
                "",
                Text("waiting", style="dim"),
            ]
        verdict = overall(stage.verdicts.elements())
        return [
            sign(verdict, self._console),
            Text(stage.name),
            _clock_text(stage.elapsed_s),
            _colored_counts(stage),
        ]

    def _can_draw(self) -> bool:
        return not self._console.options.ascii_only

    def _load(self) -> list[RenderableType]:
        """Return the load's bar, the generator's validity light and a table of the journeys."""
        journeys = list(self._journeys.items())
        latest = max((j.latest for _, j in journeys), key=lambda data: data.get("second", 0))
        table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="dim")
        table.add_column("journey", overflow="ellipsis", no_wrap=True)
        for name in ("per s", "p50", "p95", "bound", "failed"):
            table.add_column(name, justify="right", no_wrap=True)
        for name, journey in journeys:
            table.add_row(*self._journey_cells(name, journey))
        return [self._load_bar(latest), Text(), table]

    def _load_bar(self, latest: LoadSecond) -> RenderableType:
        second = latest.get("second", 0) + 1
        total = latest.get("seconds_total") or (self._current.total if self._current else 0)
        bar = Table.grid(padding=(0, 2, 0, 0))
        bar.add_column(width=32)
        bar.add_column(no_wrap=True)
        bar.add_column(no_wrap=True)
        drawn: RenderableType = Text("load")
        if total:
            drawn = ProgressBar(total=total, completed=min(second, total), width=32)
            # Not rich's own pink and green: colour is kept for verdicts.
            drawn.style, drawn.complete_style, drawn.finished_style = "dim", "bold", "bold"
        bar.add_row(
            drawn, f"{second} of {total} s" if total else f"{second} s", _light(latest, self._can_draw())
        )
        return bar

    def _journey_cells(self, name: str, journey: _Journey) -> list[RenderableType]:
        data = journey.latest
        bound_ms = data.get("threshold_ms") or self._thresholds_ms.get(name)
        p95 = data.get("latency_ms_p95")
        is_over = bound_ms is not None and p95 is not None and p95 > bound_ms
        return [
            Text(in_line(name, 40)),
            f"{data.get('requests', 0):,}",
            _ms(data.get("latency_ms_p50")),
            # One second over the bound decides nothing; it is only worth a look.
            Text(_ms(p95), style=STYLE[Verdict.INCONCLUSIVE] if is_over else ""),
            Text(_ms(bound_ms), style="dim"),
            Text(f"{journey.failures:,}", style=STYLE[Verdict.INCONCLUSIVE] if journey.failures else ""),
        ]

    def _load_line(self, second: int) -> str:
        each = [
            f"{in_line(name, 40)} {j.latest.get('requests', 0)}/s p95 {_ms(j.latest.get('latency_ms_p95'))}, {j.failures} failed"
            for name, j in self._journeys.items()
        ]
        return f"  load {second} s: {'; '.join(each)}"


class _Bounded:
    """Holds what it shows to a width a line of text can still be read at."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self._content, options.update_width(min(options.max_width, WIDTH_MAX)))


def _light(latest: LoadSecond, can_draw: bool) -> Text:
    """Return the validity light: is the generator itself keeping time?"""
    if "is_valid" not in latest and "lag_ms_p99" not in latest:
        return Text()
    lag = f", {_ms(latest['lag_ms_p99'])} late at p99" if "lag_ms_p99" in latest else ""
    dot = "●" if can_draw else "*"
    if latest.get("is_valid", True):
        return Text.assemble((dot, STYLE[Verdict.PASS]), f" valid{lag}")
    return Text.assemble((dot, STYLE[Verdict.INCONCLUSIVE]), f" not valid{lag}")


def _counts(stage: _Stage) -> str:
    parts = [f"{stage.verdicts[v]:,} {word}" for v, word in VERDICT_WORD.items() if stage.verdicts[v]]
    if stage.checks_left:
        parts.append(f"{stage.checks_left} to come")
    return ", ".join(parts) or "nothing to say"


def _colored_counts(stage: _Stage) -> Text:
    text = Text()
    for verdict, word in VERDICT_WORD.items():
        if number := stage.verdicts[verdict]:
            is_calm = verdict in (Verdict.PASS, Verdict.NOT_MEASURED)
            text.append(", " if text else "")
            text.append(f"{number:,} {word}", style="" if is_calm else STYLE[verdict])
    if stage.checks_left:
        text.append(f"{', ' if text else ''}{stage.checks_left} to come", style="dim")
    return text


def _ms(value: float | None) -> str:
    return "" if value is None else amount(round(value, 1 if value < 10 else None), "ms")


def _clock_text(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
