"""The report as one HTML page: self-contained, under 500 kB, without a script.

Owns the order of the page and its hero. A content security policy in the page forbids every
script and every request, so even a hole in our escaping could do nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from shipworthy.contract.finding import RunResult
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.history.record import Record
from shipworthy.gauntlet.report import budgets, cards, charts, flows, pages, performance, trust
from shipworthy.gauntlet.report.markup import Attribute, Html, joined, style_sheet, tag
from shipworthy.gauntlet.report.over_time import over_time_section
from shipworthy.gauntlet.report.parts import TONE, icon, icon_shapes
from shipworthy.gauntlet.report.words import (
    VERDICT_WORD,
    in_line,
    labels,
    tally,
    verdict_sentence,
    whole_percent,
)

BYTES_MAX = 500_000  # of the page; every section has its share of it


def write_html(result: RunResult, path: Path, runs: Sequence[Record] = ()) -> None:
    """Write the page to `path`, whole or not at all; `runs` are those before it and this one."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(html_of(result, runs), encoding="utf-8")
    unfinished.replace(path)


def html_of(result: RunResult, runs: Sequence[Record] = ()) -> str:
    """Return the page as text."""
    sections = {
        "Failed": cards.failure_section(result),
        "Undecided": cards.undecided_section(result),
        "Objectives": performance.objective_section(result),
        "Error budget": budgets.budget_section(result),
        "Flows": flows.flow_section(result),
        "Pages": pages.pages_section(result),
        "Curves": performance.curve_section(result),
        "Timeline": performance.timeline_section(result),
        "Capacity": budgets.capacity_section(result),
        "Drills": performance.drill_section(result),
        "Over time": over_time_section(runs),
        "Not measured": cards.gap_section(result),
        "Held": cards.held_section(result),
        "Trust": trust.trust_section(result),
    }
    present = {name: s for name, s in sections.items() if s is not None}
    main = tag("main", _hero(result, list(present)), *present.values())
    page = tag("div", _masthead(result), main, _footer(result), class_="page")
    body = tag("body", icon_shapes(), page)
    return "<!doctype html>\n" + tag("html", _head(result), body, lang="en").text + "\n"


_ANCHORS = {
    "Failed": "failed",
    "Undecided": "undecided",
    "Objectives": "objectives",
    "Error budget": "budget",
    "Flows": "flows",
    "Pages": "pages",
    "Curves": "curves",
    "Timeline": "timeline",
    "Capacity": "capacity",
    "Drills": "drills",
    "Over time": "over-time",
    "Not measured": "gaps",
    "Held": "held",
    "Trust": "trust",
}


def _head(result: RunResult) -> Html:
    title = f"{in_line(result.target, 60)}: {_seal_word(result)} · Shipworthy gauntlet"
    css = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="description", content=verdict_sentence(result)),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        style_sheet(css),
    )


def _masthead(result: RunResult) -> Html:
    # The load-line mark of merchant ships: what says how far a ship may be loaded and still be safe.
    shapes = (tag("circle", cx=12, cy=12, r=7), tag("path", d="M1 12h22"))
    frame: dict[str, Attribute] = {
        "fill": "none",
        "stroke": "currentColor",
        "stroke_width": 2,
        "viewBox": "0 0 24 24",
    }
    mark = tag("svg", *shapes, aria_hidden="true", **frame)
    return tag(
        "header",
        tag("span", mark, "Shipworthy gauntlet", class_="brand"),
        tag("span", trust.moment(result.started_at)),
        class_="masthead",
    )


def _hero(result: RunResult, names: list[str]) -> Html:
    tone = TONE[result.verdict] if result.valid else "open"
    seal = tag(
        "p",
        tag("span", icon(tone), _seal_word(result)),
        *(tag("span", label[0].upper() + label[1:], class_="label") for label in labels(result)),
        class_="seal",
    )
    links = (tag("a", name, href=f"#{_ANCHORS[name]}") for name in names)
    jump = tag("nav", *links, class_="jump", aria_label="Sections")
    return tag(
        "div", seal, tag("h1", verdict_sentence(result)), _tally(result), jump, class_=f"hero v-{tone}"
    )


def _seal_word(result: RunResult) -> str:
    return str(result.verdict) if result.valid else "INVALID RUN"


def _tally(result: RunResult) -> Html:
    count = tally(result.findings)
    items = [_tally_item(v, count[v]) for v in VERDICT_WORD]
    subjects = f"of the checks, {whole_percent(result.coverage_of_subjects)} of their subjects measured"
    covered = tag("div", tag("b", whole_percent(result.coverage)), tag("span", subjects))
    cover = tag("li", charts.ring(result.coverage), covered, class_="cover")
    return tag("ul", *items, cover, class_="tally")


def _tally_item(verdict: Verdict, number: int) -> Html:
    word = tag("span", icon(TONE[verdict]), VERDICT_WORD[verdict].capitalize())
    return tag("li", tag("b", f"{number:,}"), word, class_=f"v-{TONE[verdict]}" if number else "none")


def _footer(result: RunResult) -> Html:
    said = f"Made by Shipworthy {in_line(result.version, 40)}. The same result, whole, stands in the JSON file beside this page."
    return joined([tag("footer", tag("p", said))])
