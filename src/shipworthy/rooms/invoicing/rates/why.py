"""Why a rate was applied: the code that was chosen, the row that holds on the tax point, or a hand that wrote it.

The tax point is the date of supply, or the day of issue where none is named. The answer is stored with the invoice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import msgspec

from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import _, day_text
from shipworthy.rooms.invoicing.rates.rates import Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One rate of an invoice and why it was applied. Without a code it was written by hand."""

    tax_category: str
    tax_rate_bp: int
    tax_point: date
    tax_point_is: Literal["supply", "issue"]
    code: str | None = None
    name: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    exemption_reason: str = ""
    exemption_code: str = ""


def explain(
    applied: Iterable[tuple[str | None, str, int]],
    rates: Rates | None,
    *,
    supply_date: date | None,
    issue_date: date,
) -> tuple[Why, ...]:
    """Return why each (code, category, rate) was applied, each once, in the order they come."""
    tax_point = supply_date or issue_date
    reasons = []
    for code, category, rate_bp in dict.fromkeys(applied):
        rate = rates.of(code, tax_point) if rates and code else None
        reasons.append(
            Why(
                tax_category=category,
                tax_rate_bp=rate_bp,
                tax_point=tax_point,
                tax_point_is="supply" if supply_date else "issue",
                code=rate.code if rate else None,
                name=rate.name if rate else "",
                valid_from=rate.valid_from if rate else None,
                valid_until=rate.valid_until if rate else None,
                exemption_reason=rate.exemption_reason if rate else "",
                exemption_code=rate.exemption_code if rate else "",
            )
        )
    return tuple(reasons)


def explain_at_issue(
    kept: tuple[Why, ...], rates: Rates | None, *, supply_date: date | None, issue_date: date
) -> tuple[Why, ...]:
    """Return the reasons anew for the day of issue, once it is certain that the rates are still those.

    Errors:  Conflict `invoicing.rate_changed` where a code means another rate, or none, on the tax point.
    """
    tax_point = supply_date or issue_date
    for why in kept:
        rate = rates.of(why.code, tax_point) if rates and why.code else None
        if why.code and (
            rate is None or (rate.tax_category, rate.rate_bp) != (why.tax_category, why.tax_rate_bp)
        ):
            raise Conflict(
                "invoicing.rate_changed",
                _(
                    "On the tax point, {day}, the tax {code} is not what the draft was computed with. "
                    "Open the draft and save it again, then issue it.",
                    day=day_text(tax_point),
                    code=why.code,
                ),
            )
    applied = [(why.code, why.tax_category, why.tax_rate_bp) for why in kept]
    return explain(applied, rates, supply_date=supply_date, issue_date=issue_date)


def read_reasons(kept: Any) -> tuple[Why, ...]:
    """Return the reasons as their column keeps them."""
    return msgspec.convert(kept, tuple[Why, ...])


def exemption(reasons: Iterable[Why], category: str) -> tuple[str, str]:
    """Return the text and the VATEX code that the tenant's own rows give for a category; empty where they give none."""
    own = [why for why in reasons if why.tax_category == category]
    texts = dict.fromkeys(why.exemption_reason for why in own if why.exemption_reason)
    codes = dict.fromkeys(why.exemption_code for why in own if why.exemption_code)
    return "; ".join(texts), next(iter(codes)) if len(codes) == 1 else ""
