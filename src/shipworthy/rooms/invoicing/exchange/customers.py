"""Customers from a file. No VAT number is asked about here: the service counts its callers, and ten thousand questions
at once would be refused; saving a customer asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.customers import CustomerText, check_customer
from shipworthy.rooms.invoicing.exchange.imports import (
    Imported,
    Place,
    Plan,
    Planned,
    plan_of,
    read_source_type,
    require_right,
    wrong_source_id,
)
from shipworthy.rooms.invoicing.exchange.sheet import SheetRow, read_sheet

FIELDS = ("name", "email", "tax_id", "street", "postal_code", "city", "country", "buyer_reference")
_OWN_ID = "customer_id"  # what our own export calls it: such a file may come back as it is
_COLUMNS = ("source_id", _OWN_ID, *FIELDS)

Customer = dict[str, str]


async def plan_customers(ctx: Ctx, data: bytes, *, source_type: str) -> Plan[Customer]:
    """Return what importing this file would do; changes nothing. Others are served while it is read.

    Errors:  Invalid `invoicing.sheet_invalid`.
    Cost:    one query.
    """
    source_type = read_source_type(source_type)
    sheet = await asyncio.to_thread(read_sheet, data, columns=_COLUMNS, needed=("name",))
    ids = [_source_id(row) for row in sheet]
    rows = await ctx.db.all(q.customer_sources_known, source_type=source_type, source_ids=ids)
    known = {row["source_id"] for row in rows}
    return plan_of(await asyncio.to_thread(_planned, sheet, known), source_type=source_type)


async def import_customers(ctx: Ctx, plan: Plan[Customer]) -> Imported:
    """Write down what is new in a plan. Where another import takes the same rows meanwhile, each is made once.

    Errors:  Invalid `invoicing.rows_wrong`.
    Cost:    one query, however many rows.
    """
    require_right(plan)
    created = await _write(ctx, plan) if plan.new else 0
    known = len(plan.new) + len(plan.known) - created
    if created:
        detail = {"source_type": plan.source_type, "created": created, "known": known}
        await record(ctx, "customers.imported", of="import", id=ctx.new_id(), detail=detail)
    else:
        unchanged(ctx)
    return Imported(created=created, known=known)


async def _write(ctx: Ctx, plan: Plan[Customer]) -> int:
    new = plan.contents
    row = await ctx.db.one(
        q.customers_import,
        source_type=plan.source_type,
        source_ids=list(new),
        customer_ids=[ctx.new_id() for _customer in new],
        names=[customer["name"] for customer in new.values()],
        emails=[customer["email"] for customer in new.values()],
        tax_ids=[customer["tax_id"] for customer in new.values()],
        streets=[customer["street"] for customer in new.values()],
        postal_codes=[customer["postal_code"] for customer in new.values()],
        cities=[customer["city"] for customer in new.values()],
        countries=[customer["country"] for customer in new.values()],
        buyer_references=[customer["buyer_reference"] for customer in new.values()],
        now=ctx.now(),
    )
    return int(row["created"])


def _source_id(row: SheetRow) -> str:
    return row.cell("source_id") or row.cell(_OWN_ID)


def _planned(sheet: Sequence[SheetRow], known: set[str]) -> list[Planned[Customer]]:
    first_row: dict[str, int] = {}
    return [_plan_row(row, known, first_row) for row in sheet]


def _plan_row(row: SheetRow, known: set[str], first_row: dict[str, int]) -> Planned[Customer]:
    source_id = _source_id(row)
    errors: dict[Place, str] = {}
    if said := wrong_source_id(source_id):
        errors[row.number, "source_id"] = said
    elif (first := first_row.setdefault(source_id, row.number)) != row.number:
        errors[row.number, "source_id"] = _("Row {row} has this id, too.", row=first)
    customer: Customer | None = None
    try:
        customer = check_customer(CustomerText(**{name: row.cell(name) for name in FIELDS}))
    except Invalid as refused:
        errors |= {(row.number, column): said for column, said in refused.fields.items()}
    return Planned(
        row=row.number,
        source_id=source_id,
        name=row.cell("name"),
        is_known=source_id in known,
        errors=errors,
        content=customer,
    )
