"""From the code of a tax to the rate it means on the tax point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from shipworthy.kernel.language import _, day_text
from shipworthy.rooms.invoicing.lines import LineText
from shipworthy.rooms.invoicing.pricing.changes import Change
from shipworthy.rooms.invoicing.rates.rates import Rates
from shipworthy.rooms.invoicing.rates.seeded import Rate


def apply_codes(
    lines: Sequence[LineText],
    changes: Sequence[Change],
    rates: Rates | None,
    tax_point: date,
    wrong: dict[str, str],
) -> tuple[list[LineText], list[Change]]:
    """Return lines and changes with category and rate in place of their codes; what is wrong is added to `wrong`.

    A rate beside a code has to be the one the code means, so that no program is taxed otherwise than it thinks.
    """
    if rates is None:
        return list(lines), list(changes)
    applied_lines = []
    for index, line in enumerate(lines):
        rate = _rate(line, rates, tax_point, f"lines[{index}]", wrong)
        applied_lines.append(_taxed_line(line, rate) if line.tax_code else line)
    applied_changes = []
    for index, change in enumerate(changes):
        rate = _rate(change, rates, tax_point, f"changes[{index}]", wrong)
        applied_changes.append(
            replace(change, tax_category=rate.tax_category, tax_rate_bp=rate.rate_bp) if rate else change
        )
    return applied_lines, applied_changes


def _taxed_line(line: LineText, rate: Rate | None) -> LineText:
    """A line whose code means nothing is refused already; it is read on, so that all that is wrong is said."""
    if rate is None:
        return replace(line, tax_category="Z", tax_rate_bp=0)
    return replace(line, tax_category=rate.tax_category, tax_rate_bp=rate.rate_bp)


def _rate(
    row: LineText | Change, rates: Rates, tax_point: date, at: str, wrong: dict[str, str]
) -> Rate | None:
    if row.tax_code is None:
        return None
    rate, day = rates.of(row.tax_code, tax_point), day_text(tax_point)
    if rate is None:
        wrong[f"{at}.tax_code"] = _(
            "None of your tax rates is called {code} on {day}.", code=repr(row.tax_code[:30]), day=day
        )
    elif row.tax_rate_bp not in (None, rate.rate_bp):
        wrong[f"{at}.tax_rate_bp"] = _(
            "On {day} {code} means another rate; leave one of the two out.", day=day, code=row.tax_code
        )
    elif row.tax_category not in (None, rate.tax_category):
        wrong[f"{at}.tax_category"] = _(
            "{code} is of another category; leave one of the two out.", code=row.tax_code
        )
    return rate
