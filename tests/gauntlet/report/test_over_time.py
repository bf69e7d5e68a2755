"""What the runs before show, on the page and in the terminal: verdicts, series, and since when."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from shipworthy.gauntlet.history.kept import Past
from shipworthy.gauntlet.report.html import BYTES_MAX, html_of
from shipworthy.gauntlet.report.over_time import over_time_section, print_history, sparkline
from shipworthy.gauntlet.report.words import NBSP
from tests.support.page import parse
from tests.support.results import HOSTILE, passing_result
from tests.support.runs import STEP, past_runs

RUNS = past_runs()


def printed(past: Past, *, pattern: str = "", width: int = 140) -> str:
    file = StringIO()
    print_history(past, Console(file=file, width=width), pattern=pattern)
    return file.getvalue().replace(NBSP, " ")


def test_the_page_shows_the_runs_and_puts_what_got_worse_first() -> None:
    text = html_of(passing_result(), RUNS)
    section = next(s for s in parse(text).all("section") if s.attributes.get("id") == "over-time")
    rows = section.one("tbody").all("tr")
    assert len(section.one("ol", "run-marks").all("li")) == len(RUNS)
    told = {" ".join(row.text.split()) for row in rows[:2]}
    assert any("slo.login:login" in one and f"since {RUNS[STEP].commit}" in one for one in told)
    assert any("GET /api/invoices" in one and "4 queries to 6 queries" in one for one in told)
    assert len(text.encode()) < BYTES_MAX


def test_two_runs_are_no_trend_and_without_any_the_page_is_as_it_was() -> None:
    assert over_time_section(RUNS[:2]) is None
    assert html_of(passing_result(), ()) == html_of(passing_result())


def test_what_a_target_calls_itself_cannot_break_out_of_the_page() -> None:
    from dataclasses import replace

    hostile = [
        replace(run, commit=HOSTILE, measures={f"{HOSTILE} · x": next(iter(run.measures.values()))})
        for run in RUNS
    ]
    text = html_of(passing_result(), hostile)
    assert "<script>alert" not in text
    assert "\x1b" not in printed(Past(runs=tuple(hostile)))


def test_the_terminal_shows_runs_and_series_and_says_what_it_could_not_read() -> None:
    text = printed(Past(runs=RUNS, unreadable=2, is_shallow=True))
    assert "INVALID RUN" not in text.splitlines()[0]
    assert RUNS[-1].commit in text
    assert "p95 slo.login:login" in text
    assert f"since {RUNS[STEP].commit}" in text
    assert "2 runs could not be read" in text
    assert "--unite origin" in text
    assert "queries budget" not in printed(Past(runs=RUNS), pattern="p95")


def test_a_sparkline_goes_from_the_least_to_the_most() -> None:
    assert sparkline([1.0, 2.0, 3.0, 8.0]) == "▁▂▃█"
    assert sparkline([5.0, 5.0]) == "▄▄"
    assert len(sparkline([float(n) for n in range(100)])) == 24
