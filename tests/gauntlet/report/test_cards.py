"""Cards: a finding says what is wrong, what to do, where, how it was seen, and how to repeat it."""

from __future__ import annotations

from shipworthy.contract.finding import Evidence
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.report import cards
from shipworthy.gauntlet.report.markup import Html
from tests.support.page import Element, parse
from tests.support.results import every_result, finding, run_result

RESULTS = every_result()


def shown(section: Html | None) -> Element:
    assert section is not None
    return parse(section.text)


def test_a_failure_shows_cause_fix_place_measure_evidence_and_command() -> None:
    card = shown(cards.failure_section(RESULTS["partial"])).one("details", "card")
    facts = dict(zip([e.text for e in card.all("dt")], [e.text for e in card.all("dd")], strict=True))
    assert list(facts) == ["Cause", "Fix", "Where", "Measured", "Playbook"]
    assert facts["Where"] == "rooms/invoicing/list.py:41"
    assert "52\u00a0queries, at most 6" in facts["Measured"]
    assert "from invoice_line" in card.all("pre")[0].text
    assert card.one("code", "command").text == (
        "shipworthy gauntlet --only 'budget.queries_per_route:GET /api/invoices'"
    )
    assert card.one("span", "severity").text == "high"


def test_facts_that_are_not_known_take_no_place() -> None:
    bare = run_result(findings=(finding("a.b", "c", "It fails", Verdict.FAIL),))
    assert shown(cards.failure_section(bare)).all("dt") == []


def test_the_severe_comes_first_and_only_the_first_few_stand_open() -> None:
    many = [
        finding("a.b", str(n), f"f{n}", Verdict.FAIL, severity=Severity.LOW if n else Severity.CRITICAL)
        for n in range(9)
    ]
    found = shown(cards.failure_section(run_result(findings=many[::-1]))).all("details", "card")
    assert found[0].one("h3").text == "f0"
    assert ["open" in card.attributes for card in found] == [True] * 5 + [False] * 4


def test_code_between_backticks_is_set_as_code_and_lines_stay_lines() -> None:
    fix = "Run `shipworthy calibrate`,\nthen `make bench`."
    failed = finding("a.b", "c", "t", Verdict.FAIL, fix=fix, cause="a lone ` stays")
    card = shown(cards.failure_section(run_result(findings=(failed,)))).one("details", "card")
    cause, repaired = card.all("span", "prose")
    assert [code.text for code in repaired.all("code")] == ["shipworthy calibrate", "make bench"]
    assert "\n" in repaired.text
    assert (cause.text, cause.all("code")) == ("a lone ` stays", [])


def test_long_evidence_is_cut_with_a_count_and_reachable_by_keyboard() -> None:
    long = Evidence(kind="plan", title="The plan", text="x" * 5_000)
    failed = finding("a.b", "c", "t", Verdict.FAIL, evidence=(long,) * 6)
    card = shown(cards.failure_section(run_result(findings=(failed,)))).one("details", "card")
    assert [pre.attributes["tabindex"] for pre in card.all("pre")] == ["0"] * 4
    assert card.all("pre")[0].text.endswith("\n… 1,000 more characters in the JSON result")
    assert card.one("p", "more").text == "2 further pieces of evidence in the JSON result."


def test_undecided_findings_have_cards_of_their_own() -> None:
    assert cards.undecided_section(RESULTS["pass"]) is None
    card = shown(cards.undecided_section(RESULTS["inconclusive"])).one("details", "card")
    assert "v-open" in card.classes


def test_what_was_not_measured_stands_with_reason_remedy_and_names() -> None:
    section = shown(cards.gap_section(RESULTS["stranger"]))
    first = section.all("div", "gap")[0]
    assert first.one("h3").text == "gauntlet.toml names no database, so its queries and rows cannot be seen."
    assert 'Add database = "postgresql://…" to [target].' in first.text
    assert "5 checks: budget.queries_per_route:every route" in first.text
    assert "4 of 13 kinds of check were measured" in section.one("p", "lead").text
    assert cards.gap_section(RESULTS["full"]) is None


def test_what_held_is_folded_by_stage_with_value_and_bound() -> None:
    section = shown(cards.held_section(RESULTS["pass"]))
    assert [d.one("h3").text for d in section.all("details")] == [
        "data",
        "requests",
        "budgets",
        "load",
        "drills",
    ]
    assert not [d for d in section.all("details") if "open" in d.attributes]
    values = [e.text.replace("\u00a0", " ") for e in section.all("span", "value")]
    assert len(values) == 50
    assert "41.2 kB of 60 kB" in values
    assert cards.held_section(RESULTS["nothing"]) is None
