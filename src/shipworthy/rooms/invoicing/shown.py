"""How amounts, rates and days look on the screens: filters for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from shipworthy.kernel.money.currencies import currency_of
from shipworthy.kernel.money.format import Locale, format_amount, format_decimal, format_rate
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.invoicing.tax import TAXED, UNTAXED_CATEGORIES, TaxGroup, Totals

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


async def register(runtime: Runtime) -> None:
    """Let the room's templates write money, quantities, rates and days."""
    locale: Locale = runtime.settings.app.locale
    pages = runtime.pages
    pages.filter("money", lambda minor, currency: format_amount(minor, currency=currency, locale=locale))
    pages.filter("quantity", lambda value: format_decimal(_plain(value), locale=locale))
    pages.filter("unit_price", lambda value, currency: unit_price(value, currency=currency, locale=locale))
    pages.filter("tax_label", lambda rate_bp, category: tax_label(category, rate_bp, locale=locale))
    pages.filter("day", day)


def day(when: date | datetime) -> str:
    """Return a day as people read it: 3 Nov 2026."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def unit_price(value: Decimal, *, currency: str, locale: Locale) -> str:
    """Return a price with all its decimals, and at least the currency's own."""
    return format_decimal(_plain(value), locale=locale, decimals_min=currency_of(currency).exponent)


def tax_label(category: str, rate_bp: int, *, locale: Locale) -> str:
    """Return `19%`, or why there is no tax: `reverse charge`."""
    return format_rate(rate_bp, locale=locale) if category == TAXED else UNTAXED_CATEGORIES[category]


def totals_rows(totals: Totals | None, *, currency: str, locale: Locale) -> tuple[list[list[str]], list[str]]:
    """Return the lines of a summary and its last one, as texts; a dash where there is nothing to add yet."""
    if totals is None:
        return [["Net", "–"]], ["Total", "–"]
    return summary(totals.net_minor, totals.groups, totals.gross_minor, currency=currency, locale=locale)


def summary(
    net_minor: int, groups: Sequence[TaxGroup], gross_minor: int, *, currency: str, locale: Locale
) -> tuple[list[list[str]], list[str]]:
    """Return net, the tax of each group, and the total, as texts."""

    def amount(minor: int) -> str:
        return format_amount(minor, currency=currency, locale=locale)

    taxes = [
        [
            f"{'Tax ' if group.category == TAXED else ''}{tax_label(group.category, group.rate_bp, locale=locale)}"
            f" on {amount(group.base_minor)}",
            amount(group.tax_minor),
        ]
        for group in groups
    ]
    return [["Net", amount(net_minor)], *taxes], ["Total", amount(gross_minor)]


def _plain(value: Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
