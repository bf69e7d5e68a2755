"""Lists by keyset: a page costs the same wherever it is, and nothing is skipped or shown twice.

A cursor names a row that was shown and the way to go from it. It is opaque to callers and
holds no secret: the tenant comes from the session, never from here.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.wanted import EVERYTHING, OVERDUE, Wanted

INVOICES_PER_PAGE = 25
PAYMENTS_PER_PAGE = 25
CUSTOMERS_PER_PAGE = 50
CUSTOMERS_SEARCHED_MAX = 500  # a text that fits more of them finds invoices of so many

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One page of a list. A cursor is None where there is nothing more that way.

    `is_partial`: the text fits too many customers, and only the invoices of some were looked through.
    """

    rows: Sequence[Row]
    previous_cursor: str | None
    next_cursor: str | None
    is_partial: bool = False


async def list_invoices(ctx: Ctx, wanted: Wanted = EVERYTHING, *, cursor: str | None = None) -> Slice:
    """Return a page of the invoices that are wanted, newest first.

    Errors:  Invalid `invoicing.cursor_invalid`.
    Cost:    one query; one more each for a text and for what is overdue.
    """
    place = _opened(cursor, date.fromisoformat) if cursor else _NEWEST
    at = {"issue_date": place.key, "invoice_id": place.row_id}
    is_partial = False
    if wanted.is_by_status_only and wanted.status is None:
        rows = await ctx.db.all(q.invoice_list_newer if place.is_back else q.invoice_list, **at)
    elif wanted.is_by_status_only:
        query = q.invoice_list_by_status_newer if place.is_back else q.invoice_list_by_status
        rows = await ctx.db.all(query, status=wanted.status, **at)
    elif wanted.text or wanted.customer_id:
        customer_ids = await _customers_meant(ctx, wanted)
        is_partial = len(customer_ids) > CUSTOMERS_SEARCHED_MAX
        numbers = {"starts": wanted.number_starts, "ends": wanted.number_ends, "seq": wanted.seq}
        rows = await ctx.db.all(
            q.invoice_search_newer if place.is_back else q.invoice_search,
            customer_ids=customer_ids[:CUSTOMERS_SEARCHED_MAX],
            customer_id=wanted.customer_id,
            **numbers,
            **await _narrowing(ctx, wanted),
            **at,
        )
    else:
        query = q.invoice_find_newer if place.is_back else q.invoice_find
        rows = await ctx.db.all(query, **await _narrowing(ctx, wanted), **at)
    shown = _slice(rows, place, per_page=INVOICES_PER_PAGE, key="issue_date", row_id="invoice_id")
    return replace(shown, is_partial=is_partial)


async def _customers_meant(ctx: Ctx, wanted: Wanted) -> list[uuid.UUID]:
    """Return the customers whose invoices are wanted: the one that is named, or those whose words fit."""
    if not wanted.text:
        return [wanted.customer_id] if wanted.customer_id else []
    found = await ctx.db.all(q.customer_matches, text=wanted.text, customer_id=wanted.customer_id)
    return [row["customer_id"] for row in found]


async def _narrowing(ctx: Ctx, wanted: Wanted) -> dict[str, object]:
    due_before = date.max
    if wanted.status == OVERDUE:
        seller = await ctx.db.one(q.seller_get)
        due_before = today_in(seller["time_zone"], now=ctx.now())
    return {
        "statuses": wanted.statuses,
        "issued_from": wanted.issued_from or date.min,
        "issued_to": wanted.issued_to or date.max,
        "due_before": due_before,
        "currency": wanted.currency,
        "mins_minor": wanted.mins_minor,
        "maxs_minor": wanted.maxs_minor,
    }


async def list_payments(ctx: Ctx, *, cursor: str | None) -> Slice:
    """Return a page of payments, newest first.

    Errors:  Invalid `invoicing.cursor_invalid`.
    Cost:    one query.
    """
    place = _opened(cursor, date.fromisoformat) if cursor else _NEWEST
    query = q.payment_list_newer if place.is_back else q.payment_list
    rows = await ctx.db.all(query, paid_on=place.key, payment_id=place.row_id)
    return _slice(rows, place, per_page=PAYMENTS_PER_PAGE, key="paid_on", row_id="payment_id")


async def list_customers(ctx: Ctx, *, cursor: str | None, text: str = "") -> Slice:
    """Return a page of customers by name; with a text, of those with words that begin so.

    Errors:  Invalid `invoicing.cursor_invalid`.
    Cost:    one query.
    """
    place = _opened(cursor, _storable) if cursor else _FIRST_CUSTOMER
    at = {"name_folded": place.key, "customer_id": place.row_id}
    if text:
        rows = await ctx.db.all(q.customer_find_back if place.is_back else q.customer_find, text=text, **at)
    else:
        rows = await ctx.db.all(q.customer_list_back if place.is_back else q.customer_list, **at)
    return _slice(rows, place, per_page=CUSTOMERS_PER_PAGE, key="name_folded", row_id="customer_id")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: behind this key and row, or before them."""

    key: object
    row_id: uuid.UUID
    is_back: bool = False
    is_start: bool = False


_NEWEST = _Place(date.max, uuid.UUID(int=2**128 - 1), is_start=True)
_FIRST_CUSTOMER = _Place("", uuid.UUID(int=0), is_start=True)
_ONWARD, _BACK = "next", "previous"


def _slice(rows: Sequence[Row], place: _Place, *, per_page: int, key: str, row_id: str) -> Slice:
    """Queries ask for one row more than a page holds: it says whether there is more that way."""
    has_more, rows = len(rows) > per_page, rows[:per_page]
    if place.is_back:
        rows = rows[::-1]
    if not rows:
        return Slice(rows=(), previous_cursor=None, next_cursor=None)
    has_previous, has_next = (has_more, True) if place.is_back else (not place.is_start, has_more)
    first, last = rows[0], rows[-1]
    return Slice(
        rows=rows,
        previous_cursor=_cursor(_BACK, first[key], first[row_id]) if has_previous else None,
        next_cursor=_cursor(_ONWARD, last[key], last[row_id]) if has_next else None,
    )


def _cursor(way: str, key: object, row_id: object) -> str:
    return base64.urlsafe_b64encode(f"{way}/{key}/{row_id}".encode()).decode().rstrip("=")


def _opened(cursor: str, parse_key: Callable[[str], object]) -> _Place:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        way, _slash, rest = text.partition("/")
        key, _slash, row_id = rest.rpartition("/")
        if way not in (_ONWARD, _BACK):
            raise ValueError(way)
        return _Place(parse_key(key), uuid.UUID(row_id), is_back=way == _BACK)
    except ValueError:
        raise Invalid(
            "invoicing.cursor_invalid",
            _("This cursor is none of ours; leave it out to start from the beginning."),
            fields={"cursor": _("This is not a cursor of this list.")},
        ) from None


def _storable(name: str) -> str:
    if "\x00" in name:
        raise ValueError("no name holds a NUL")
    return name
