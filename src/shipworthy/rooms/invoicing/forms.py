"""The invoice form: everything in it is text, so that a refused form shows what was typed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, field

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.language import _, mark, spoken
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.rooms.invoicing.bodies import decimal_text
from shipworthy.rooms.invoicing.draft import PAYMENT_DAYS_MAX, DraftText
from shipworthy.rooms.invoicing.invoice import Invoice
from shipworthy.rooms.invoicing.lines import LineText, read_changes, read_lines, total
from shipworthy.rooms.invoicing.pricing.changes import Change
from shipworthy.rooms.invoicing.pricing.rounding import step_of
from shipworthy.rooms.invoicing.pricing.typed import read_change, type_change
from shipworthy.rooms.invoicing.rates.applied import apply_codes
from shipworthy.rooms.invoicing.rates.choices import read_tax_value, tax_value
from shipworthy.rooms.invoicing.rates.rates import Rates
from shipworthy.rooms.invoicing.shown import Sums, sums_so_far
from shipworthy.rooms.invoicing.tax import Totals
from shipworthy.rooms.invoicing.units import NO_UNIT

FORM_LINES_MAX = 250  # with their fields, what a form may send

# Currencies that most invoices are in come first in the list.
_COMMON_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "SEK", "DKK", "NOK", "PLN", "CZK", "JPY")

_ROW_FIELD = re.compile(r"(lines|changes)\[(\d+)\]\.(\w+)")
_ROW_WORDS = {
    "description": mark("description"),
    "quantity": mark("quantity"),
    "unit": mark("unit"),
    "unit_price": mark("unit price"),
    "discount": mark("discount"),
    "reason": mark("reason"),
    "tax": mark("tax"),
}

Text = Annotated[str, Meta(max_length=4000)]


class LineForm(Body):
    description: Text = ""
    quantity: Text = ""
    unit: Text = NO_UNIT
    unit_price: Text = ""
    discount: Text = ""
    reason: Text = ""
    tax: Text = ""

    @property
    def is_blank(self) -> bool:
        """A line nobody wrote on; its tax is preselected."""
        return not (self.description.strip() or self.unit_price.strip())


class ChangeForm(Body):
    """A discount or charge on the whole invoice; without a tax it is spread over those of the lines."""

    discount: Text = ""
    reason: Text = ""
    tax: Text = ""

    @property
    def is_blank(self) -> bool:
        return not (self.discount.strip() or self.reason.strip())


class InvoiceForm(Body):
    customer_id: Text = ""
    currency: Text = "EUR"
    payment_days: Text = "14"
    supply_date: Text = ""
    note: Text = ""
    prices_include_tax: Text = ""
    lines: list[LineForm] = field(default_factory=list)
    changes: list[ChangeForm] = field(default_factory=list)
    version: Text = ""
    product_id: Text = ""  # the one that was picked, with the button beside it
    draft_id: Text = ""

    def written_lines(self) -> list[LineForm]:
        return [line for line in self.lines if not line.is_blank]

    def written_changes(self) -> list[ChangeForm]:
        return [change for change in self.changes if not change.is_blank]

    def supply_day(self) -> date | None:
        return _date(self.supply_date, {})

    def taxes_chosen(self) -> tuple[str, ...]:
        return (*(line.tax for line in self.lines), *(change.tax for change in self.changes))

    @property
    def includes_tax(self) -> bool:
        return self.prices_include_tax == "true"

    def text(self) -> DraftText:
        """Return what was written, typed; a day that does not exist and the like is in `unreadable`."""
        wrong: dict[str, str] = {}
        return DraftText(
            customer_id=read_id(self.customer_id),
            currency=self.currency.strip(),
            lines=tuple(
                _line_text(line, i, self.currency.strip(), wrong)
                for i, line in enumerate(self.written_lines())
            ),
            prices_include_tax=self.includes_tax,
            changes=_changes(self, wrong),
            note=self.note,
            payment_days=_days(self.payment_days, wrong),
            supply_date=_date(self.supply_date, wrong),
            unreadable=wrong,
        )

    def version_seen(self) -> int | None:
        """Return the version the form was filled in with; None where it names none."""
        return int(self.version) if re.fullmatch("[0-9]{1,9}", self.version) else None


def form_of(invoice: Invoice) -> InvoiceForm:
    """Return the form filled in with a draft."""
    return InvoiceForm(
        customer_id=str(invoice.customer_id),
        currency=invoice.currency,
        payment_days=str(invoice.payment_days),
        supply_date=invoice.supply_date.isoformat() if invoice.supply_date else "",
        note=invoice.note,
        lines=[
            LineForm(
                description=line.description,
                quantity=decimal_text(line.quantity),
                unit=line.unit,
                unit_price=_price_text(line.unit_price, exponent=invoice.exponent),
                discount=type_change(line.change, exponent=invoice.exponent),
                reason=line.change.reason if line.change else "",
                tax=tax_value(line.tax_code, line.tax_category, line.tax_rate_bp),
            )
            for line in invoice.lines
        ],
        prices_include_tax="true" if invoice.prices_include_tax else "",
        changes=[
            ChangeForm(
                discount=type_change(change.change, exponent=invoice.exponent),
                reason=change.change.reason,
                tax=tax_value(change.change.tax_code, *change.change.group) if change.change.group else "",
            )
            for change in invoice.changes
        ],
        version=str(invoice.version),
    )


def totals_so_far(form: InvoiceForm, rates: Rates, *, today: date, rounding: str) -> Totals | None:
    """Return the totals of the lines that can be read already; None while there are none."""
    currency = CURRENCIES.get(form.currency.strip())
    texts = [_line_text(line, i, form.currency.strip(), {}) for i, line in enumerate(form.written_lines())]
    tax_point = _date(form.supply_date, {}) or today
    texts, agreed = apply_codes(texts, _changes(form, {}), rates, tax_point, {})
    # Read one by one, and without their descriptions: a line half written must not hide the others.
    lines = [line for text in texts for line in read_lines([replace(text, description="-")], {})]
    if currency is None or not lines:
        return None
    changes = read_changes(agreed, {})
    try:
        return total(
            lines,
            exponent=currency.exponent,
            changes=changes,
            prices_include_tax=form.includes_tax,
            rounding_step_minor=step_of(rounding, currency),
        )
    except Invalid:
        return None


def typed_sums(form: InvoiceForm, rates: Rates, *, today: date, rounding: str) -> Sums:
    """Return the sums of what is typed so far, as the form shows them. `rounding` is the rule for its customer."""
    return sums_so_far(
        totals_so_far(form, rates, today=today, rounding=rounding),
        currency=form.currency.strip(),
        locale=spoken(),
        prices_include_tax=form.includes_tax,
    )


def product_choices(products: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return (id, name) pairs."""
    return [(str(product["product_id"]), product["name"]) for product in products]


def line_of(product: Mapping[str, Any]) -> LineForm:
    """Return a line filled in with a product."""
    exponent = CURRENCIES[product["currency"]].exponent
    return LineForm(
        description=" \N{EN DASH} ".join(text for text in (product["name"], product["description"]) if text),
        quantity="1",
        unit=product["unit"],
        unit_price=_price_text(product["unit_price"], exponent=exponent),
        tax=product["tax_code"],
    )


def currency_choices() -> list[tuple[str, str]]:
    """Return (code, code) pairs, the common ones first."""
    others = sorted(code for code in CURRENCIES if code not in _COMMON_CURRENCIES)
    return [(code, code) for code in (*_COMMON_CURRENCIES, *others)]


def form_errors(fields: dict[str, str]) -> dict[str, str]:
    """Return what is wrong under the names the form has: rate and category are one choice in it, and what changes
    a line is one field and its reason another."""
    return {_form_field(name): message for name, message in fields.items()}


def _form_field(name: str) -> str:
    name = re.sub(r"\.(tax_rate_bp|tax_category|tax_code)$", ".tax", name)
    name = re.sub(r"\.change(?:\.(?!reason)\w+)?$", ".discount", name.replace(".change.reason", ".reason"))
    return re.sub(r"^(changes\[\d+\])(?:\.(?:percent_bp|amount_minor))?$", r"\1.discount", name)


def error_labels(errors: dict[str, str]) -> dict[str, str]:
    """Return what people call the fields that are wrong: `lines[1].unit_price` is Line 2, unit price."""
    labels = {
        "customer_id": _("Customer"),
        "payment_days": _("Payable within"),
        "supply_date": _("Date of supply"),
    }
    for name in errors:
        if found := _ROW_FIELD.fullmatch(name):
            row, number, field_name = found.groups()
            pattern = mark("Line {number}, {field}")
            if row == "changes":
                pattern = mark("Discount or surcharge {number}, {field}")
            labels[name] = _(pattern, number=int(number) + 1, field=_(_ROW_WORDS.get(field_name, field_name)))
    return labels


def _changes(form: InvoiceForm, wrong: dict[str, str]) -> tuple[Change, ...]:
    read = []
    for index, written in enumerate(form.written_changes()):
        tax = read_tax_value(written.tax)
        place = f"changes[{index}].discount"
        change = read_change(
            written.discount,
            written.reason,
            currency=form.currency.strip(),
            field=place,
            wrong=wrong,
            tax=tax,
            tax_code=written.tax if tax is None and written.tax else None,
        )
        read += [change] if change else []
    return tuple(read)


def _line_text(line: LineForm, index: int, currency: str, wrong: dict[str, str]) -> LineText:
    category, rate_bp = read_tax_value(line.tax) or (None, None)
    if not line.tax:
        wrong[f"lines[{index}].tax"] = _("Choose one of the rates.")
    return LineText(
        description=line.description,
        quantity=line.quantity.strip() or "1",
        unit=line.unit,
        unit_price=line.unit_price,
        tax_category=category,
        tax_rate_bp=rate_bp if line.tax else 0,
        tax_code=line.tax if line.tax and category is None else None,
        change=read_change(
            line.discount, line.reason, currency=currency, field=f"lines[{index}].discount", wrong=wrong
        ),
    )


def _price_text(price: Decimal, *, exponent: int) -> str:
    """Return a price with all its decimals, and at least the currency's: 120.00, 0.00125."""
    whole, _, decimals = decimal_text(price).partition(".")
    decimals = decimals.ljust(exponent, "0")
    return f"{whole}.{decimals}" if decimals else whole


def read_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None


def _days(text: str, wrong: dict[str, str]) -> int:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return int(text)
    wrong["payment_days"] = _("Write a number of days, 0 to {days_max}.", days_max=PAYMENT_DAYS_MAX)
    return 0


def read_day(text: str) -> date | None:
    """Return the day of issue as it was typed; None where it was left empty. Errors: Invalid."""
    wrong: dict[str, str] = {}
    day = _date(text, wrong)
    if wrong:
        said = wrong["supply_date"]
        raise Invalid("invoicing.date_unreadable", said, fields={"issue_date": said})
    return day


def _date(text: str, wrong: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        wrong["supply_date"] = _("There is no such day; write it like 2026-01-31.")
        return None
