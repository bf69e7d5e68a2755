"""Charts: what is drawn lies where the numbers say, and nothing breaks on odd numbers."""

from __future__ import annotations

import math
import re

import pytest

from shipworthy.contract.finding import Distribution, Measure, Series
from shipworthy.gauntlet.report.charts import (
    POINTS_MAX,
    SIZE,
    Axis,
    interval_bar,
    latency_curve,
    ring,
    seconds_per_point,
    timeline,
)
from tests.support.page import Element, parse


def number(element: Element, name: str) -> float:
    return float(element.attributes[name] or "")


def points(path: Element) -> list[tuple[float, float]]:
    pairs = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.attributes["d"] or "")
    return [(float(x), float(y)) for x, y in pairs]


def share(low: float, high: float, *, bound: float = 0.05) -> Measure:
    return Measure(name="slow", unit="share", estimate=(low + high) / 2, low=low, high=high, bound=bound)


def test_an_axis_places_values_and_holds_strays_within_the_drawing() -> None:
    assert [Axis(0, 200).at(v) for v in (-5, 0, 50, 200, 999)] == [0, 0, 250, SIZE, SIZE]
    log = Axis(1, 1000, is_log=True)
    assert [log.at(v) for v in (1, 10, 100, 1000)] == [0, 333.3, 666.7, SIZE]


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis(0, 71), [0, 20, 40, 60]),
        (Axis(0, 200), [0, 50, 100, 150, 200]),
        (Axis(0, 0.4), [0, 0.1, 0.2, 0.30000000000000004, 0.4]),
        (Axis(8, 260, is_log=True), [10, 20, 50, 100, 200]),
    ],
)
def test_ticks_are_round_numbers_within_the_axis(axis: Axis, ticks: list[float]) -> None:
    assert axis.ticks() == pytest.approx(ticks)


def test_a_holding_interval_lies_left_of_the_bound_and_a_failing_one_right() -> None:
    for measure, is_left in ((share(0.001, 0.009), True), (share(0.121, 0.204), False)):
        bar = parse(interval_bar(measure).text).one("svg")
        interval, line = bar.one("rect", "interval"), bar.one("line", "bound")
        left, right = number(interval, "x"), number(interval, "x") + number(interval, "width")
        assert (right < number(line, "x1")) is is_left
        assert (left > number(line, "x1")) is not is_left
        assert number(bar.one("rect", "beyond"), "x") == number(line, "x1")


def test_an_interval_that_holds_the_bound_crosses_its_line() -> None:
    bar = parse(interval_bar(share(0.038, 0.064)).text).one("svg")
    interval, line = bar.one("rect", "interval"), number(bar.one("line", "bound"), "x1")
    assert number(interval, "x") < line < number(interval, "x") + number(interval, "width")


def test_the_bar_says_its_numbers_to_those_who_do_not_see_it() -> None:
    bar = parse(interval_bar(share(0.001, 0.009)).text).one("svg")
    assert (bar.attributes["aria-label"] or "").replace("\u00a0", " ") == "0.1 to 0.9 %; bound 5 %"


@pytest.mark.parametrize(("low", "high", "bound"), [(0, 0, 0), (0, 0, 0.05), (3, 3, 0), (1e6, 1e6, 1)])
def test_intervals_without_width_or_bound_stay_visible_and_within(
    low: float, high: float, bound: float
) -> None:
    interval = parse(interval_bar(share(low, high, bound=bound)).text).one("rect", "interval")
    assert number(interval, "width") > 0
    assert 0 <= number(interval, "x") <= number(interval, "x") + number(interval, "width") <= SIZE


def test_the_latency_curve_rises_and_meets_the_threshold_where_the_points_do() -> None:
    curve = Distribution(
        journey="login", threshold_ms=100.0, points=((10.0, 0.1), (50.0, 0.5), (100.0, 0.95), (400.0, 1.0))
    )
    svg = parse(latency_curve(curve).text).one("svg")
    drawn = points(svg.one("path", "curve"))
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert [y for _, y in drawn] == [900, 500, 50, 0]
    assert drawn[2][0] == pytest.approx(number(svg.one("line", "bound"), "x1"), abs=1)


@pytest.mark.parametrize(
    "points",
    [(), ((0.0, 0.5), (math.inf, 1.0)), ((5.0, 1.0),), ((5.0, 0.2), (5.0, 1.0)), ((math.nan, 1.0),)],
)
@pytest.mark.parametrize("threshold_ms", [None, 200.0])
def test_odd_distributions_are_drawn_without_complaint(
    points: tuple[tuple[float, float], ...], threshold_ms: float | None
) -> None:
    html = latency_curve(Distribution(journey="a", threshold_ms=threshold_ms, points=points)).text
    assert "nan" not in html
    assert "inf" not in html
    parse(html)


def run(**changes: tuple[object, ...]) -> Series:
    facts = {
        "latency_ms_p50": (10.0, 10.0, 10.0, 10.0),
        "latency_ms_p95": (20.0, 80.0, 20.0, 20.0),
        "requests": (5, 5, 5, 5),
        "failures": (0, 0, 0, 0),
    }
    return Series(journey="login", **{**facts, **changes})  # type: ignore[arg-type]


def test_a_second_without_requests_is_a_gap_in_the_curve() -> None:
    drawn = parse(timeline(run(requests=(5, 5, 0, 5)), threshold_ms=100.0, numbers={}).text)
    p95 = next(p for p in drawn.all("path", "curve") if "soft" not in p.classes)
    assert (p95.attributes["d"] or "").count("M") == 2
    assert len(points(p95)) == 3


def test_failures_are_drawn_as_high_as_they_were_many_and_only_when_there_were_any() -> None:
    assert not parse(timeline(run(), threshold_ms=None, numbers={}).text).all("path", "failures")
    drawn = parse(timeline(run(failures=(0, 4, 2, 0)), threshold_ms=None, numbers={}).text)
    heights = re.findall(r"v-(\d+)", drawn.one("path", "failures").attributes["d"] or "")
    assert heights == ["1000", "500"]
    labels = [svg.attributes["aria-label"] for svg in drawn.all("svg")]
    assert "6 failed of 20 requests" in labels


def test_marks_stand_at_their_second_with_the_number_of_the_list() -> None:
    series = run(marks=((1.5, "worker killed"),))
    drawn = parse(timeline(series, threshold_ms=None, numbers={(1.5, "worker killed"): 7}).text)
    assert number(drawn.one("line", "mark"), "x1") == 500
    flag = drawn.one("div", "flags").one("b")
    assert (flag.text, flag.attributes["style"]) == ("7", "left:50.0%")


def test_a_long_run_keeps_its_worst_seconds_when_it_is_thinned() -> None:
    seconds = 3600
    p95 = tuple(900.0 if s == 1777 else 20.0 for s in range(seconds))
    series = run(
        latency_ms_p50=(5.0,) * seconds,
        latency_ms_p95=p95,
        requests=(9,) * seconds,
        failures=tuple(int(s == 2222) for s in range(seconds)),
    )
    drawn = parse(timeline(series, threshold_ms=None, numbers={}).text)
    curve = points(next(p for p in drawn.all("path", "curve") if "soft" not in p.classes))
    assert len(curve) == seconds / seconds_per_point(seconds) <= POINTS_MAX
    assert min(y for _, y in curve) < 200
    assert (drawn.one("path", "failures").attributes["d"] or "").count("M") == 1


@pytest.mark.parametrize("length", [0, 1])
def test_a_run_of_no_seconds_is_drawn_without_complaint(length: int) -> None:
    series = run(
        latency_ms_p50=(0.0,) * length,
        latency_ms_p95=(math.nan,) * length,
        requests=(0,) * length,
        failures=(0,) * length,
    )
    assert "nan" not in timeline(series, threshold_ms=None, numbers={}).text


@pytest.mark.parametrize(("part", "dash"), [(0.84, "84.0 100"), (1.0, "100.0 100"), (0.0, None)])
def test_the_ring_is_filled_by_its_share(part: float, dash: str | None) -> None:
    filled = parse(ring(part).text).all("circle", "ring-part")
    assert [c.attributes["stroke-dasharray"] for c in filled] == ([dash] if dash else [])
