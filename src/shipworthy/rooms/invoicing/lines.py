"""Lines as people and programs write them, read into lines the tax engine takes.

Every wrong field of every line is named at once, as `lines[0].quantity`, so that a form can
show each sentence where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.kernel.money.parse import parse_price, parse_quantity
from shipworthy.rooms.invoicing.pricing.changes import Change
from shipworthy.rooms.invoicing.tax import LINES_MAX, TAXED, Line, Totals, compute_totals
from shipworthy.rooms.invoicing.units import read_unit

DESCRIPTION_CHARS_MAX = 1000
REASON_CHARS_MAX = 200
# PostgreSQL stores no NUL, UTF-8 no lone surrogate, paper shows none of the others; tab and line break may stay.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ENGINE_FIELD = re.compile(r"^(lines|changes)\.(\d+)(?:\.(\w+))?$")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineText:
    """One line as it was written. Units: price in major units; rate in basis points."""

    description: str
    quantity: str
    unit_price: str
    tax_rate_bp: int | None = None
    tax_category: str | None = None  # None: standard above 0 %, zero rated at 0 %
    tax_code: str | None = None  # of the tenant's rates; the tax point says what it means
    change: Change | None = None
    unit: str = ""  # a code of `units.py`; empty: none


def read_lines(texts: Sequence[LineText], wrong: dict[str, str]) -> list[Line]:
    """Return the lines that can be read; what is wrong with the others is added to `wrong`, by field."""
    if not texts:
        wrong["lines"] = _("Add at least one line.")
    if len(texts) > LINES_MAX:
        wrong["lines"] = _(
            "{count} lines are too many; split the invoice at {lines_max}.",
            count=len(texts),
            lines_max=LINES_MAX,
        )
        return []
    read = [_read_line(text, f"lines[{index}]", wrong) for index, text in enumerate(texts)]
    return [line for line in read if line is not None]


def read_changes(changes: Sequence[Change], wrong: dict[str, str]) -> tuple[Change, ...]:
    """Return the document's discounts and charges with clean reasons; their numbers are the tax engine's to check."""
    return tuple(_read_change(change, f"changes[{index}]", wrong) for index, change in enumerate(changes))


def total(
    lines: Sequence[Line],
    *,
    exponent: int,
    changes: Sequence[Change] = (),
    prices_include_tax: bool = False,
    rounding_step_minor: int = 1,
) -> Totals:
    """Return the totals of these lines. Errors: those of the tax engine, under this room's field names."""
    try:
        return compute_totals(
            lines,
            exponent=exponent,
            changes=changes,
            prices_include_tax=prices_include_tax,
            rounding_step_minor=rounding_step_minor,
        )
    except Invalid as refused:
        fields = {_body_field(name): said for name, said in refused.fields.items()} or {
            "lines": refused.message
        }
        raise Invalid(refused.code, refused.message, fields=fields) from None


def read_text(text: str, field: str, wrong: dict[str, str], *, chars_max: int, needed: bool = False) -> str:
    """Return the text without outer blanks; refuse control characters and what is too long."""
    text = text.replace("\r\n", "\n").strip()
    if needed and not text:
        wrong[field] = _("Please fill this in.")
    elif len(text) > chars_max:
        wrong[field] = _(
            "At most {chars_max} characters fit here; these are {count}.",
            chars_max=chars_max,
            count=len(text),
        )
    elif _CONTROL.search(text):
        wrong[field] = _("There is a control character in this text; please type it anew.")
    return text


def _read_line(text: LineText, at: str, wrong: dict[str, str]) -> Line | None:
    known = len(wrong)
    description = read_text(
        text.description, f"{at}.description", wrong, chars_max=DESCRIPTION_CHARS_MAX, needed=True
    )
    quantity = _tried(parse_quantity, text.quantity, f"{at}.quantity", wrong)
    price = _tried(parse_price, text.unit_price, f"{at}.unit_price", wrong)
    unit = read_unit(text.unit, f"{at}.unit", wrong)
    category = text.tax_category or (TAXED if text.tax_rate_bp else "Z")
    change = _read_change(text.change, f"{at}.change", wrong) if text.change else None
    if text.tax_rate_bp is None:
        wrong[f"{at}.tax_rate_bp"] = _("Say a rate, or the code of one of your tax rates.")
    if len(wrong) > known or quantity is None or price is None or text.tax_rate_bp is None:
        return None
    return Line(
        description=description,
        quantity=quantity,
        unit_price=price,
        tax_category=category,
        rate_bp=text.tax_rate_bp,
        change=change,
        unit=unit,
    )


def _read_change(change: Change, at: str, wrong: dict[str, str]) -> Change:
    reason = read_text(change.reason, f"{at}.reason", wrong, chars_max=REASON_CHARS_MAX)
    category = change.tax_category
    if category is None and change.tax_rate_bp is not None:
        category = TAXED if change.tax_rate_bp else "Z"
    return replace(change, reason=reason, tax_category=category)


def _tried(parse: Callable[..., Value], text: str, field: str, wrong: dict[str, str]) -> Value | None:
    try:
        return parse(text, field=field)
    except Invalid as refused:
        wrong[field] = refused.message
        return None


def _body_field(engine_field: str) -> str:
    """`lines.2.rate_bp`, as the engine says, is `lines[2].tax_rate_bp` in a body."""
    found = _ENGINE_FIELD.match(engine_field)
    if not found:
        return engine_field
    name = {"rate_bp": "tax_rate_bp"}.get(found[3], found[3])
    return f"{found[1]}[{found[2]}]{f'.{name}' if name else ''}"
