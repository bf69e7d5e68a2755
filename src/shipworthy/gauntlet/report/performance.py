"""The page's sections on speed and failure: objectives, latency curves, the timeline, drills."""

from __future__ import annotations

from shipworthy.contract.finding import Distribution, Finding, RunResult, Series
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report import charts
from shipworthy.gauntlet.report.markup import Html, tag
from shipworthy.gauntlet.report.parts import (
    NOT_COUNTED,
    TONE,
    cell,
    chip,
    icon,
    measure_line,
    row,
    section,
    table,
    within,
)
from shipworthy.gauntlet.report.reading import (
    deciding_measure,
    drills,
    latency_at,
    objectives,
    p95_of,
    share_within,
)
from shipworthy.gauntlet.report.words import amount, bound, in_line, measured, percent


def objective_section(result: RunResult) -> Html:
    """Return the objectives as a table of intervals against their bounds."""
    found = objectives(result)
    if not found:
        lead = "No service objective was examined in this run."
        return section("Service objectives", id_="objectives", lead=lead)
    heads = [
        ("", "Objective"),
        ("number", "p95"),
        ("meter", "Share too slow or failed"),
        ("number", "Requests"),
        ("", "Verdict"),
    ]
    lead = (
        "An objective holds when the whole interval stays left of its line. "
        "Failed, refused and timed-out requests count as too slow."
    )
    if not result.valid:
        lead = "The run is not valid: these numbers are shown and claim nothing."
    rows = [_objective_row(f, is_valid=result.valid) for f in found[:ROWS_MAX]]
    return section("Service objectives", table(heads, rows), id_="objectives", lead=lead)


def curve_section(result: RunResult) -> Html | None:
    """Return the latency curves, or nothing where no latency was measured."""
    if not result.distributions:
        return None
    tones = _tones(result)
    lead = (
        "How many requests were answered within which time. "
        "The dashed line is the promise; the shaded part lies beyond it."
    )
    content = within(
        result.distributions,
        lambda curve: _curve_figure(curve, tones.get(curve.journey, "")),
        bytes_max=32_000,
        left_off="curves",
    )
    return section("How fast, for how many", tag("div", content, class_="figures"), id_="curves", lead=lead)


def timeline_section(result: RunResult) -> Html | None:
    """Return the run second by second, with what was done to the app, or nothing."""
    if not result.series:
        return None
    marks = sorted({mark for series in result.series for mark in series.marks})[:MARKS_MAX]
    numbers = {mark: number for number, mark in enumerate(marks, 1)}
    thresholds = {d.journey: d.threshold_ms for d in result.distributions}
    figures = within(
        result.series,
        lambda series: _timeline_figure(series, thresholds.get(series.journey), numbers),
        bytes_max=80_000,
        left_off="timelines",
    )
    return section(
        "Second by second",
        _legend(),
        tag("div", figures, class_="figures wide"),
        tag("ol", *(_mark(number, at, text) for (at, text), number in numbers.items()), class_="legend")
        if marks
        else None,
        id_="timeline",
        lead=_timeline_lead(result.series, has_marks=bool(marks)),
    )


def drill_section(result: RunResult) -> Html | None:
    """Return what was broken on purpose and how the app took it, or nothing."""
    found = drills(result)
    if not found:
        return None
    heads = [("", "Drill"), ("", "What was counted"), ("", "Verdict")]
    was_run = any(f.verdict is not Verdict.NOT_MEASURED for f in found)
    lead = "Parts were broken on purpose while the app was in use." if was_run else "No drill could be run."
    rows = [_drill_row(f) for f in found[:ROWS_MAX]]
    return section("Drills", table(heads, rows), id_="drills", lead=lead)


ROWS_MAX = 40  # of a table: an app with more is read in the JSON result
MARKS_MAX = 30


def _objective_row(finding: Finding, *, is_valid: bool) -> Html:
    said = chip(finding.verdict) if is_valid else NOT_COUNTED
    measure, p95 = deciding_measure(finding), p95_of(finding)
    name = (tag("b", in_line(finding.title, 160)), " ", tag("small", in_line(finding.subject, 80)))
    if measure is None or finding.verdict is Verdict.NOT_MEASURED:
        reason = cell(in_line(finding.cause or "No reason was given.", 300), class_="meter")
        return row(
            cell(*name),
            cell("", class_="number"),
            reason,
            cell("", class_="number"),
            cell(said),
        )
    p95_text = (amount(p95.estimate, p95.unit), _of(p95.bound)) if p95 else ("", None)
    samples = f"{measure.samples:,}" if measure.samples is not None else ""
    return row(
        cell(*name),
        cell(p95_text[0], " ", p95_text[1], class_="number", label="p95"),
        cell(
            charts.interval_bar(measure) if measure.bound is not None else None,
            measured(measure),
            tag("small", f", {bound(measure)}") if measure.bound is not None else None,
            class_=f"meter v-{TONE[finding.verdict] if is_valid else 'gap'}",
        ),
        cell(samples, " ", tag("small", in_line(measure.method, 60)), class_="number", label="Requests"),
        cell(said),
    )


def _of(bound_ms: float | None) -> Html | None:
    return tag("small", f"of {amount(bound_ms, 'ms')}") if bound_ms is not None else None


def _tones(result: RunResult) -> dict[str, str]:
    return {f.subject: TONE[f.verdict] for f in objectives(result)} if result.valid else {}


def _curve_figure(distribution: Distribution, tone: str) -> Html:
    share = share_within(distribution)
    promise = amount(distribution.threshold_ms, "ms") if distribution.threshold_ms else ""
    said = tag("span", f"{percent(share)} within {promise}", class_="soft") if share is not None else None
    name = in_line(distribution.journey, 60)
    title = tag("h3", tag("span", icon(tone), class_=f"tone v-{tone}") if tone else None, name)
    quantiles = [
        tag("li", f"p{q:.0f} ", tag("b", amount(latency, "ms")))
        for q in (50.0, 95.0, 99.0)
        if (latency := latency_at(distribution, q / 100)) is not None
    ]
    return tag(
        "figure",
        tag("figcaption", title, said),
        charts.latency_curve(distribution),
        tag("ul", *quantiles, class_="quantiles"),
    )


def _timeline_figure(
    series: Series, threshold_ms: float | None, numbers: dict[tuple[float, str], int]
) -> Html:
    total, failed = sum(series.requests), sum(series.failures)
    said = f"{total:,} requests, {failed:,} failed"
    return tag(
        "figure",
        tag("figcaption", tag("h3", in_line(series.journey, 60)), tag("span", said, class_="soft")),
        charts.timeline(series, threshold_ms=threshold_ms, numbers=numbers),
    )


def _timeline_lead(series: tuple[Series, ...], *, has_marks: bool) -> str:
    longest = max(len(s.requests) for s in series)
    step = charts.seconds_per_point(longest)
    worst = "" if step == 1 else f" Each point is the worst of {step} seconds."
    return f"Latency and failures while the load ran.{worst}" + (
        " The numbers mark what was done." if has_marks else ""
    )


def _legend() -> Html:
    keys = (("path", "curve", "p95"), ("path", "curve soft", "p50"), ("line", "bound", "promise"))
    return tag("ul", *(_key(class_, text) for _, class_, text in keys), class_="legend", aria_hidden="true")


def _key(class_: str, text: str) -> Html:
    shape = (
        tag("line", class_=class_, x1=0, y1=5, x2=28, y2=5)
        if class_ == "bound"
        else tag("path", class_=class_, d="M0 5L28 5")
    )
    return tag("li", tag("svg", shape, viewBox="0 0 28 10"), text)


def _mark(number: int, at_s: float, text: str) -> Html:
    return tag("li", tag("b", str(number)), f"{amount(at_s, 's')}: {in_line(text, 160)}")


def _drill_row(finding: Finding) -> Html:
    lines = [tag("li", measure_line(m)) for m in finding.measures[:8]]
    counted = tag("ul", *lines) if lines else in_line(finding.cause, 300)
    return row(
        cell(tag("b", in_line(finding.title, 200)), " ", tag("small", in_line(finding.subject, 80))),
        cell(counted),
        cell(chip(finding.verdict)),
    )
