"""How invoices look on the screens: amounts, rates and days as texts.

Decimals become text here and not in a template, because the template engine knows no decimals
and would make them binary fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import urlencode

from shipworthy.kernel.language import Locale, _, day_text, mark, spoken
from shipworthy.kernel.money.currencies import currency_of
from shipworthy.kernel.money.format import format_amount, format_decimal, format_rate
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.invoice import Invoice
from shipworthy.rooms.invoicing.listing import Row, Slice
from shipworthy.rooms.invoicing.pricing.changes import DocumentChange
from shipworthy.rooms.invoicing.tax import TAXED, UNTAXED_CATEGORIES, TaxGroup, Totals
from shipworthy.rooms.invoicing.units import with_unit
from shipworthy.rooms.invoicing.wording import change_label

_DOT = " \N{MIDDLE DOT} "
_NOTHING_YET = "\N{EN DASH}"

METHOD_LABELS = {
    "transfer": mark("Bank transfer"),
    "card": mark("Card"),
    "cash": mark("Cash"),
    "other": mark("Payment"),
}

Sums = dict[str, object]  # {"rows": [[label, amount]], "last": [label, amount]}


async def register(runtime: Runtime) -> None:
    """Let the room's templates write money and days."""
    runtime.pages.filter(
        "money", lambda minor, currency: format_amount(minor, currency=currency, locale=spoken())
    )
    runtime.pages.filter("day", day_text)


def status_badge(status: str, is_late: bool) -> str:
    """Return the word of an invoice's badge. `is_late`: its day is over."""
    return "overdue" if status == "open" and is_late else {"credited": "credit note"}.get(status, status)


def line_texts(invoice: Invoice, *, most: int, locale: Locale) -> list[dict[str, str]]:
    """Return the first lines of an invoice, every number as text with all its digits; amounts in the prices' terms."""
    exponent = currency_of(invoice.currency).exponent

    def amount(minor: int) -> str:
        return format_amount(minor, currency=invoice.currency, locale=locale)

    return [
        {
            "description": line.description,
            "change": f"{change_label(line.change, locale=locale)}: {amount(line.change.signed_minor)}"
            if line.change
            else "",
            "quantity": with_unit(format_decimal(line.quantity, locale=locale), line.unit, locale=locale),
            "unit_price": format_decimal(line.unit_price, locale=locale, decimals_min=exponent),
            "tax": tax_label(line.tax_category, line.tax_rate_bp, locale=locale),
            "amount": amount(line.net_minor + (line.tax_minor if invoice.prices_include_tax else 0)),
        }
        for line in invoice.lines[:most]
    ]


def happened(invoice: Invoice, *, time_zone: str) -> list[list[str]]:
    """Return what became of an invoice and on which day it was there and then."""
    moments = {
        _("Written"): invoice.created_at,
        _("Paid"): invoice.paid_at,
        _("Voided"): invoice.voided_at,
        _("Given up"): invoice.uncollectible_at,
    }
    return [[word, day_text(today_in(time_zone, now=at))] for word, at in moments.items() if at]


def sums_of(invoice: Invoice, *, locale: Locale) -> Sums:
    """Return the sums of an invoice."""
    return sums(
        invoice.net_minor,
        invoice.taxes,
        invoice.gross_minor,
        currency=invoice.currency,
        locale=locale,
        rounding_minor=invoice.rounding_minor,
        changes=invoice.changes,
        prices_include_tax=invoice.prices_include_tax,
    )


def sums(
    net_minor: int,
    groups: Sequence[TaxGroup],
    gross_minor: int,
    *,
    currency: str,
    locale: Locale,
    rounding_minor: int = 0,
    changes: Sequence[DocumentChange] = (),
    prices_include_tax: bool = False,
) -> Sums:
    """Return what the lines come to and what changes it, net, the tax of each group, the total and its rounding."""

    def amount(minor: int) -> str:
        return format_amount(minor, currency=currency, locale=locale)

    rows = [[_("Net"), amount(net_minor)]]
    rows += [
        [_("{tax} on {base}", tax=_group_label(g, locale), base=amount(g.base_minor)), amount(g.tax_minor)]
        for g in groups
    ]
    if prices_include_tax:
        rows = [[_("of which: {what}", what=label), figure] for label, figure in rows]
    if changes:
        changed = [change.sign * change.amount_minor for change in changes]
        whole, word = (net_minor, _("Lines"))
        if prices_include_tax:
            whole, word = (gross_minor, _("Lines, with tax"))
        labels = [change_label(change.change, locale=locale) for change in changes]
        rows = [
            [word, amount(whole - sum(changed))],
            *([label, amount(minor)] for label, minor in zip(labels, changed, strict=True)),
            *rows,
        ]
    if rounding_minor:
        rows += [[_("Total with tax"), amount(gross_minor)], [_("Rounding"), amount(rounding_minor)]]
    return {"rows": rows, "last": [_("Total"), amount(gross_minor + rounding_minor)]}


def settled(invoice: Invoice, *, locale: Locale) -> Sums | None:
    """Return what was paid and credited of an invoice, and what is owed; None where nothing was yet."""
    if invoice.kind == "credit_note" or not (invoice.paid_minor or invoice.credited_minor):
        return None
    parts = {_("Paid"): invoice.paid_minor, _("Credited"): invoice.credited_minor}

    def amount(minor: int) -> str:
        return format_amount(minor, currency=invoice.currency, locale=locale)

    rows = [[word, amount(-minor)] for word, minor in parts.items() if minor]
    return {"rows": rows, "last": [_("Still owed"), amount(invoice.balance_minor)]}


def settlement_texts(rows: Sequence[Row], *, currency: str, locale: Locale) -> list[dict[str, object]]:
    """Return the payments of an invoice: the day, how it came, how much of it was for this invoice."""
    return [
        {
            "href": f"/payments/{row['payment_id']}"
            if row["payment_id"]
            else f"/invoices/{row['credit_note_id']}",
            "day": day_text(row["settled_on"]),
            "how": _DOT.join(
                part
                for part in (_(METHOD_LABELS.get(row["method"], mark("Credit note"))), row["reference"])
                if part
            ),
            "amount": format_amount(row["amount_minor"], currency=currency, locale=locale),
            "is_undone": row["undone_at"] is not None,
        }
        for row in rows
    ]


def amount_text(amount_minor: int, *, currency: str) -> str:
    """Return an amount as a form takes it back: 1250 of EUR is 12.50."""
    return f"{Decimal(amount_minor).scaleb(-currency_of(currency).exponent):f}"


def pager(path: str, shown: Slice, **filters: str | None) -> dict[str, str]:
    """Return the addresses of the pages before and after this one; empty where there is none."""

    def address(cursor: str | None) -> str:
        parts = {name: value for name, value in {**filters, "cursor": cursor}.items() if value}
        return f"{path}?{urlencode(parts)}" if cursor else ""

    return {"previous": address(shown.previous_cursor), "next": address(shown.next_cursor)}


def sums_so_far(
    totals: Totals | None, *, currency: str, locale: Locale, prices_include_tax: bool = False
) -> Sums:
    """Return the sums of a draft being written; a dash while there is nothing to add."""
    if totals is None:
        return {"rows": [[_("Net"), _NOTHING_YET]], "last": [_("Total"), _NOTHING_YET]}
    return sums(
        totals.net_minor,
        totals.groups,
        totals.gross_minor,
        currency=currency,
        locale=locale,
        rounding_minor=totals.rounding_minor,
        changes=totals.changes,
        prices_include_tax=prices_include_tax,
    )


def tax_label(category: str, rate_bp: int, *, locale: Locale) -> str:
    """Return `19%`, or why there is no tax: `reverse charge`."""
    return format_rate(rate_bp, locale=locale) if category == TAXED else _(UNTAXED_CATEGORIES[category])


def _group_label(group: TaxGroup, locale: Locale) -> str:
    label = tax_label(group.category, group.rate_bp, locale=locale)
    return _("Tax {rate}", rate=label) if group.category == TAXED else label[:1].upper() + label[1:]
