"""Lists by keyset: a page costs the same wherever it is, and nothing is skipped or shown twice.

A cursor names the last row that was shown. It is opaque to callers and holds no secret: the
tenant comes from the session, never from here.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.catalogue import q

INVOICES_PER_PAGE = 25
CUSTOMERS_PER_PAGE = 50
STATUSES = ("draft", "open", "paid", "void")
_FIRST_INVOICE = (date.max, uuid.UUID(int=2**128 - 1))
_FIRST_CUSTOMER = ("", uuid.UUID(int=0))

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a list. `next_cursor` is None on the last one."""

    rows: Sequence[Row]
    next_cursor: str | None


async def list_invoices(ctx: Ctx, *, status: str | None, cursor: str | None) -> Slice:
    """Return a page of invoices, newest first, of one status or of all.

    Errors:  Invalid `invoicing.status_unknown`, `invoicing.cursor_invalid`. Cost: one query.
    """
    before_date, before_id = _invoice_place(cursor) if cursor else _FIRST_INVOICE
    if status is None:
        rows = await ctx.db.all(q.invoice_list, before_date=before_date, before_id=before_id)
    elif status in STATUSES:
        rows = await ctx.db.all(
            q.invoice_list_by_status, status=status, before_date=before_date, before_id=before_id
        )
    else:
        known = ", ".join(STATUSES)
        raise Invalid("invoicing.status_unknown", f"A status is one of {known}.", fields={"status": known})
    return _slice(rows, INVOICES_PER_PAGE, lambda row: f"{row['issue_date']}/{row['invoice_id']}")


async def list_customers(ctx: Ctx, *, cursor: str | None) -> Slice:
    """Return a page of customers by name. Errors: Invalid `invoicing.cursor_invalid`. Cost: one query."""
    after_name, after_id = _customer_place(cursor) if cursor else _FIRST_CUSTOMER
    rows = await ctx.db.all(q.customer_list, after_name=after_name, after_id=after_id)
    return _slice(rows, CUSTOMERS_PER_PAGE, lambda row: f"{row['name_folded']}/{row['customer_id']}")


def _slice(rows: Sequence[Row], per_page: int, place: Any) -> Slice:
    """The queries ask for one row more than a page holds: it says whether there is a next page."""
    if len(rows) <= per_page:
        return Slice(rows, None)
    shown = rows[:per_page]
    return Slice(shown, base64.urlsafe_b64encode(place(shown[-1]).encode()).decode().rstrip("="))


def _invoice_place(cursor: str) -> tuple[date, uuid.UUID]:
    day, row_id = _opened(cursor)
    try:
        return date.fromisoformat(day), row_id
    except ValueError:
        raise _invalid_cursor() from None


def _customer_place(cursor: str) -> tuple[str, uuid.UUID]:
    name, row_id = _opened(cursor)
    if "\x00" in name:
        raise _invalid_cursor()
    return name, row_id


def _opened(cursor: str) -> tuple[str, uuid.UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        head, _, row_id = text.rpartition("/")
        return head, uuid.UUID(row_id)
    except ValueError:
        raise _invalid_cursor() from None


def _invalid_cursor() -> Invalid:
    return Invalid(
        "invoicing.cursor_invalid",
        "This cursor is none of ours; leave it out to start from the beginning.",
        fields={"cursor": "not a cursor of this list"},
    )
