"""The page's findings: a card for each that needs a person, a row for each that held."""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.contract.finding import Evidence, Finding, RunResult
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report import flows
from shipworthy.gauntlet.report.markup import Html, Node, joined, tag
from shipworthy.gauntlet.report.parts import TONE, icon, identity, measure_line, section, within
from shipworthy.gauntlet.report.reading import Gap, deciding_measure, gaps, held_by_stage, with_verdict
from shipworthy.gauntlet.report.words import (
    amount,
    clip,
    coverage_sentence,
    in_line,
    measured,
    plural,
    printable,
    repro_command,
)

OPEN_AT_FIRST = 5  # cards; more would bury the second finding under the evidence of the first
EVIDENCE_CHARS_MAX = 4_000
EVIDENCE_MAX = 4
PROSE_CHARS_MAX = 1_600

_KIND_WORD = {"sql": "SQL", "plan": "Plan", "request": "Request", "response": "Response", "log": "Log"}


def failure_section(result: RunResult) -> Html | None:
    """Return what failed, each with cause, fix, evidence and the command that repeats it."""
    found = with_verdict(result, Verdict.FAIL)
    if not found:
        return None
    lead = "The most severe first. Each can be run again alone, with the command on its card."
    return section("What failed", _cards(found, bytes_max=120_000), id_="failed", lead=lead)


def undecided_section(result: RunResult) -> Html | None:
    """Return what could not be called either way: not held, not failed."""
    found = with_verdict(result, Verdict.INCONCLUSIVE)
    if not found:
        return None
    lead = "These could not be called either way; each says why. They keep the run from passing."
    return section("What is undecided", _cards(found, bytes_max=30_000), id_="undecided", lead=lead)


def gap_section(result: RunResult) -> Html | None:
    """Return what was not measured, by reason, with how to make it measurable."""
    found = gaps(result)
    if not found:
        return None
    lead = f"Silence is not success: nothing below counts as held. {coverage_sentence(result)}"
    rows = within(found, _gap, bytes_max=40_000, left_off="reasons")
    return section("What was not measured, and why", tag("div", rows, class_="gaps"), id_="gaps", lead=lead)


def held_section(result: RunResult) -> Html | None:
    """Return what held, by stage, folded away."""
    stages = held_by_stage(result)
    if not stages:
        return None
    each = 70_000 // len(stages)
    folds = [_stage(stage, findings, bytes_max=each) for stage, findings in stages.items()]
    return section("What held", tag("div", *folds), id_="held")


def _cards(findings: Sequence[Finding], *, bytes_max: int) -> Html:
    numbered = list(enumerate(findings))
    cards = within(numbered, _whole_card, _brief_card, _bare_card, bytes_max=bytes_max, left_off="findings")
    return tag("div", cards)


def _whole_card(numbered: tuple[int, Finding]) -> Html:
    position, finding = numbered
    missing = len(finding.evidence) - EVIDENCE_MAX
    left_off = f"{plural(missing, 'further piece')} of evidence in the JSON result."
    return _card(
        finding,
        _facts(finding),
        *(_evidence(e) for e in finding.evidence[:EVIDENCE_MAX]),
        tag("p", left_off, class_="more") if missing > 0 else None,
        is_open=position < OPEN_AT_FIRST,
    )


def _brief_card(numbered: tuple[int, Finding]) -> Html:
    _, finding = numbered
    evidence = tag("p", "Its evidence is in the JSON result.", class_="more") if finding.evidence else None
    return _card(finding, _facts(finding), evidence, is_open=False)


def _bare_card(numbered: tuple[int, Finding]) -> Html:
    _, finding = numbered
    return _card(finding, tag("p", "All of it is in the JSON result.", class_="more"), is_open=False)


def _card(finding: Finding, *content: Node, is_open: bool) -> Html:
    again = tag("p", tag("span", "Run it again", class_="soft"), class_="again")
    command = tag("code", repro_command(finding), class_="command")
    inside = tag("div", *content, again, command, class_="inside")
    class_ = f"card v-{TONE[finding.verdict]}"
    return tag("details", _card_head(finding), inside, class_=class_, open=is_open)


def _card_head(finding: Finding) -> Html:
    return tag(
        "summary",
        icon(TONE[finding.verdict]),
        tag("h3", in_line(finding.title, 240)),
        tag("span", str(finding.severity), class_="severity"),
        identity(finding),
        tag("span", class_="twist"),
    )


def _facts(finding: Finding) -> Html:
    lines = [tag("li", measure_line(m)) for m in finding.measures[:8]]
    facts: list[tuple[str, Node]] = [
        ("Cause", _prose(finding.cause)),
        ("Fix", _prose(finding.fix)),
        ("Where", tag("code", in_line(finding.source, 200)) if finding.source else None),
        ("Measured", tag("ul", *lines) if lines else None),
        ("Playbook", in_line(", ".join(finding.playbook[:20]), 120) or None),
    ]
    pairs = (joined([tag("dt", name), tag("dd", value)]) for name, value in facts if value)
    return tag("dl", *pairs, class_="facts")


def _prose(text: str) -> Html | None:
    """Return a text with what stands between backticks set as code; its lines stay lines."""
    parts = clip(printable(text[: PROSE_CHARS_MAX * 2]).strip(), PROSE_CHARS_MAX).split("`")
    if len(parts) % 2 == 0:  # a backtick without its twin is a character like any other
        parts = ["`".join(parts)]
    marked = [tag("code", part) if n % 2 else part for n, part in enumerate(parts)]
    return tag("span", *marked, class_="prose") if text.strip() else None


def _evidence(evidence: Evidence) -> Html:
    if evidence.kind == "picture":
        return tag("ul", flows.picture(evidence), class_="strip")
    kind = _KIND_WORD.get(evidence.kind, in_line(evidence.kind, 24).capitalize())
    text = printable(evidence.text[:EVIDENCE_CHARS_MAX])
    if (missing := len(evidence.text) - EVIDENCE_CHARS_MAX) > 0:
        text += f"\n… {missing:,} more characters in the JSON result"
    caption = tag("figcaption", tag("b", kind), in_line(evidence.title, 160))
    # tabindex: a block that scrolls must be reachable by keyboard.
    return tag("figure", caption, tag("pre", text, tabindex=0), class_="evidence")


def _gap(gap: Gap) -> Html:
    number = len(gap.findings)
    shown = ", ".join(in_line(f.id, 120) for f in gap.findings[:12])
    shown += f" and {number - 12:,} more" if number > 12 else ""
    return tag(
        "div",
        icon("gap"),
        tag("h3", in_line(gap.reason, 400)),
        tag("div", in_line(gap.fix, 400)) if gap.fix else None,
        tag("div", f"{plural(number, 'check')}: {shown}", class_="id"),
        class_="gap",
    )


def _stage(stage: str, findings: Sequence[Finding], *, bytes_max: int) -> Html:
    rows = within(findings, _held_row, bytes_max=bytes_max, left_off="checks that held")
    head = tag(
        "summary",
        tag("h3", in_line(stage, 60)),
        tag("span", f"{len(findings):,} held", class_="soft"),
        tag("span", class_="twist"),
    )
    return tag("details", head, tag("ul", rows, class_="rows"), class_="stage")


def _held_row(finding: Finding) -> Html:
    measure = deciding_measure(finding)
    value = measured(measure) if measure is not None else ""
    if measure is not None and measure.bound is not None:
        value += f" of {amount(measure.bound, measure.unit)}"
    return tag(
        "li",
        icon("pass"),
        tag("span", in_line(finding.title, 200), identity(finding)),
        tag("span", value, class_="value"),
        class_="v-pass",
    )
