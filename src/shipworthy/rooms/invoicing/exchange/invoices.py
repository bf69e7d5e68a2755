"""Invoices from a file, as drafts: a row is a line, and rows with one id are one invoice.

They are checked by what checks every draft and get their numbers as every draft does: whoever imports looks at them first.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.kernel.money.parse import parse_rate_bp
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.draft import Billed, Draft, DraftText, check_draft, columns_of, write_content
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
from shipworthy.rooms.invoicing.lines import LineText
from shipworthy.rooms.invoicing.pricing.typed import read_change
from shipworthy.rooms.invoicing.rates.rates import Rates, load_rates

NAMING = (
    "customer_id",
    "customer_source_id",
    "customer",
)  # the first that a row fills in says whom it is for
OF_INVOICE = ("currency", "payment_days", "supply_date", "note", "prices_include_tax")
OF_LINE = ("description", "quantity", "unit", "unit_price", "discount", "reason", "tax")
COLUMNS = ("source_id", *NAMING, *OF_INVOICE, *OF_LINE)
_YES, _NO = ("yes", "true", "1", "ja"), ("", "no", "false", "0", "nein")
_RATE = re.compile(r"([0-9.,]+)\s*%?")
_LINE_FIELD = re.compile(r"lines\[(\d+)\]\.(\w+)")
_COLUMN_OF = {"tax_rate_bp": "tax", "tax_category": "tax", "tax_code": "tax", "change": "discount"}

Customers = Mapping[tuple[str, str], Sequence[Billed]]  # by what names them, and how


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedInvoices(Imported):
    """`import_id` names what was made, to look at it and to take it back; None where nothing was."""

    import_id: uuid.UUID | None


async def plan_invoices(
    ctx: Ctx, data: bytes, *, source_type: str, customer_id: uuid.UUID | None = None
) -> Plan[Draft]:
    """Return what importing this file would do; changes nothing. Others are served while it is read.

    Rows that name no customer are for `customer_id`.

    Errors:  Invalid `invoicing.sheet_invalid`; Missing where there is no such `customer_id`.
    Cost:    four queries, however many rows.
    """
    source_type = read_source_type(source_type)
    sheet = await asyncio.to_thread(
        read_sheet, data, columns=COLUMNS, needed=("source_id", "description", "unit_price", "tax")
    )
    rows = _named(sheet, customer_id)
    seller = await ctx.db.one(q.seller_get)
    customers = await _customers(ctx, rows, source_type, seller["rounding"], also=customer_id)
    if customer_id is not None and ("customer_id", str(customer_id)) not in customers:
        raise Missing("customer")
    reading = _Reading(
        known=await _known(ctx, sheet, source_type),
        customers=customers,
        rates=await load_rates(ctx),
        today=today_in(seller["time_zone"], now=ctx.now()),
    )
    return plan_of(await asyncio.to_thread(reading.plan, rows), source_type=source_type)


async def import_invoices(ctx: Ctx, plan: Plan[Draft]) -> ImportedInvoices:
    """Write what is new in a plan as drafts. Where another import takes the same rows meanwhile, each is made once.

    Errors:  Invalid `invoicing.rows_wrong`.
    Cost:    two queries, however many rows.
    """
    require_right(plan)
    import_id = ctx.new_id()
    created = await _write(ctx, plan, import_id) if plan.new else 0
    known = len(plan.new) + len(plan.known) - created
    if not created:
        unchanged(ctx)
        return ImportedInvoices(import_id=None, created=0, known=known)
    detail = {"source_type": plan.source_type, "created": created, "known": known}
    await record(ctx, "invoices.imported", of="import", id=import_id, detail=detail)
    return ImportedInvoices(import_id=import_id, created=created, known=known)


async def _write(ctx: Ctx, plan: Plan[Draft], import_id: uuid.UUID) -> int:
    drafts = {ctx.new_id(): draft for draft in plan.contents.values()}
    columns = [columns_of(draft) for draft in drafts.values()]

    def each(name: str) -> list[object]:
        return [column[name] for column in columns]

    taken = await ctx.db.all(
        q.invoices_import,
        import_id=import_id,
        source_type=plan.source_type,
        source_ids=list(plan.contents),
        invoice_ids=list(drafts),
        customer_ids=each("customer_id"),
        currencies=each("currency"),
        exponents=each("exponent"),
        issue_dates=each("issue_date"),
        due_dates=each("due_date"),
        payment_days=each("payment_days"),
        supply_dates=each("supply_date"),
        notes=each("note"),
        prices_include_tax=each("prices_include_tax"),
        changes=[_json(changes) for changes in each("changes")],
        tax_reasons=[_json(reasons) for reasons in each("tax_reasons")],
        nets_minor=each("net_minor"),
        taxes_minor=each("tax_minor"),
        grosses_minor=each("gross_minor"),
        rounding_steps_minor=each("rounding_step_minor"),
        roundings_minor=each("rounding_minor"),
        now=ctx.now(),
    )
    made = {row["invoice_id"] for row in taken}
    if made:
        await write_content(ctx, {id: draft for id, draft in drafts.items() if id in made})
    return len(made)


def _json(value: object) -> str:
    """A list in a list would be taken for an array of two dimensions."""
    return msgspec.json.encode(value).decode()


async def _known(ctx: Ctx, sheet: Sequence[SheetRow], source_type: str) -> set[str]:
    ids = list({row.cell("source_id") for row in sheet})
    found = await ctx.db.all(q.invoice_sources_known, source_type=source_type, source_ids=ids)
    return {row["source_id"] for row in found}


async def _customers(
    ctx: Ctx, rows: Sequence[_Row], source_type: str, sellers_rounding: str, *, also: uuid.UUID | None
) -> dict[tuple[str, str], list[Billed]]:
    said: dict[str, set[str]] = {way: {row.said for row in rows if row.named_by == way} for way in NAMING}
    found = await ctx.db.all(
        q.import_customers,
        customer_ids=[uuid.UUID(text) for text in said["customer_id"]] + ([also] if also else []),
        source_type=source_type,
        source_ids=list(said["customer_source_id"]),
        names=list(said["customer"]),
    )
    customers: dict[tuple[str, str], list[Billed]] = {}
    for row in found:
        billed = Billed(
            customer_id=row["customer_id"], name=row["name"], rounding=row["rounding"] or sellers_rounding
        )
        customers.setdefault((row["named_by"], row["said"]), []).append(billed)
    return customers


@dataclass(frozen=True, slots=True)
class _Row:
    """A row, and how it names its customer: by nothing where `named_by` is empty."""

    row: SheetRow
    named_by: str
    said: str


def _named(sheet: Sequence[SheetRow], customer_id: uuid.UUID | None) -> list[_Row]:
    rows = []
    for row in sheet:
        way = next((way for way in NAMING if row.cell(way)), "")
        said = row.cell(way) if way else ""
        if way == "customer_id":
            said = _id_text(said)
            way = way if said else "customer_id?"
        elif way == "customer":
            said = said.lower()
        elif not way and customer_id is not None:
            way, said = "customer_id", str(customer_id)
        rows.append(_Row(row, way, said))
    return rows


def _id_text(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What reading the rows needs to know; no database from here on."""

    known: set[str]
    customers: Customers
    rates: Rates
    today: date

    def plan(self, rows: Sequence[_Row]) -> list[Planned[Draft]]:
        """Return each invoice in the order in which it begins."""
        groups: dict[object, list[_Row]] = {}
        for row in rows:
            source_id = row.row.cell("source_id")
            groups.setdefault(source_id or row.row.number, []).append(row)
        return [self._plan_one(group) for group in groups.values()]

    def _plan_one(self, group: Sequence[_Row]) -> Planned[Draft]:
        head, errors = group[0], dict[Place, str]()
        source_id = head.row.cell("source_id")
        if said := wrong_source_id(source_id):
            errors[head.row.number, "source_id"] = said
        billed = self._billed(group, errors)
        draft = None
        try:
            draft = check_draft(_text(group, errors), billed, self.rates, today=self.today)
        except Invalid as refused:
            for field, said in refused.fields.items():
                errors.setdefault(_place(field, group), said)
        return Planned(
            row=head.row.number,
            source_id=source_id,
            name=billed.name if billed else head.row.cell("customer"),
            is_known=source_id in self.known,
            errors=errors,
            content=None if errors else draft,
        )

    def _billed(self, group: Sequence[_Row], errors: dict[Place, str]) -> Billed | None:
        """Return the customer; rows after the first may leave it out, and may not name another."""
        head = group[0]
        place = (head.row.number, head.named_by.rstrip("?") or "customer")
        found = self.customers.get((head.named_by, head.said), ())
        if not head.named_by:
            errors[place] = _("Say whom the invoice is for.")
        elif len(found) > 1:
            errors[place] = _("Several customers have this name; name one by its id.")
        elif not found:
            errors[place] = _("There is no such customer.")
        for later in group[1:]:
            is_named = any(later.row.cell(way) for way in NAMING)
            if is_named and (later.named_by, later.said) != (head.named_by, head.said):
                errors[later.row.number, later.named_by.rstrip("?")] = _other(head)
        return found[0] if len(found) == 1 else None


def _text(group: Sequence[_Row], errors: dict[Place, str]) -> DraftText:
    """Return the draft a group of rows says, typed; what cannot be is added to `errors`."""
    head = group[0].row
    for later in group[1:]:
        for column in OF_INVOICE:
            if later.row.cell(column) and later.row.cell(column) != head.cell(column):
                errors[later.row.number, column] = _other(group[0])
    currency = head.cell("currency").upper() or "EUR"
    return DraftText(
        customer_id=None,
        currency=currency,
        lines=tuple(_line(row.row, currency, errors) for row in group),
        note=head.cell("note"),
        payment_days=_days(head, errors),
        supply_date=_day(head, errors),
        prices_include_tax=_says_yes(head, errors),
    )


def _line(row: SheetRow, currency: str, errors: dict[Place, str]) -> LineText:
    wrong: dict[str, str] = {}
    change = read_change(
        row.cell("discount"), row.cell("reason"), currency=currency, field="discount", wrong=wrong
    )
    rate_bp, code = None, None
    written = row.cell("tax")
    if found := _RATE.fullmatch(written):
        try:
            rate_bp = parse_rate_bp(found[1], field="tax")
        except Invalid as refused:
            wrong |= refused.fields
            rate_bp = 0
    else:
        code = written or None
    errors |= {(row.number, column): said for column, said in wrong.items()}
    return LineText(
        description=row.cell("description"),
        quantity=row.cell("quantity") or "1",
        unit=row.cell("unit"),
        unit_price=row.cell("unit_price"),
        tax_rate_bp=rate_bp,
        tax_code=code,
        change=change,
    )


def _days(row: SheetRow, errors: dict[Place, str]) -> int:
    text = row.cell("payment_days") or "14"
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return int(text)
    errors[row.number, "payment_days"] = _("Write a number of days.")
    return 0


def _day(row: SheetRow, errors: dict[Place, str]) -> date | None:
    text = row.cell("supply_date")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        errors[row.number, "supply_date"] = _("There is no such day; write it like 2026-01-31.")
        return None


def _says_yes(row: SheetRow, errors: dict[Place, str]) -> bool:
    text = row.cell("prices_include_tax").lower()
    if text not in (*_YES, *_NO):
        errors[row.number, "prices_include_tax"] = _("Write yes or no.")
    return text in _YES


def _place(field: str, group: Sequence[_Row]) -> Place:
    """`lines[2].unit_price` of a draft is the column of its third row."""
    found = _LINE_FIELD.match(field)
    if not found:
        column = {"customer_id": group[0].named_by.rstrip("?") or "customer", "lines": "description"}
        return group[0].row.number, column.get(field, field)
    return group[int(found[1])].row.number, _COLUMN_OF.get(found[2], found[2])


def _other(head: _Row) -> str:
    return _("Row {row} of this invoice says something else.", row=head.row.number)
