"""Discounts, charges and prices of an issued invoice, in the terms of EN 16931: everything there is without tax.

A price with tax, or a step of a credit note, may have no price of its own that comes to its line: then the price
is the shortest that does. A percentage is told only where its amount is exactly that.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from shipworthy.kernel.language import Locale
from shipworthy.kernel.money.rounding import round_minor
from shipworthy.rooms.invoicing.einvoice import model
from shipworthy.rooms.invoicing.invoice import Invoice, InvoiceLine
from shipworthy.rooms.invoicing.pricing.changes import Change, LineChange
from shipworthy.rooms.invoicing.wording import wording

_DECIMALS_MAX = 24  # more than any quantity has digits


def document_changes(
    invoice: Invoice, *, rate: Callable[[str, int], Decimal | None], locale: Locale
) -> tuple[tuple[model.Change, ...], tuple[model.Change, ...]]:
    """Return the allowances (BG-20) and the charges (BG-21) of an invoice, one for each tax that they fall on."""
    found: dict[str, list[model.Change]] = {"discount": [], "charge": []}
    for change in invoice.changes:
        for part in change.parts:
            if not part.net_minor:
                continue
            base, percent = _share(change.change.percent_bp, part.base_minor, part.net_minor, invoice)
            found[change.change.kind].append(
                model.Change(
                    amount=_major(part.net_minor, invoice),
                    base=base,
                    percent=percent,
                    reason=_reason(change.change, locale),
                    tax_category=part.tax_category,
                    tax_rate=rate(part.tax_category, part.tax_rate_bp),
                )
            )
    return tuple(found["discount"]), tuple(found["charge"])


def line_price(
    line: InvoiceLine, invoice: Invoice, *, locale: Locale
) -> tuple[Decimal, tuple[model.Change, ...], tuple[model.Change, ...]]:
    """Return the price of a line without tax (BT-146), its allowances (BG-27) and its charges (BG-28)."""
    change = line.change
    if change is None:
        return _price(line, 0, invoice), (), ()
    amount_minor = change.amount_minor
    if invoice.prices_include_tax:
        amount_minor = _without_tax(amount_minor, line.tax_rate_bp)
    price = _price(line, amount_minor if change.kind == "charge" else -amount_minor, invoice)
    if not amount_minor:
        return price, (), ()
    base, percent = _share(change.percent_bp, change.base_minor, amount_minor, invoice)
    told = model.Change(
        amount=_major(amount_minor, invoice), base=base, percent=percent, reason=_reason(change, locale)
    )
    return (price, (), (told,)) if change.kind == "charge" else (price, (told,), ())


def _price(line: InvoiceLine, changed_minor: int, invoice: Invoice) -> Decimal:
    """Return the price as written where it comes to the line, else the shortest that does."""

    def comes_to_line(price: Decimal) -> bool:
        exact = Fraction(price) * Fraction(line.quantity) * 10**invoice.exponent
        return round_minor(exact + changed_minor) == line.net_minor

    if not line.quantity or (not invoice.prices_include_tax and comes_to_line(line.unit_price)):
        return line.unit_price
    exact = Fraction(line.net_minor - changed_minor, 10**invoice.exponent) / Fraction(line.quantity)
    price = line.unit_price
    for decimals in range(invoice.exponent, _DECIMALS_MAX):
        price = Decimal(round_minor(exact * 10**decimals)).scaleb(-decimals)
        if comes_to_line(price):
            break
    return price


def _without_tax(amount_minor: int, rate_bp: int) -> int:
    """Cut toward zero, so that a line's price never comes out below nothing (BR-27)."""
    return round_minor(Fraction(amount_minor * 10_000, 10_000 + rate_bp), mode="down")


def _share(
    percent_bp: int | None, base_minor: int, amount_minor: int, invoice: Invoice
) -> tuple[Decimal | None, Decimal | None]:
    """Return the base and the percentage, where the amount is exactly that."""
    if percent_bp is None or invoice.prices_include_tax:
        return None, None
    if round_minor(Fraction(base_minor * percent_bp, 10_000)) != amount_minor:
        return None, None
    return _major(base_minor, invoice), Decimal(percent_bp).scaleb(-2)


def _reason(change: Change | LineChange, locale: Locale) -> str:
    words = wording(locale)
    return change.reason or (words.discount if change.kind == "discount" else words.charge)


def _major(amount_minor: int, invoice: Invoice) -> Decimal:
    return Decimal(amount_minor).scaleb(-invoice.exponent)
