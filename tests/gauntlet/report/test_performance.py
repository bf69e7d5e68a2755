"""Objectives, curves, timeline and drills as a reader of the page sees them."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report import performance
from shipworthy.gauntlet.report.markup import Html
from tests.support.page import Element, parse
from tests.support.results import every_result, finding, full_result, run_result

RESULTS = every_result()


def shown(section: Html | None) -> Element:
    assert section is not None
    return parse(section.text)


def cells(section: Element) -> list[list[str]]:
    rows = section.one("tbody").all("tr")
    return [[" ".join(td.text.split()) for td in r.all("td")] for r in rows]


def test_an_objective_shows_interval_bound_sample_and_verdict() -> None:
    rows = cells(shown(performance.objective_section(RESULTS["fail"])))
    assert rows[0] == [
        "Logins are slower than promised: 16 % took longer than 200 ms login",
        "287 ms of 200 ms",
        "12.1 to 20.4 %, at most 5 %",
        "648 R1, 24 blocks of 3 s",
        "FAIL",
    ]
    assert [r[-1] for r in rows] == ["FAIL", "PASS", "PASS"]


def test_an_objective_that_was_not_measured_says_why_and_draws_nothing() -> None:
    unseen = finding("slo.login", "login", "Logins", Verdict.NOT_MEASURED, cause="No person can sign in.")
    section = shown(performance.objective_section(run_result(findings=(unseen,))))
    assert cells(section)[0][2:] == ["No person can sign in.", "", "NOT MEASURED"]
    assert section.all("svg", "bar") == []


def test_an_invalid_run_gives_no_verdict_on_any_objective() -> None:
    section = shown(performance.objective_section(RESULTS["invalid"]))
    assert [r[-1] for r in cells(section)] == ["NOT COUNTED"] * 3
    assert section.all(class_="v-pass") == []
    assert shown(performance.curve_section(RESULTS["invalid"])).all(class_="v-pass") == []


def test_without_objectives_the_page_says_that_none_was_examined() -> None:
    section = shown(performance.objective_section(RESULTS["nothing"]))
    assert "No service objective was examined" in section.text
    assert section.all("table") == []


def test_a_curve_says_how_much_kept_the_promise_and_its_quantiles() -> None:
    section = shown(performance.curve_section(RESULTS["fail"]))
    login = section.all("figure")[0]
    assert "81.1 % within 200 ms" in login.text.replace("\u00a0", " ")
    assert [li.text.split("\u00a0")[0] for li in login.one("ul", "quantiles").all("li")] == [
        "p50 119",
        "p95 296",
        "p99 522",
    ]
    assert login.one("span", "tone").classes == ["tone", "v-fail"]
    assert performance.curve_section(RESULTS["partial"]) is None


def test_the_timeline_lists_what_was_done_with_the_number_it_has_in_the_drawing() -> None:
    section = shown(performance.timeline_section(RESULTS["pass"]))
    listed = [li.text.replace("\u00a0", " ") for li in section.all("ol")[0].all("li")]
    assert listed == ["134 s: PDF worker killed", "252 s: Database restarted"]
    flags = [[b.text for b in f.all("b")] for f in section.all("div", "flags")]
    assert flags == [["1", "2"]] * 3
    assert "661 requests" not in section.text
    assert performance.timeline_section(RESULTS["partial"]) is None


def test_a_long_timeline_says_how_many_seconds_a_point_stands_for() -> None:
    lead = shown(performance.timeline_section(full_result())).one("p", "lead").text
    assert "Each point is the worst of 5 seconds." in lead
    assert "Each point" not in shown(performance.timeline_section(RESULTS["pass"])).one("p", "lead").text


def test_journeys_number_their_own_marks_by_the_common_list() -> None:
    first, second, *_ = RESULTS["pass"].series
    apart = (
        replace(first, marks=((10.0, "late"),)),
        replace(second, marks=((5.0, "early"), (10.0, "late"))),
    )
    section = shown(performance.timeline_section(replace(RESULTS["pass"], series=apart)))
    assert [[b.text for b in f.all("b")] for f in section.all("div", "flags")] == [["2"], ["1", "2"]]


def test_a_drill_shows_what_was_lost_doubled_and_how_fast_it_recovered() -> None:
    section = shown(performance.drill_section(RESULTS["fail"]))
    rows = cells(section)
    assert "lost: 3 jobs, none allowed" in rows[0][1]
    assert "recovery: 6.4 s, at most 30 s" in rows[0][1]
    assert rows[-1][1:] == ["The app declares no OAuth keys.", "NOT MEASURED"]
    assert performance.drill_section(RESULTS["partial"]) is None


def test_drills_that_were_not_run_are_not_said_to_have_broken_anything() -> None:
    assert "No drill could be run." in shown(performance.drill_section(RESULTS["stranger"])).text
    assert "broken on purpose" in shown(performance.drill_section(RESULTS["pass"])).text
