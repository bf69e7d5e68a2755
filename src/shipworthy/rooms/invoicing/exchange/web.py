"""HTTP for customers that come as CSV: said first what would happen, then done."""

from __future__ import annotations

from typing import Any

from shipworthy.contract.manifest import Flag
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _n, mark
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.exchange.customers import FIELDS, Customer, import_customers, plan_customers
from shipworthy.rooms.invoicing.exchange.imports import Plan, Planned
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

_CUSTOMERS = Importing(
    path="/customers/import",
    back="/customers",
    section="customers",
    things=mark("Customers"),
    title=mark("Import customers"),
    permission="customer.write",
    forbidden=mark("You may look at customers, but not add any."),
    needs=mark(
        "The first line names the columns, in any order. Only an id and a name are needed; columns with other names "
        "are left out."
    ),
    hint=mark("A file of customers from here can come back as it is: its customer_id serves as the id."),
    columns=("source_id", *FIELDS),
    button=lambda count: _n("Import {count} customer", "Import {count} customers", count),
)


class ImportBody(Body):
    """`csv` is the whole file. `source_type` says whose ids it has, so that those of two programs do not mix."""

    csv: Csv
    source_type: SourceType = "csv"


async def api_check_import(ctx: Ctx, body: ImportBody) -> Any:
    plan = await plan_customers(ctx, body.csv.encode(), source_type=body.source_type)
    return {
        "source_type": plan.source_type,
        "new": len(plan.new),
        "known": len(plan.known),
        "wrong": len(plan.wrong),
        "rows": [_row_json(row) for row in plan.rows],
    }


async def api_import(ctx: Ctx, body: ImportBody) -> Any:
    plan = await plan_customers(ctx, body.csv.encode(), source_type=body.source_type)
    done = await import_customers(ctx, plan)
    return {"created": done.created, "known": done.known}


async def import_page(ctx: Ctx) -> Page:
    return choose_page(ctx, _CUSTOMERS)


async def check_import_page(ctx: Ctx, form: ImportForm) -> Page:
    return plan_page(_CUSTOMERS, await _plan(ctx, form), form)


async def submit_import(ctx: Ctx, form: ImportForm) -> Redirect:
    plan = await _plan(ctx, form)
    try:
        done = await import_customers(ctx, plan)
    except Invalid as refused:
        raise refused.shown_on(plan_page(_CUSTOMERS, plan, form)) from None
    said = _n("{count} customer is imported.", "{count} customers are imported.", done.created)
    if done.known:
        said += " " + _n("{count} was here already.", "{count} were here already.", done.known)
    return Redirect("/customers", flash=said)


async def _plan(ctx: Ctx, form: ImportForm) -> Plan[Customer]:
    try:
        return await plan_customers(ctx, form.data, source_type=form.source_type)
    except Invalid as refused:
        page = choose_page(ctx, _CUSTOMERS, source_type=form.source_type, errors=refused.fields)
        raise refused.shown_on(page) from None


def _row_json(row: Planned[Customer]) -> dict[str, Any]:
    return {
        "row": row.row,
        "source_id": row.source_id,
        "name": row.name,
        "outcome": outcome(row),
        "errors": {column: said for (_row, column), said in row.errors.items()},
    }


IMPORT_PERSONAL = ("csv", "file")
_EXAMPLE = {
    "source_type": "example",
    "csv": "source_id,name,city,country\r\nK-1,Harbour Office,Hamburg,DE\r\n",
}

# Reading other people's files is where an app meets what nobody thought of: it can be switched off for a tenant.
FLAG = Flag(
    name="invoicing.customer_import",
    title="Import customers from a file",
    default=True,
    owner="invoicing",
    expires="2027-06-30",
)

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES: tuple[Route, ...] = (
    route("POST", "/api/customers/import/check", api_check_import, title="Say what an import would do",
          permission="customer.write", flag=FLAG.name, body=ImportBody, screened=False, body_bytes_max=BODY_BYTES_MAX, example=_EXAMPLE,
          personal=IMPORT_PERSONAL, queries_max=4),
    route("POST", "/api/customers/import", api_import, title="Import customers", permission="customer.write", flag=FLAG.name,
          body=ImportBody, screened=False, body_bytes_max=BODY_BYTES_MAX, idempotency="key", effect="change",
          audit="customers.imported", example=_EXAMPLE, personal=IMPORT_PERSONAL, queries_max=8),
    route("GET", "/customers/import", import_page, title="Import customers", media="html",
          permission="customer.read", flag=FLAG.name, queries_max=3),
    route("POST", "/customers/import/check", check_import_page, title="Say what an import would do", media="html",
          permission="customer.write", flag=FLAG.name, body=ImportForm, screened=False, body_bytes_max=BODY_BYTES_MAX, example=_EXAMPLE,
          personal=IMPORT_PERSONAL, queries_max=4),
    route("POST", "/customers/import", submit_import, title="Import customers", media="html",
          permission="customer.write", flag=FLAG.name, body=ImportForm, screened=False, body_bytes_max=BODY_BYTES_MAX, idempotency="key",
          effect="change", audit="customers.imported", example=_EXAMPLE, personal=IMPORT_PERSONAL, queries_max=8),
)  # fmt: skip
