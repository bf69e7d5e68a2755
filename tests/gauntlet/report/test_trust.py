"""The report on itself: validity, the gate's error rates, machine and run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipworthy.gauntlet.report.trust import moment, trust_section
from tests.support.page import Element, parse
from tests.support.results import every_result

RESULTS = every_result()


def shown(name: str) -> Element:
    return parse(trust_section(RESULTS[name]).text)


def test_the_gates_error_rates_are_shown_by_kind_of_noise() -> None:
    rows = [
        [td.text.replace("\u00a0", " ") for td in r.all("td")] for r in shown("pass").one("tbody").all("tr")
    ]
    assert rows == [
        ["Quiet", "0 %", "1.1 %"],
        ["Overdispersed", "0.2 %", "1.8 %"],
        ["Bursty", "9.7 %", "4.1 %"],
    ]
    assert "simulated by make bench NAME=judge" in shown("pass").text


def test_a_rate_that_was_not_simulated_says_so() -> None:
    assert "not simulated" in shown("hostile").text


def test_unknown_error_rates_are_admitted_where_an_objective_was_judged() -> None:
    admitted = "The error rates of the gate that judged the objectives are not known"
    assert admitted in parse(trust_section(replace(RESULTS["pass"], error_rates=())).text).text
    assert admitted not in shown("partial").text


@pytest.mark.parametrize(
    ("name", "tone", "said"),
    [
        ("pass", "v-pass", "The run is valid"),
        (
            "invalid",
            "v-open",
            "not valid, so nothing in this report is a verdict: The load generator was late",
        ),
        ("nothing", "v-gap", "Nothing was measured, so there is nothing to trust."),
    ],
)
def test_validity_is_said_in_a_sentence(name: str, tone: str, said: str) -> None:
    statement = shown(name).one("p", "statement")
    assert tone in statement.classes
    assert said in statement.text


def test_the_run_and_its_machine_are_named() -> None:
    facts = dict(
        zip(
            [e.text for e in shown("fail").all("dt")],
            [e.text.replace("\u00a0", " ") for e in shown("fail").all("dd")],
            strict=True,
        )
    )
    assert facts["Started"] == "27 July 2026, 14:03 UTC"
    assert facts["Took"] == "2 min 41 s"
    assert facts["Examined"] == "Acme at commit 5d1c0be"
    assert facts["Examiner"] == "Shipworthy 0.1.0"
    assert facts["Exit code"] == "1"
    assert facts["CPU"] == "AMD EPYC 7B13, 2 cores"
    assert facts["Coverage"].startswith("84 % of the checks, 94 % of their subjects. 16 of 19 kinds")


def test_notes_are_shown() -> None:
    assert "It was repeated once, as the rules say" in shown("invalid").one("ul", "notes").text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("2026-07-05T23:30:00-02:00", "6 July 2026, 01:30 UTC"),
        ("2026-07-27T14:03:12.25Z", "27 July 2026, 14:03 UTC"),
        ("yesterday", "yesterday"),
    ],
)
def test_the_start_is_said_in_utc(given: str, said: str) -> None:
    assert moment(given) == said
