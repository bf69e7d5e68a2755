"""HTTP for customers that come as CSV: said first what would happen, then done."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, _n
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.exchange.imports import (
    FIELDS,
    SOURCE_TYPE_CHARS_MAX,
    Plan,
    Planned,
    import_customers,
    plan_import,
)
from shipworthy.rooms.invoicing.exchange.sheet import BYTES_MAX, ROWS_MAX
from shipworthy.rooms.invoicing.permissions import may

ROWS_SHOWN = 200
_BODY_BYTES_MAX = BYTES_MAX + 64 * 1024  # and what a form or JSON puts around the file

Csv = Annotated[str, Meta(max_length=BYTES_MAX)]
SourceType = Annotated[str, Meta(max_length=100)]


class ImportBody(Body):
    """`csv` is the whole file. `source_type` says whose ids it has, so that those of two programs do not mix."""

    csv: Csv
    source_type: SourceType = "csv"


class ImportForm(Body):
    """The file itself, or its text, as the second step sends it."""

    csv: Csv = ""
    source_type: SourceType = "csv"
    file: bytes = b""
    file_name: Annotated[str, Meta(max_length=400)] = ""

    @property
    def data(self) -> bytes:
        return self.file or self.csv.encode()


async def api_check_import(ctx: Ctx, body: ImportBody) -> Any:
    plan = await plan_import(ctx, body.csv.encode(), source_type=body.source_type)
    return {
        "source_type": plan.source_type,
        "new": len(plan.new),
        "known": len(plan.known),
        "wrong": len(plan.wrong),
        "rows": [_row_json(row) for row in plan.rows],
    }


async def api_import(ctx: Ctx, body: ImportBody) -> Any:
    plan = await plan_import(ctx, body.csv.encode(), source_type=body.source_type)
    done = await import_customers(ctx, plan)
    return {"created": done.created, "known": done.known}


async def import_page(ctx: Ctx) -> Page:
    return _choose_page(ctx)


async def check_import_page(ctx: Ctx, form: ImportForm) -> Page:
    plan = await _plan(ctx, form)
    return _plan_page(plan, form)


async def submit_import(ctx: Ctx, form: ImportForm) -> Redirect:
    plan = await _plan(ctx, form)
    try:
        done = await import_customers(ctx, plan)
    except Invalid as refused:
        raise refused.shown_on(_plan_page(plan, form)) from None
    said = _n("{count} customer is imported.", "{count} customers are imported.", done.created)
    if done.known:
        said += " " + _n("{count} was here already.", "{count} were here already.", done.known)
    return Redirect("/customers", flash=said)


async def _plan(ctx: Ctx, form: ImportForm) -> Plan:
    try:
        return await plan_import(ctx, form.data, source_type=form.source_type)
    except Invalid as refused:
        page = _choose_page(ctx, source_type=form.source_type, errors=refused.fields)
        raise refused.shown_on(page) from None


def _choose_page(ctx: Ctx, *, source_type: str = "csv", errors: dict[str, str] | None = None) -> Page:
    data = {
        "source_type": source_type,
        "errors": errors or {},
        "rows_max": ROWS_MAX,
        "megabytes_max": BYTES_MAX // 1024 // 1024,
        "chars_max": SOURCE_TYPE_CHARS_MAX,
        "columns": ("source_id", *FIELDS),
        "may_write": may(ctx, "customer.write"),
    }
    return Page("invoicing/import.html", data, title=_("Import customers"), section="customers")


def _plan_page(plan: Plan, form: ImportForm) -> Page:
    rows = [*plan.wrong, *plan.new, *plan.known]
    data = {
        "plan": plan,
        "csv": form.data.decode("utf-8-sig"),
        "rows": rows[:ROWS_SHOWN],
        "hidden": max(0, len(rows) - ROWS_SHOWN),
    }
    return Page("invoicing/import_check.html", data, title=_("Check the import"), section="customers")


def _row_json(row: Planned) -> dict[str, Any]:
    return {
        "row": row.row,
        "source_id": row.source_id,
        "name": row.name,
        "outcome": "wrong" if row.errors else "known" if row.is_known else "new",
        "errors": row.errors,
    }


IMPORT_PERSONAL = ("csv", "file")
_EXAMPLE = {
    "source_type": "example",
    "csv": "source_id,name,city,country\r\nK-1,Harbour Office,Hamburg,DE\r\n",
}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES: tuple[Route, ...] = (
    route("POST", "/api/customers/import/check", api_check_import, title="Say what an import would do",
          permission="customer.write", body=ImportBody, body_bytes_max=_BODY_BYTES_MAX, example=_EXAMPLE,
          personal=IMPORT_PERSONAL, queries_max=4),
    route("POST", "/api/customers/import", api_import, title="Import customers", permission="customer.write",
          body=ImportBody, body_bytes_max=_BODY_BYTES_MAX, idempotency="key", effect="change",
          audit="customers.imported", example=_EXAMPLE, personal=IMPORT_PERSONAL, queries_max=8),
    route("GET", "/customers/import", import_page, title="Import customers", media="html",
          permission="customer.read", queries_max=3),
    route("POST", "/customers/import/check", check_import_page, title="Say what an import would do", media="html",
          permission="customer.write", body=ImportForm, body_bytes_max=_BODY_BYTES_MAX, example=_EXAMPLE,
          personal=IMPORT_PERSONAL, queries_max=4),
    route("POST", "/customers/import", submit_import, title="Import customers", media="html",
          permission="customer.write", body=ImportForm, body_bytes_max=_BODY_BYTES_MAX, idempotency="key",
          effect="change", audit="customers.imported", example=_EXAMPLE, personal=IMPORT_PERSONAL, queries_max=8),
)  # fmt: skip
