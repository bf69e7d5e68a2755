"""The annex of a long invoice: its lines as a table (CSV), where the paper only says what they come to.

A thousand lines are thirty pages, which nobody reads; ten thousand would take the press longer than anybody waits.
The same bytes are attached to the PDF and handed out beside it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from shipworthy.rooms.invoicing.bodies import decimal_text
from shipworthy.rooms.invoicing.csv_text import csv_bytes, major
from shipworthy.rooms.invoicing.invoice import Invoice, InvoiceLine
from shipworthy.rooms.invoicing.printing.paper import PrintedPart

PRINTED_LINES_MAX = 1000
COLUMNS = (
    "line", "description", "quantity", "unit", "unit_price", "discount_or_surcharge", "tax_category", "tax_rate", "net",
    "tax",
)  # fmt: skip


def is_long(invoice: Invoice) -> bool:
    """Return whether an invoice is printed as a summary."""
    return len(invoice.lines) > PRINTED_LINES_MAX


def annex_name(invoice: Invoice) -> str:
    """Return the name of the file; a draft has no number yet."""
    return f"{(invoice.number or 'draft').replace('/', '-')}-lines.csv"


def annex_csv(invoice: Invoice) -> bytes:
    """Return all lines of an invoice, in order. Units: major units; rates in percent. Cost: 40 ms for 10,000 lines."""
    return csv_bytes([COLUMNS, *_rows(invoice)])


def parts_of(invoice: Invoice) -> tuple[PrintedPart, ...]:
    """Return what the lines of each tax come to, in the order of the invoice's taxes."""
    members: dict[tuple[str, int], list[InvoiceLine]] = {}
    for line in invoice.lines:
        members.setdefault((line.tax_category, line.tax_rate_bp), []).append(line)
    taxes = [(tax.category, tax.rate_bp) for tax in invoice.taxes]
    return tuple(
        PrintedPart(
            count=len(members[group]),
            tax_category=group[0],
            rate_bp=group[1],
            net_minor=sum(line.net_minor for line in members[group]),
            tax_minor=sum(line.tax_minor for line in members[group]),
        )
        for group in taxes
        if group in members
    )


def _rows(invoice: Invoice) -> Iterable[tuple[object, ...]]:
    for number, line in enumerate(invoice.lines, 1):
        changed = line.change.signed_minor if line.change else None
        yield (
            number,
            line.description,
            Decimal(decimal_text(line.quantity)),
            line.unit,
            Decimal(decimal_text(line.unit_price)),
            None if changed is None else major(changed, currency=invoice.currency),
            line.tax_category,
            Decimal(decimal_text(Decimal(line.tax_rate_bp).scaleb(-2))),
            major(line.net_minor, currency=invoice.currency),
            major(line.tax_minor, currency=invoice.currency),
        )
