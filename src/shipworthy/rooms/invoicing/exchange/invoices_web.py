"""HTTP for invoices that come as CSV: said first what would happen, then done, then looked at, and taken back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, _n, day_text, mark, spoken
from shipworthy.kernel.money.format import format_amount
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.draft import Draft
from shipworthy.rooms.invoicing.exchange.imports import Plan, Planned
from shipworthy.rooms.invoicing.exchange.invoices import COLUMNS, import_invoices, plan_invoices
from shipworthy.rooms.invoicing.exchange.pages import (
    BODY_BYTES_MAX,
    Csv,
    ImportForm,
    Importing,
    SourceType,
    choose_page,
    outcome,
    plan_page,
)
from shipworthy.rooms.invoicing.exchange.undo import load_import, undo_import
from shipworthy.rooms.invoicing.exchange.web import IMPORT_PERSONAL
from shipworthy.rooms.invoicing.forms import read_id
from shipworthy.rooms.invoicing.permissions import may_write


def _comes_to(draft: Draft) -> str:
    """Return what a draft comes to, before it is one."""
    amount = format_amount(draft.totals.payable_minor, currency=draft.currency.code, locale=spoken())
    return _n("{count} line, {amount}", "{count} lines, {amount}", len(draft.lines), amount=amount)


_INVOICES = Importing(
    path="/invoices/import",
    back="/invoices",
    section="invoices",
    things=mark("Invoices"),
    title=mark("Import invoices"),
    permission="invoice.write",
    forbidden=mark("You may look at invoices, but not add any."),
    needs=mark(
        "The first line names the columns, in any order. A row is a line of an invoice, and rows with the same source_id "
        "are one invoice, made as a draft. Needed are source_id, description, unit_price, tax (a percentage or the "
        "code of one of your rates) and whom it is for."
    ),
    hint=mark(
        "The customer is named by customer_id, by customer_source_id (their id in customers imported from the same "
        "place) or by name. What is left empty is EUR, 14 days and a quantity of 1."
    ),
    columns=COLUMNS,
    button=lambda count: _n("Import {count} draft", "Import {count} drafts", count),
    detail=_comes_to,
)
_NUMBERS_SAID = 5


class InvoiceImportBody(Body):
    """`csv` is the whole file, `source_type` says whose ids it has; rows that name no customer are for `customer_id`."""

    csv: Csv
    source_type: SourceType = "csv"
    customer_id: uuid.UUID | None = None


class InvoiceImportForm(ImportForm):
    customer_id: Annotated[str, Meta(max_length=40)] = ""


async def api_check_import(ctx: Ctx, body: InvoiceImportBody) -> Any:
    plan = await _plan_of(ctx, body)
    return {
        "source_type": plan.source_type,
        "new": len(plan.new),
        "known": len(plan.known),
        "wrong": len(plan.wrong),
        "invoices": [_planned_json(planned) for planned in plan.rows],
    }


async def api_import(ctx: Ctx, body: InvoiceImportBody) -> Any:
    done = await import_invoices(ctx, await _plan_of(ctx, body))
    return {"import_id": done.import_id, "created": done.created, "known": done.known}


async def api_get_import(ctx: Ctx, import_id: uuid.UUID) -> Any:
    found = await load_import(ctx, import_id)
    names = ("import_id", "source_type", "created", "created_at", "undone_at", "taken_back", "still")
    return {**{name: found[name] for name in names}, "invoices": _left_json(found["invoices"])}


async def api_undo_import(ctx: Ctx, import_id: uuid.UUID) -> Any:
    undone = await undo_import(ctx, import_id)
    return {"taken_back": undone.taken_back, "left": _left_json(undone.left)}


async def import_page(ctx: Ctx) -> Page:
    return await _choose_page(ctx)


async def check_import_page(ctx: Ctx, form: InvoiceImportForm) -> Page:
    return plan_page(_INVOICES, await _plan(ctx, form), form, customer_id=form.customer_id)


async def submit_import(ctx: Ctx, form: InvoiceImportForm) -> Redirect:
    plan = await _plan(ctx, form)
    try:
        done = await import_invoices(ctx, plan)
    except Invalid as refused:
        page = plan_page(_INVOICES, plan, form, customer_id=form.customer_id)
        raise refused.shown_on(page) from None
    said = _n("{count} draft is imported.", "{count} drafts are imported.", done.created)
    if done.known:
        said += " " + _n("{count} was here already.", "{count} were here already.", done.known)
    return Redirect(f"/invoices/imports/{done.import_id}" if done.import_id else "/invoices", flash=said)


async def imported_page(ctx: Ctx, import_id: uuid.UUID) -> Page:
    found = await load_import(ctx, import_id)
    rows = found["invoices"]
    data = {
        "batch": {name: value for name, value in found.items() if name != "invoices"},
        "invoices": [dict(row) for row in rows],
        "hidden": found["still"] - len(rows),
        "drafts": sum(row["status"] == "draft" for row in rows),
        "may_write": may_write(ctx),
    }
    return Page("invoicing/imported.html", data, title=_("Import"), section="invoices")


async def submit_undo(ctx: Ctx, import_id: uuid.UUID) -> Redirect:
    undone = await undo_import(ctx, import_id)
    said = _n("{count} draft is taken back.", "{count} drafts are taken back.", undone.taken_back)
    if undone.left:
        numbers = [row["number"] for row in undone.left[:_NUMBERS_SAID]]
        more = "\N{HORIZONTAL ELLIPSIS}" if len(undone.left) > _NUMBERS_SAID else ""
        said += " " + _("What was issued stays: {numbers}", numbers=", ".join(numbers) + (more or "."))
    return Redirect(f"/invoices/imports/{import_id}", flash=said)


async def _plan(ctx: Ctx, form: InvoiceImportForm) -> Plan[Draft]:
    try:
        return await plan_invoices(
            ctx, form.data, source_type=form.source_type, customer_id=read_id(form.customer_id)
        )
    except Invalid as refused:
        page = await _choose_page(ctx, form=form, errors=refused.fields)
        raise refused.shown_on(page) from None


async def _plan_of(ctx: Ctx, body: InvoiceImportBody) -> Plan[Draft]:
    return await plan_invoices(
        ctx, body.csv.encode(), source_type=body.source_type, customer_id=body.customer_id
    )


async def _choose_page(
    ctx: Ctx, *, form: InvoiceImportForm | None = None, errors: dict[str, str] | None = None
) -> Page:
    seller = await ctx.db.one(q.seller_get)
    customers = [(str(row["customer_id"]), row["name"]) for row in await ctx.db.all(q.customer_choices)]
    earlier = [
        {**row, "day": day_text(today_in(seller["time_zone"], now=row["created_at"]))}
        for row in await ctx.db.all(q.invoice_import_list)
    ]
    return choose_page(
        ctx,
        _INVOICES,
        source_type=form.source_type if form else "csv",
        errors=errors,
        customers=[("", _("Every row names one")), *customers],
        customer_id=form.customer_id if form else "",
        earlier=earlier,
    )


def _planned_json(planned: Planned[Draft]) -> dict[str, Any]:
    draft = planned.content
    return {
        "row": planned.row,
        "source_id": planned.source_id,
        "customer": planned.name,
        "outcome": outcome(planned),
        "errors": {f"rows[{row}].{column}": said for (row, column), said in planned.errors.items()},
        "lines": len(draft.lines) if draft else None,
        "currency": draft.currency.code if draft else None,
        "payable_minor": draft.totals.payable_minor if draft else None,
    }


def _left_json(rows: Sequence[Record]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in ("invoice_id", "source_id", "status", "number")} for row in rows]


_EXAMPLE = {
    "source_type": "example",
    "csv": "source_id,description,quantity,unit,unit_price,tax\r\nR-1,Advice,1.5,HUR,95.00,19\r\n",
    "customer_id": "$customer_id",
}
_IMPORT = {"import_id": "invoice_import_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES: tuple[Route, ...] = (
    route("POST", "/api/invoices/import/check", api_check_import, title="Say what an import would do",
          permission="invoice.write", body=InvoiceImportBody, screened=False, body_bytes_max=BODY_BYTES_MAX, example=_EXAMPLE,
          personal=IMPORT_PERSONAL, queries_max=7),
    route("POST", "/api/invoices/import", api_import, title="Import invoices as drafts", permission="invoice.write",
          body=InvoiceImportBody, screened=False, body_bytes_max=BODY_BYTES_MAX, idempotency="key", effect="change",
          audit="invoices.imported", example=_EXAMPLE, personal=IMPORT_PERSONAL, queries_max=12),
    route("GET", "/api/invoices/imports/{import_id}", api_get_import, title="Read an import",
          permission="invoice.read", params=_IMPORT, queries_max=4),
    route("POST", "/api/invoices/imports/{import_id}/undo", api_undo_import, title="Take an import back",
          permission="invoice.write", idempotency="key", effect="change", audit="invoices.import_undone",
          params=_IMPORT, example={}, queries_max=8),
    route("GET", "/invoices/import", import_page, title="Import invoices", media="html", permission="invoice.read",
          queries_max=6),
    route("POST", "/invoices/import/check", check_import_page, title="Say what an import would do", media="html",
          permission="invoice.write", body=InvoiceImportForm, screened=False, body_bytes_max=BODY_BYTES_MAX, example=_EXAMPLE,
          personal=IMPORT_PERSONAL, queries_max=7),
    route("POST", "/invoices/import", submit_import, title="Import invoices as drafts", media="html",
          permission="invoice.write", body=InvoiceImportForm, screened=False, body_bytes_max=BODY_BYTES_MAX, idempotency="key",
          effect="change", audit="invoices.imported", example=_EXAMPLE, personal=IMPORT_PERSONAL, queries_max=12),
    route("GET", "/invoices/imports/{import_id}", imported_page, title="An import", media="html",
          permission="invoice.read", params=_IMPORT, queries_max=4),
    route("POST", "/invoices/imports/{import_id}/undo", submit_undo, title="Take an import back", media="html",
          permission="invoice.write", idempotency="key", effect="change", audit="invoices.import_undone",
          params=_IMPORT, example={}, queries_max=8),
)  # fmt: skip
