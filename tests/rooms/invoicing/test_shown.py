"""How amounts, rates and days look."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from shipworthy.rooms.invoicing.invoice import Invoice, InvoiceLine
from shipworthy.rooms.invoicing.shown import happened, line_texts, sums, sums_so_far, tax_label
from shipworthy.rooms.invoicing.tax import TaxGroup

LINE = InvoiceLine(
    description="Hosting",
    quantity=Decimal("123456789012.123456"),
    unit_price=Decimal("0.001250"),
    tax_category="S",
    tax_rate_bp=1900,
    net_minor=-1250,
    tax_minor=-238,
)


def test_a_number_keeps_every_digit_and_a_price_the_decimals_of_its_currency() -> None:
    (texts,) = line_texts(invoice(LINE), most=9, locale="en")
    assert texts["quantity"] == "123,456,789,012.123456"
    assert texts["unit_price"] == "0.00125"
    assert texts["amount"] == "\N{MINUS SIGN}€12.50"
    assert line_texts(invoice(LINE), most=9, locale="de")[0]["unit_price"] == "0,00125"


def test_each_tax_group_says_what_it_is_and_on_what() -> None:
    groups = [
        TaxGroup(category="S", rate_bp=1900, base_minor=10000, tax_minor=1900),
        TaxGroup(category="AE", rate_bp=0, base_minor=500, tax_minor=0),
    ]
    shown = sums(10500, groups, 12400, currency="EUR", locale="en")
    assert shown == {
        "rows": [["Net", "€105.00"], ["Tax 19% on €100.00", "€19.00"], ["Reverse charge on €5.00", "€0.00"]],
        "last": ["Total", "€124.00"],
    }
    assert sums_so_far(None, currency="???", locale="en")["last"] == ["Total", "\N{EN DASH}"]
    assert tax_label("Z", 0, locale="en") == "zero rated"


def test_what_happened_is_dated_as_it_was_there() -> None:
    assert happened(invoice(), time_zone="Europe/Berlin") == [
        ["Written", "1 Feb 2026"],
        ["Paid", "3 Feb 2026"],
    ]


def invoice(*lines: InvoiceLine) -> Invoice:
    return Invoice(
        **dict.fromkeys(("invoice_id", "customer_id", "customer_name", "number", "supply_date")),
        **dict.fromkeys(("version", "exponent", "payment_days", "net_minor", "tax_minor", "gross_minor"), 0),
        status="paid", currency="EUR", issue_date=date(2026, 1, 1), due_date=date(2026, 1, 1), note="",
        lines=lines, taxes=(), created_at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
        paid_at=datetime(2026, 2, 3, 12, tzinfo=UTC),
    )  # type: ignore[arg-type]  # fmt: skip
