"""Everything a tenant has, as CSV, however much it is: read some thousand rows at a time while it is sent."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import NamedQuery
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.http.reply import Stream
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.csv_text import MEDIA_TYPE, csv_bytes, major

# All that most tenants have comes in the first read; 16,000 rows are some 15 MB while they are sent.
_ROWS_FIRST, _ROWS_LATER = 4_000, 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What one file holds: the rows of a query in the order of their ids, which is that of their making."""

    name: str
    query: NamedQuery
    key: str
    header: tuple[str, ...]
    row: Callable[[Record], Sequence[object]]


async def customers_csv(ctx: Ctx) -> Stream:
    return await _stream(ctx, CUSTOMERS)


async def invoices_csv(ctx: Ctx) -> Stream:
    return await _stream(ctx, INVOICES)


async def payments_csv(ctx: Ctx) -> Stream:
    return await _stream(ctx, PAYMENTS)


async def _stream(ctx: Ctx, sheet: Sheet) -> Stream:
    """The first rows are read before anything is sent: what refuses them is still an answer."""
    first = await _rows(ctx, sheet, after=uuid.UUID(int=0), rows_max=_ROWS_FIRST)
    headers = (
        ("content-disposition", f'attachment; filename="{sheet.name}.csv"'),
        ("cache-control", "private, no-store"),
    )
    return Stream(_chunks(ctx, sheet, first), MEDIA_TYPE, headers=headers)


async def _chunks(ctx: Ctx, sheet: Sheet, rows: Sequence[Record]) -> AsyncIterator[bytes]:
    yield csv_bytes([sheet.header])
    asked = _ROWS_FIRST
    while rows:
        yield csv_bytes(sheet.row(row) for row in rows)
        if len(rows) < asked:
            return
        asked = _ROWS_LATER
        rows = await _rows(ctx, sheet, after=rows[-1][sheet.key], rows_max=asked)


async def _rows(ctx: Ctx, sheet: Sheet, *, after: uuid.UUID, rows_max: int) -> Sequence[Record]:
    async with ctx.begin() as tx:
        rows: Sequence[Record] = await tx.all(sheet.query, after=after, rows_max=rows_max)
    return rows


def _invoice(row: Record) -> Sequence[object]:
    amounts = [major(row[f"{name}_minor"], currency=row["currency"]) for name in INVOICES.header[10:-1]]
    plain = [row[name] for name in INVOICES.header[:10]]
    return [*plain, *amounts, row["note"]]


def _payment(row: Record) -> Sequence[object]:
    amounts = {
        name: major(row[f"{name}_minor"], currency=row["currency"])
        for name in ("amount", "allocated", "rest")
    }
    return [amounts[name] if name in amounts else row[name] for name in PAYMENTS.header]


CUSTOMER_COLUMNS = (
    "customer_id", "name", "email", "tax_id", "street", "postal_code", "city", "country", "buyer_reference",
)  # fmt: skip
CUSTOMERS = Sheet(
    name="customers",
    query=q.export_customers,
    key="customer_id",
    header=CUSTOMER_COLUMNS,
    row=lambda row: [row[name] for name in CUSTOMER_COLUMNS],
)
INVOICES = Sheet(
    name="invoices",
    query=q.export_invoices,
    key="invoice_id",
    header=(
        "invoice_id", "kind", "number", "status", "customer_id", "customer", "currency", "issue_date", "due_date",
        "supply_date", "net", "tax", "gross", "rounding", "paid", "credited", "balance", "note",
    ),
    row=_invoice,
)  # fmt: skip
PAYMENTS = Sheet(
    name="payments",
    query=q.export_payments,
    key="payment_id",
    header=(
        "payment_id", "customer_id", "customer", "currency", "amount", "allocated", "rest", "paid_on", "method",
        "reference", "source_type", "source_id", "reversed_at",
    ),
    row=_payment,
)  # fmt: skip

# queries_max counts the session's look-up and touch (2) and two reads; each further 16,000 rows are one more.
ROUTES = (
    route("GET", "/api/customers.csv", customers_csv, title="Customers as CSV", media="file",
          permission="customer.read", transaction=False, queries_max=4),
    route("GET", "/api/invoices.csv", invoices_csv, title="Invoices as CSV", media="file", permission="invoice.read",
          transaction=False, queries_max=4),
    route("GET", "/api/payments.csv", payments_csv, title="Payments as CSV", media="file", permission="invoice.read",
          transaction=False, queries_max=4),
)  # fmt: skip
