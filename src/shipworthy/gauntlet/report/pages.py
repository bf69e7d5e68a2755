"""The page's table of web vitals: what a visitor of each page waited for, on which device."""

from __future__ import annotations

from shipworthy.contract.finding import Finding, Measure, RunResult
from shipworthy.gauntlet.report.markup import Html, tag
from shipworthy.gauntlet.report.parts import NOT_COUNTED, cell, chip, row, section, table
from shipworthy.gauntlet.report.reading import vitals
from shipworthy.gauntlet.report.words import amount, in_line

ROWS_MAX = 60  # an app with more is read in the JSON result
_COLUMNS = (
    ("LCP", "largest paint"),
    ("CLS", "shift"),
    ("FCP", "first paint"),
    ("TTFB", "first byte"),
    ("TBT", "blocked"),
)


def pages_section(result: RunResult) -> Html | None:
    """Return the vitals of every page that was visited, or nothing where none was."""
    found = vitals(result)
    if not found:
        return None
    heads = [("", "Page"), *(("number", name) for name, _ in _COLUMNS), ("", "Verdict")]
    lead = (
        "Core Web Vitals in a real browser, each visit a newcomer's: the largest paint, the layout shift, the first "
        "paint, the first byte, and how long the page was blocked. Medians of several visits; under load the 75th "
        "percentile of the largest paint and the worst shift."
    )
    left_off = len(found) - ROWS_MAX
    rows = [_row(finding, is_valid=result.valid) for finding in found[:ROWS_MAX]]
    return section(
        "What a visitor waits for",
        table(heads, rows),
        tag("p", f"{left_off:,} more pages stand in the JSON result.", class_="more")
        if left_off > 0
        else None,
        id_="pages",
        lead=lead,
    )


def _row(finding: Finding, *, is_valid: bool) -> Html:
    by_name = {measure.name: measure for measure in finding.measures}
    under_load = tag("small", "under load") if finding.check == "vitals.under_load" else None
    cells = [_value(by_name.get(name), f"{name}, {words}") for name, words in _COLUMNS]
    return row(
        cell(tag("b", in_line(finding.subject, 100)), " ", under_load),
        *cells,
        cell(chip(finding.verdict) if is_valid else NOT_COUNTED),
    )


def _value(measure: Measure | None, label: str) -> Html:
    if measure is None:
        return cell(class_="number")
    is_over = measure.bound is not None and measure.estimate > measure.bound
    value = tag("span", amount(measure.estimate, measure.unit), class_="over" if is_over else None)
    of = tag("small", f"of {amount(measure.bound, measure.unit)}") if measure.bound is not None else None
    return cell(value, " ", of, class_="number", label=label)
