"""Charts as inline SVG: intervals against their bound, latency curves, the timeline, the ring.

The drawing stretches with its box while strokes and labels keep their size (labels are HTML
beside the SVG), so one markup serves a phone, a desk and paper. Curves are for reading:
no verdict rests on a drawn point.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipworthy.contract.finding import Distribution, Measure, Series
from shipworthy.gauntlet.report.markup import Html, Node, joined, tag
from shipworthy.gauntlet.report.words import amount, in_line, measured, percent

SIZE = 1000  # the side of every drawing's coordinate square
POINTS_MAX = 240  # per curve: about one for every two pixels of a wide column


@dataclass(frozen=True)
class Axis:
    """A scale from values to 0..SIZE; logarithmic for latencies, whose tail matters."""

    low: float
    high: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value, held within the drawing."""
        low, high, value = self.low, self.high, max(min(value, self.high), self.low)
        if self.is_log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return round((value - low) / (high - low) * SIZE, 1)

    def ticks(self) -> list[float]:
        """Return three to seven round values within the axis."""
        steps = _log_steps(self.low, self.high) if self.is_log else _steps(self.high)
        return [step for step in steps if self.low <= step <= self.high]


def interval_bar(measure: Measure) -> Html:
    """Draw an interval against its bound; the region beyond the bound is shaded."""
    low = measure.estimate if measure.low is None else measure.low
    high = measure.estimate if measure.high is None else measure.high
    limit = measure.bound or 0.0
    axis = Axis(0.0, max(limit * 1.6, high * 1.08, 1e-9))
    at_low, at_high, at_limit = axis.at(low), axis.at(high), axis.at(limit)
    width = max(at_high - at_low, 8.0)  # an interval of no width must still be seen
    shapes = [
        _rect("beyond", at_limit, 0, SIZE - at_limit, SIZE),
        _rect("track", 0, 480, SIZE, 40),
        _rect("interval", min(at_low, SIZE - width), 330, width, 340),
        _line("bound", at_limit, 0, at_limit, SIZE),
    ]
    label = f"{measured(measure)}; bound {amount(limit, measure.unit)}"
    return _drawing(shapes, class_="bar", label=label)


def latency_curve(distribution: Distribution) -> Html:
    """Draw which share of requests was answered within which time."""
    points = [(x, y) for x, y in distribution.points if math.isfinite(x) and x > 0]
    threshold = distribution.threshold_ms
    ends = [x for x, _ in points] + ([threshold] if threshold else [])
    x = Axis(*_log_ends(min(ends, default=1.0), max(ends, default=10.0)), is_log=True)
    y = Axis(0.0, 1.0)
    places = [(x.at(ms), SIZE - y.at(share)) for ms, share in _thinned(points, POINTS_MAX)]
    shapes: list[Node] = []
    if threshold:
        shapes.append(_rect("beyond", x.at(threshold), 0, SIZE - x.at(threshold), SIZE))
    shapes += [_line("grid", 0, SIZE - y.at(t), SIZE, SIZE - y.at(t)) for t in (0.5, 0.95)]
    shapes.append(_path("curve", [places]))
    if threshold:
        shapes.append(_line("bound", x.at(threshold), 0, x.at(threshold), SIZE))
    return _plot(
        _drawing(shapes, class_="canvas", label=f"Latency of {in_line(distribution.journey, 80)}"),
        x_labels=_apart([(x.at(ms), amount(ms, "ms")) for ms in x.ticks()]),
        y_labels=[(y.at(share), percent(share)) for share in (0.0, 0.5, 0.95)],
    )


def timeline(series: Series, *, threshold_ms: float | None, numbers: Mapping[tuple[float, str], int]) -> Html:
    """Draw p50 and p95 second by second, failures below, and a line where something was done.

    `numbers` gives the marks the numbers they have in the list beside the drawings.
    """
    seconds = len(series.requests)
    step = seconds_per_point(seconds)
    x = Axis(0.0, max(seconds - 1.0, 1.0))
    peak = max((v for v in series.latency_ms_p95 if math.isfinite(v)), default=1.0)
    y = Axis(0.0, max(_nice_above(max(peak, threshold_ms or 0.0) * 1.05), 1e-9))
    shapes: list[Node] = [_line("grid", 0, SIZE - y.at(t), SIZE, SIZE - y.at(t)) for t in y.ticks()]
    if threshold_ms:
        shapes.append(_line("bound", 0, SIZE - y.at(threshold_ms), SIZE, SIZE - y.at(threshold_ms)))
    shapes += [_line("mark", x.at(at), 0, x.at(at), SIZE) for at, _ in series.marks]
    for name, values in (("curve soft", series.latency_ms_p50), ("curve", series.latency_ms_p95)):
        shapes.append(_path(name, _runs(values, series.requests, step, x, y)))
    label = f"Latency of {in_line(series.journey, 80)} over time; highest p95 {amount(peak, 'ms')}"
    times = [(x.at(t), amount(t, "s")) for t in _spread(x.ticks(), 6)]
    has_failures = any(series.failures)
    return joined(
        [
            _plot(
                _drawing(shapes, class_="canvas", label=label),
                x_labels=[] if has_failures else times,
                y_labels=[(y.at(t), amount(t, "ms")) for t in _spread(y.ticks(), 4)],
                marks=[(x.at(mark[0]), str(numbers[mark])) for mark in series.marks if mark in numbers],
            ),
            _failures(series, x, step, times) if has_failures else None,
        ]
    )


def spark(values: Sequence[float], *, bound: float | None, changed_at: int | None) -> Html:
    """Draw a measure from run to run, small: its bound where that is near, and where it changed for good."""
    seen = [value for value in values if math.isfinite(value)]
    low, high = min(seen), max(seen)
    if bound is not None and low <= bound <= high * 2:
        high = max(high, bound)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    y = Axis(low - room, high + room)
    x = Axis(0.0, max(len(values) - 1.0, 1.0))
    shapes: list[Node] = []
    if bound is not None and bound <= high:
        shapes.append(_line("bound", 0, SIZE - y.at(bound), SIZE, SIZE - y.at(bound)))
    if changed_at is not None:
        shapes.append(_line("mark", x.at(changed_at - 0.5), 0, x.at(changed_at - 0.5), SIZE))
    shapes.append(_path("curve", [[(x.at(at), SIZE - y.at(value)) for at, value in enumerate(values)]]))
    return _drawing(shapes, class_="spark", label=f"{len(values)} runs, from {low:,.4g} to {high:,.4g}")


def verdicts(runs: Sequence[tuple[str, str]]) -> Html:
    """Draw runs as a row of marks in the colour of their verdicts; each is (tone, what it was)."""
    marks = (
        tag("li", tag("span", said, class_="only-heard"), class_=f"v-{tone}", title=said)
        for tone, said in runs
    )
    return tag("ol", *marks, class_="run-marks")


def seconds_per_point(seconds: int) -> int:
    """Return how many seconds one drawn point stands for, so that a long run stays small."""
    return max(1, math.ceil(seconds / POINTS_MAX))


def ring(share: float) -> Html:
    """Draw a share as a ring, filled clockwise from the top."""
    filled = round(share * 100, 1)
    circle = {"cx": 50, "cy": 50, "r": 42, "pathLength": 100}
    shapes = [
        tag("circle", class_="ring-rest", **circle),
        tag("circle", class_="ring-part", stroke_dasharray=f"{filled} 100", **circle) if filled else None,
    ]
    return tag("svg", *shapes, class_="ring", viewBox="0 0 100 100", aria_hidden="true")


def _failures(series: Series, x: Axis, step: int, times: Sequence[tuple[float, str]]) -> Html:
    total, most = sum(series.failures), max(series.failures)
    width = max(SIZE / len(series.failures) * step * 0.8, 4.0)
    bars = "".join(
        f"M{min(x.at(at), SIZE - width):.0f} {SIZE}v-{SIZE * n / most:.0f}h{width:.0f}V{SIZE}z"
        for at, n in _worst(series.failures, step)
    )
    label = f"{total:,} failed of {sum(series.requests):,} requests"
    return _plot(
        _drawing([tag("path", class_="failures", d=bars)], class_="canvas low", label=label),
        x_labels=times,
        y_labels=[(0.0, "failed")],
    )


def _worst(counts: Sequence[int], step: int) -> list[tuple[int, int]]:
    """Return the worst second of each step that has a count, with the step's start."""
    worst = [(at, max(counts[at : at + step])) for at in range(0, len(counts), step)]
    return [(at, n) for at, n in worst if n]


def _runs(
    values: Sequence[float], requests: Sequence[int], step: int, x: Axis, y: Axis
) -> list[list[tuple[float, float]]]:
    """Return the curve as unbroken runs, the worst of each step, apart where nothing was asked."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at in range(0, len(values), step):
        pairs = zip(values[at : at + step], requests[at : at + step], strict=False)
        seen = [value for value, asked in pairs if asked and math.isfinite(value)]
        if seen:
            runs[-1].append((x.at(at), SIZE - y.at(max(seen))))
        elif runs[-1]:
            runs.append([])
    return runs


def _plot(
    drawing: Html,
    *,
    x_labels: Sequence[tuple[float, str]],
    y_labels: Sequence[tuple[float, str]],
    marks: Sequence[tuple[float, str]] = (),
) -> Html:
    """Put labels around a drawing; places are in drawing units, so they become percentages."""
    ys = [tag("span", text, style=f"bottom:{at / 10:.1f}%") for at, text in y_labels]
    xs = [tag("span", text, style=f"left:{at / 10:.1f}%") for at, text in x_labels]
    flags = [tag("b", text, style=f"left:{at / 10:.1f}%") for at, text in marks]
    below = tag("div", *xs, class_="xs", aria_hidden="true") if xs else None
    above = tag("div", *flags, class_="flags", aria_hidden="true") if flags else None
    return tag("div", above, tag("div", *ys, class_="ys", aria_hidden="true"), drawing, below, class_="plot")


def _drawing(shapes: Sequence[Node], *, class_: str, label: str) -> Html:
    box = f"0 0 {SIZE} {SIZE}"
    frame = {"class_": class_, "viewBox": box, "preserveAspectRatio": "none"}
    return tag("svg", *shapes, role="img", aria_label=label, **frame)


def _rect(class_: str, x: float, y: float, width: float, height: float) -> Html:
    place = {"x": round(x, 1), "y": round(y, 1), "width": round(width, 1), "height": round(height, 1)}
    return tag("rect", class_=class_, **place)


def _line(class_: str, x1: float, y1: float, x2: float, y2: float) -> Html:
    return tag("line", class_=class_, x1=x1, y1=y1, x2=x2, y2=y2)


def _path(class_: str, runs: Sequence[Sequence[tuple[float, float]]]) -> Html | None:
    drawn = ["M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in run) for run in runs if run]
    return tag("path", class_=class_, d="".join(drawn)) if drawn else None


def _thinned(points: Sequence[tuple[float, float]], length_max: int) -> list[tuple[float, float]]:
    step = max(1, math.ceil(len(points) / length_max))
    return [*points[:-1][::step], *points[-1:]]


def _spread(values: Sequence[float], length_max: int) -> list[float]:
    return list(values[:: max(1, math.ceil(len(values) / length_max))])


def _apart(labels: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return the labels that stand at least a fifth of the drawing apart: less overlaps on a phone."""
    kept: list[tuple[float, str]] = []
    for at, text in labels:
        if not kept or at - kept[-1][0] >= SIZE / 5:
            kept.append((at, text))
    return kept


def _log_ends(low: float, high: float) -> tuple[float, float]:
    return low * 0.9, max(high * 1.25, low * 2)


def _log_steps(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [digit * 10.0**power for power in decades for digit in (1, 2, 5)]


def _steps(high: float) -> list[float]:
    width = _nice_above(high / 5)
    return [n * width for n in range(int(high / width + 1e-9) + 1)]


def _nice_above(value: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5, 10 times a power of ten that is not below the value."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return next(power * digit for digit in (1, 2, 2.5, 5, 10) if power * digit >= value * (1 - 1e-9))
