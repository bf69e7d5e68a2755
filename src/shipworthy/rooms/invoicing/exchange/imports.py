"""Customers from a file: what it would do, row by row, and doing it, all or nothing.

One reading decides both the dry run and the import. A row is named by where it comes from and the id it has there:
what was read before is not read again. No VAT number is asked about here: the service counts its callers, and ten
thousand questions at once would be refused; saving a customer asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _, _n
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.customers import CustomerText, check_customer
from shipworthy.rooms.invoicing.exchange.sheet import SheetRow, read_sheet

SOURCE_ID_CHARS_MAX = 200
SOURCE_TYPE_CHARS_MAX = 40
FIELDS = ("name", "email", "tax_id", "street", "postal_code", "city", "country", "buyer_reference")
_OWN_ID = "customer_id"  # what our own export calls it: such a file may come back as it is
_COLUMNS = ("source_id", _OWN_ID, *FIELDS)
_ERRORS_TOLD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What becomes of one row: it is new (none of the others), was read before, or has wrong columns."""

    row: int
    source_id: str
    name: str
    is_known: bool
    errors: dict[str, str]  # by column
    customer: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What importing a file would do now. Nothing is done where any row is wrong."""

    source_type: str
    wrong: Sequence[Planned]
    new: Sequence[Planned]
    known: Sequence[Planned]

    @property
    def rows(self) -> list[Planned]:
        return sorted((*self.wrong, *self.new, *self.known), key=lambda planned: planned.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How many customers an import made, and how many were here already."""

    created: int
    known: int


async def plan_import(ctx: Ctx, data: bytes, *, source_type: str) -> Plan:
    """Return what importing this file would do; changes nothing. Others are served while it is read.

    Errors:  Invalid `invoicing.sheet_invalid`.
    Cost:    one query.
    """
    source_type = _read_source_type(source_type)
    sheet = await asyncio.to_thread(read_sheet, data, columns=_COLUMNS, needed=("name",))
    ids = [_source_id(row) for row in sheet]
    rows = await ctx.db.all(q.customer_sources_known, source_type=source_type, source_ids=ids)
    known = {row["source_id"] for row in rows}
    planned = await asyncio.to_thread(_planned, sheet, known)
    return Plan(
        source_type=source_type,
        wrong=[row for row in planned if row.errors],
        new=[row for row in planned if not row.errors and not row.is_known],
        known=[row for row in planned if not row.errors and row.is_known],
    )


async def import_customers(ctx: Ctx, plan: Plan) -> Imported:
    """Write down what is new in a plan. Where another import takes the same rows meanwhile, each is made once.

    Errors:  Invalid `invoicing.rows_wrong`, naming row and column of each error (the first hundred).
    Cost:    one query, however many rows.
    """
    if plan.wrong:
        raise _rows_wrong(plan)
    created = await _write(ctx, plan) if plan.new else 0
    known = len(plan.new) + len(plan.known) - created
    if created:
        detail = {"source_type": plan.source_type, "created": created, "known": known}
        await record(ctx, "customers.imported", of="import", id=ctx.new_id(), detail=detail)
    else:
        unchanged(ctx)
    return Imported(created=created, known=known)


async def _write(ctx: Ctx, plan: Plan) -> int:
    row = await ctx.db.one(
        q.customers_import,
        source_type=plan.source_type,
        source_ids=[planned.source_id for planned in plan.new],
        customer_ids=[ctx.new_id() for _planned_row in plan.new],
        names=[planned.customer["name"] for planned in plan.new],
        emails=[planned.customer["email"] for planned in plan.new],
        tax_ids=[planned.customer["tax_id"] for planned in plan.new],
        streets=[planned.customer["street"] for planned in plan.new],
        postal_codes=[planned.customer["postal_code"] for planned in plan.new],
        cities=[planned.customer["city"] for planned in plan.new],
        countries=[planned.customer["country"] for planned in plan.new],
        buyer_references=[planned.customer["buyer_reference"] for planned in plan.new],
        now=ctx.now(),
    )
    return int(row["created"])


def _rows_wrong(plan: Plan) -> Invalid:
    errors = [(row.row, column, said) for row in plan.wrong for column, said in row.errors.items()]
    return Invalid(
        "invoicing.rows_wrong",
        _n(
            "{count} row of the file needs another value. Nothing was imported.",
            "{count} rows of the file need another value. Nothing was imported.",
            len(plan.wrong),
        ),
        fields={f"rows[{row}].{column}": said for row, column, said in errors[:_ERRORS_TOLD]},
    )


def _read_source_type(text: str) -> str:
    text = text.strip() or "csv"
    if len(text) > SOURCE_TYPE_CHARS_MAX or not text.isprintable():
        said = _("At most {chars_max} characters, on one line.", chars_max=SOURCE_TYPE_CHARS_MAX)
        raise Invalid("invoicing.sheet_invalid", said, fields={"source_type": said})
    return text


def _source_id(row: SheetRow) -> str:
    return row.cell("source_id") or row.cell(_OWN_ID)


def _planned(sheet: Sequence[SheetRow], known: set[str]) -> list[Planned]:
    first_row: dict[str, int] = {}
    return [_plan_row(row, known, first_row) for row in sheet]


def _plan_row(row: SheetRow, known: set[str], first_row: dict[str, int]) -> Planned:
    source_id = _source_id(row)
    errors: dict[str, str] = {}
    if not source_id:
        errors["source_id"] = _("Every row needs an id of its own: with it, a file read twice counts once.")
    elif len(source_id) > SOURCE_ID_CHARS_MAX or not source_id.isprintable():
        errors["source_id"] = _("At most {chars_max} characters, on one line.", chars_max=SOURCE_ID_CHARS_MAX)
    elif (first := first_row.setdefault(source_id, row.number)) != row.number:
        errors["source_id"] = _("Row {row} has this id, too.", row=first)
    customer: dict[str, str] = {}
    try:
        customer = check_customer(CustomerText(**{name: row.cell(name) for name in FIELDS}))
    except Invalid as refused:
        errors |= refused.fields
    return Planned(
        row=row.number,
        source_id=source_id,
        name=row.cell("name"),
        is_known=source_id in known,
        errors=errors,
        customer=customer,
    )
