"""Small pieces of the page that several sections use: icons, chips, lists of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.markup import Attribute, Html, Node, joined, tag
from shipworthy.gauntlet.report.words import bound, in_line, measured

T = TypeVar("T")

# The verdict as a class name: it sets the colour, the icon beside it says the same without one.
TONE = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.INCONCLUSIVE: "open",
    Verdict.NOT_MEASURED: "gap",
}

_STROKE: dict[str, Attribute] = {
    "fill": "none",
    "stroke": "currentColor",
    "stroke_width": 2,
    "stroke_linecap": "round",
}


def icon_shapes() -> Html:
    """Return the icons' shapes, to stand once in the page."""
    circle = tag("circle", cx=12, cy=12, r=10)
    dashes = tag("circle", cx=12, cy=12, r=10, stroke_dasharray="3.2 3.08")
    octagon = tag("path", d="M8 2h8l6 6v8l-6 6H8l-6-6V8z", stroke_linejoin="round")
    shapes = {
        "pass": (circle, tag("path", d="M7.5 12.5l3 3 6-6.5")),
        "fail": (octagon, tag("path", d="M8.8 8.8l6.4 6.4M15.2 8.8l-6.4 6.4")),
        "open": (circle, tag("path", d="M7 13.2c1.8-3.4 3.6-2.4 5-1.2s3.2 2.2 5-1.2")),
        "gap": (dashes, tag("path", d="M8.5 12h7")),
    }
    symbols = [
        tag("symbol", *drawn, id=f"i-{name}", viewBox="0 0 24 24", **_STROKE)
        for name, drawn in shapes.items()
    ]
    return tag("svg", *symbols, width=0, height=0, style="position:absolute", aria_hidden="true")


def icon(tone: str) -> Html:
    """Return one icon; the words beside it carry the meaning for those who do not see it."""
    return tag("svg", tag("use", href=f"#i-{tone}"), class_="icon", aria_hidden="true")


def chip(verdict: Verdict) -> Html:
    """Return a verdict as icon and word."""
    return tag("span", icon(TONE[verdict]), str(verdict), class_=f"chip v-{TONE[verdict]}")


# What an invalid run says of a number, instead of a verdict.
NOT_COUNTED = tag("span", icon("gap"), "NOT COUNTED", class_="chip v-gap")


def section(title: str, *content: Node, id_: str, lead: Node = None) -> Html:
    """Return a section with its heading and the sentence that says what is shown."""
    said = tag("p", lead, class_="lead") if lead is not None else None
    return tag("section", tag("h2", title), said, *content, id=id_)


def table(heads: Sequence[tuple[str, str]], rows: Iterable[Html]) -> Html:
    """Return a table whose rows stand as blocks on a phone; heads are (class, text).

    The roles are written out because a row displayed as a block loses its own.
    """
    cells = [
        tag("th", text, class_=class_ or None, scope="col", role="columnheader") for class_, text in heads
    ]
    head = tag("thead", tag("tr", *cells, role="row"), role="rowgroup")
    return tag("table", head, tag("tbody", *rows, role="rowgroup"), class_="stacked", role="table")


def row(*cells: Html) -> Html:
    """Return a table row."""
    return tag("tr", *cells, role="row")


def cell(*content: Node, class_: str | None = None, label: str | None = None) -> Html:
    """Return a table cell; `label` names it where the column heads are out of sight."""
    return tag("td", *content, class_=class_, data_label=label, role="cell")


def identity(finding: Finding) -> Html:
    """Return a finding's stable id."""
    return tag("span", in_line(finding.id, 160), class_="id")


def measure_line(measure: Measure) -> Html:
    """Return a measure as "lost: 3 jobs, at most 0 jobs", marked where it is over."""
    is_over = (
        measure.bound is not None
        and (measure.estimate if measure.low is None else measure.low) > measure.bound
    )
    value = tag("span", measured(measure), class_="over" if is_over else None)
    held_against = f", {bound(measure)}" if measure.bound is not None else ""
    sample = f", {measure.samples:,} samples" if measure.samples is not None else ""
    name = "" if measure.name == measure.unit else f"{in_line(measure.name, 120)}: "
    return joined([name, value, f"{held_against}{sample}"])


def within(items: Sequence[T], *renderings: Callable[[T], Html], bytes_max: int, left_off: str) -> Html:
    """Render items in order until a size is reached; what is left off is counted in a sentence.

    Of several renderings the first that still fits is taken, so the fullest comes first.
    """
    kept: list[Node] = []
    room = bytes_max
    for item in items:
        fitting = next((html for render in renderings if len(html := render(item)) <= room), None)
        if fitting is None:
            more = f"{len(items) - len(kept):,} more {left_off} stand in the JSON result."
            return joined([*kept, tag("p", more, class_="more")])
        room -= len(fitting)
        kept.append(fitting)
    return joined(kept)
