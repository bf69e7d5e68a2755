"""Error budgets and capacity: the same numbers as the verdicts, said as what is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipworthy.contract.finding import Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.budgets import budget_section, burn_rate, capacity_section
from shipworthy.gauntlet.report.html import html_of
from shipworthy.gauntlet.report.reading import objectives
from shipworthy.gauntlet.report.words import NBSP
from tests.support.page import parse
from tests.support.results import every_result, failing_result, finding, run_result

LOGIN = next(f for f in objectives(failing_result()) if f.subject == "login")


def test_the_burn_rate_is_the_share_over_what_is_allowed_with_its_interval() -> None:
    burn = burn_rate(LOGIN)
    [share] = [m for m in LOGIN.measures if m.bound is not None and m.unit == "share"]
    assert burn is not None and share.bound is not None and share.high is not None
    assert burn.estimate == pytest.approx(share.estimate / share.bound)
    assert burn.high == pytest.approx(share.high / share.bound)
    assert burn.bound == 1.0
    assert burn_rate(replace(LOGIN, verdict=Verdict.NOT_MEASURED)) is None
    assert burn_rate(replace(LOGIN, measures=())) is None


def test_what_burns_too_fast_says_how_long_a_budget_lasts() -> None:
    section = budget_section(failing_result())
    assert section is not None
    text = parse(section.text).text.replace(NBSP, " ")
    assert "days" in text
    assert "to the end" in text


@pytest.mark.parametrize("name", sorted(every_result()))
def test_a_run_that_does_not_count_has_spent_nothing(name: str) -> None:
    result = every_result()[name]
    assert (budget_section(result) is None) == (
        not result.valid or all(burn_rate(f) is None for f in objectives(result))
    )


def test_capacity_is_shown_where_a_rate_was_looked_for() -> None:
    held = finding(
        "load.crawl",
        "rate",
        "400 requests of crawlers a second hold",
        measures=(
            Measure(name="largest rate held", unit="/s", estimate=412.0, bound=400.0),
            Measure(name="cores the goal needs", unit="cores", estimate=1, bound=2),
        ),
    )
    assert capacity_section(run_result(findings=())) is None
    page = parse(html_of(run_result(findings=(held,))))
    assert "largest rate held: 412" in " ".join(page.text.split())
