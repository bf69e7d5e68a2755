"""Words: a sentence that claims no more than was measured, amounts a person can read."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from shipworthy.contract.finding import Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.words import (
    NBSP,
    amount,
    bound,
    coverage_sentence,
    duration,
    in_line,
    labels,
    measured,
    printable,
    repro_command,
    verdict_sentence,
)
from tests.support.results import HOSTILE, every_result, finding, run_result

RESULTS = every_result()


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pass", "Acme passes the quick gauntlet: 50 checks held, 3 were not measured."),
        ("full", "Acme passes: all 50 checks held."),
        (
            "fail",
            "Acme fails 4 checks: one tenant can read another's documents; "
            "the invoice list repeats one query 50 times per request; and 2 more.",
        ),
        (
            "inconclusive",
            "Acme is undecided: 1 check could not be called either way, 49 held, 3 were not measured.",
        ),
        (
            "stranger",
            "orders-demo passes the 30 % that could be measured of the quick gauntlet: "
            "4 checks held, 9 were not measured.",
        ),
        (
            "invalid",
            "This run of Acme does not count: "
            "the load generator was late in 9 of 24 blocks (p99 41 ms, 5 ms allowed).",
        ),
        ("partial", "Acme fails 1 check: the invoice list repeats one query 50 times per request."),
        ("nothing", "Nothing was examined on Acme: the run holds no checks."),
    ],
)
def test_the_sentence_says_what_was_found_and_no_more(name: str, sentence: str) -> None:
    assert plain(verdict_sentence(RESULTS[name])) == sentence


def test_a_run_that_measured_nothing_does_not_pass_in_words() -> None:
    unseen = finding("plans.index_used", "a", "A", Verdict.NOT_MEASURED)
    result = run_result(findings=(unseen,), mode="full")
    assert verdict_sentence(result) == "Nothing was measured on Acme: none of 1 check could run."


def test_an_invalid_run_never_passes_or_fails_in_words() -> None:
    for name in ("pass", "fail"):
        sentence = verdict_sentence(replace(RESULTS[name], valid=False))
        assert sentence == "This run of Acme does not count: it was declared invalid and gives no reason."


def test_a_full_run_with_gaps_in_coverage_says_how_much_it_rests_on() -> None:
    result = replace(RESULTS["stranger"], mode="full")
    assert "passes the 30 % that could be measured of the gauntlet:" in plain(verdict_sentence(result))


def test_the_same_failure_on_many_subjects_is_named_once() -> None:
    same = [finding("headers.csp", f"GET /{n}", "The page has no policy", Verdict.FAIL) for n in range(5)]
    assert verdict_sentence(run_result(findings=same)) == "Acme fails 5 checks: the page has no policy."


def test_a_title_that_starts_with_a_name_keeps_its_capital() -> None:
    failed = finding("a.b", "c", "POST /invoices sent twice makes two invoices.", Verdict.FAIL)
    said = verdict_sentence(run_result(findings=(failed,)))
    assert said == "Acme fails 1 check: POST /invoices sent twice makes two invoices."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("full", []),
        ("pass", ["quick, not for release"]),
        ("partial", ["partial, only the chosen checks"]),
        ("stranger", ["quick, not for release", "only 30 % measured"]),
        ("nothing", ["quick, not for release"]),
    ],
)
def test_what_limits_a_verdict_stands_beside_it(name: str, expected: list[str]) -> None:
    assert [plain(label) for label in labels(RESULTS[name])] == expected


def test_the_command_that_repeats_a_finding_survives_the_shell() -> None:
    plain_one = finding("budget.queries_per_route", "GET /api/invoices", "t")
    assert repro_command(plain_one) == (
        "shipworthy gauntlet --only 'budget.queries_per_route:GET /api/invoices'"
    )
    for subject in ("it's", 'a b; rm -rf $HOME `x` "y"', "''; $(x)"):
        command = repro_command(finding("a.b", subject, "t"))
        assert shlex.split(command) == ["shipworthy", "gauntlet", "--only", f"a.b:{subject}"]


@pytest.mark.parametrize("subject", [HOSTILE, "two\nlines", "x" * 400])
def test_a_subject_nobody_can_type_is_left_off_the_command(subject: str) -> None:
    assert repro_command(finding("a.b", subject, "t")) == "shipworthy gauntlet --only 'a.b'"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (143.2, "ms", "143 ms"),
        (0.834, "s", "0.83 s"),
        (99.0, "ms", "99 ms"),
        (1728, "", "1,728"),
        (1, "queries", "1 query"),
        (1, "jobs", "1 job"),
        (52, "queries", "52 queries"),
        (48_200, "bytes", "48.2 kB"),
        (0.05, "share", "5 %"),
        (0.0, "share", "0 %"),
        (0.0004, "share", "< 0.1 %"),
        (0.9999, "share", "> 99.9 %"),
        (1.0, "share", "100 %"),
    ],
)
def test_amounts_read_as_a_person_writes_them(value: float, unit: str, text: str) -> None:
    assert plain(amount(value, unit)) == text


def test_an_interval_names_its_unit_once_unless_it_changes() -> None:
    interval = Measure(name="m", unit="share", estimate=0.01, low=0.006, high=0.019, bound=0.05)
    assert plain(measured(interval)) == "0.6 to 1.9 %"
    assert plain(bound(interval)) == "at most 5 %"
    weights = Measure(name="m", unit="bytes", estimate=950, low=900, high=1200)
    assert plain(measured(weights)) == "900 bytes to 1.2 kB"
    assert plain(measured(Measure(name="m", unit="ms", estimate=3, low=3, high=3))) == "3 ms"
    assert bound(weights) == ""


def test_a_bound_of_zero_reads_as_none_allowed() -> None:
    assert bound(Measure(name="lost", unit="jobs", estimate=3, bound=0)) == "none allowed"
    assert plain(bound(Measure(name="q", unit="queries", estimate=52, bound=6))) == "at most 6"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.94, "0.9 s"), (48, "48 s"), (161.4, "2 min 41 s"), (3840, "1 h 04 min"), (59.8, "60 s")],
)
def test_durations_read_as_a_person_writes_them(seconds: float, text: str) -> None:
    assert plain(duration(seconds)) == text


def test_characters_that_act_or_disguise_are_made_visible() -> None:
    assert printable("a\x1b[2Jb\x07\u202ec\r\nd\te\x00\x85") == "a�[2Jb��c\nd\te��"
    assert in_line("a\n  b\tc", 80) == "a b c"
    assert in_line("abcdef", 4) == "abc…"
    assert in_line("Grüße 東京 🚢", 80) == "Grüße 東京 🚢"


def test_coverage_is_said_in_kinds_of_check() -> None:
    assert coverage_sentence(RESULTS["stranger"]) == (
        "4 of 13 kinds of check were measured on at least one subject, 4 of 13 subjects in all."
    )
