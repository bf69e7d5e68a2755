"""The page's sections on what may go wrong and how much it carries: error budgets, capacity."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.contract.finding import Finding, Measure, RunResult
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report import charts
from shipworthy.gauntlet.report.markup import Html, tag
from shipworthy.gauntlet.report.parts import TONE, cell, chip, measure_line, row, section, table
from shipworthy.gauntlet.report.reading import deciding_measure, objectives
from shipworthy.gauntlet.report.words import amount, in_line

BUDGET_DAYS = 28  # the window people keep budgets for, and Sloth's and Pyrra's default
ROWS_MAX = 40


def budget_section(result: RunResult) -> Html | None:
    """Return how fast each objective spends its error budget, or nothing where none was measured."""
    found = [(f, burn) for f in objectives(result) if (burn := burn_rate(f)) is not None]
    if not found or not result.valid:
        return None
    heads = [
        ("", "Objective"),
        ("meter", "Spent, against what is allowed"),
        ("number", f"{BUDGET_DAYS} days' budget lasts"),
    ]
    lead = (
        "What is too slow or fails is spent from a budget. At 1 the budget of a time is spent in that time; "
        "the whole interval left of the line leaves some over. The rate is that of this load."
    )
    rows = [_budget_row(finding, burn) for finding, burn in found[:ROWS_MAX]]
    return section("Error budget", table(heads, rows), id_="budget", lead=lead)


def burn_rate(finding: Finding) -> Measure | None:
    """Return the share beyond an objective over the share that is allowed, with its interval.

    Source:  the burn rate of the SRE workbook (Beyer et al., 2018), chapter 5.
    """
    measure = deciding_measure(finding)
    if (
        measure is None
        or not measure.bound
        or measure.unit != "share"
        or finding.verdict is Verdict.NOT_MEASURED
    ):
        return None
    bound = measure.bound
    low, high = (None if end is None else end / bound for end in (measure.low, measure.high))
    return replace(
        measure,
        name="burn rate",
        unit="times",
        estimate=measure.estimate / bound,
        low=low,
        high=high,
        bound=1.0,
    )


def capacity_section(result: RunResult) -> Html | None:
    """Return the largest rates that were held, with the arithmetic of the machine, or nothing."""
    found = [f for f in result.findings if any(m.name == "largest rate held" for m in f.measures)]
    if not found:
        return None
    heads = [("", "Load"), ("", "Held, and what it costs"), ("", "Verdict")]
    lead = "The largest rate that kept every objective, and what the goal takes by the CPU that one request costs."
    rows = [_capacity_row(f) for f in found[:ROWS_MAX]]
    return section("Capacity", table(heads, rows), id_="capacity", lead=lead)


def _budget_row(finding: Finding, burn: Measure) -> Html:
    name = (tag("b", in_line(finding.title, 160)), " ", tag("small", in_line(finding.subject, 80)))
    return row(
        cell(*name),
        cell(charts.interval_bar(burn), _times(burn), class_=f"meter v-{TONE[finding.verdict]}"),
        cell(_lasts(burn), class_="number", label="Lasts"),
    )


def _times(burn: Measure) -> str:
    if burn.low is None or burn.high is None:
        return f"{burn.estimate:.2f} times"
    return f"{burn.estimate:.2f} times ({burn.low:.2f} to {burn.high:.2f})"


def _lasts(burn: Measure) -> str:
    if burn.estimate <= 1:
        left = max(0, int((1 - burn.estimate) * 100))
        return f"to the end, {left}\N{NO-BREAK SPACE}% over"
    days = BUDGET_DAYS / burn.estimate
    return f"{days:.0f} days" if days >= 2 else amount(round(days * 24, 1), "hours")


def _capacity_row(finding: Finding) -> Html:
    lines = [tag("li", measure_line(m)) for m in finding.measures[:6]]
    return row(
        cell(tag("b", in_line(finding.title, 240)), " ", tag("small", in_line(finding.check, 80))),
        cell(tag("ul", *lines)),
        cell(chip(finding.verdict)),
    )
