"""The invoicing room: what it declares to the composition root and to the examiner."""

from __future__ import annotations

from pathlib import Path

from shipworthy.contract.manifest import Journey, NamedLoad, Oracle, Sample, Slo, Step, Table
from shipworthy.kernel.language import mark
from shipworthy.kernel.room import NavItem, Room
from shipworthy.kernel.settings import Settings
from shipworthy.rooms.invoicing.bodies import CUSTOMER_PERSONAL
from shipworthy.rooms.invoicing.branding.web import ROUTES as LOOK_ROUTES
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.document import close_press
from shipworthy.rooms.invoicing.einvoice.web import ROUTES as EINVOICE_ROUTES
from shipworthy.rooms.invoicing.exchange.export import ROUTES as EXPORT_ROUTES
from shipworthy.rooms.invoicing.exchange.invoices_web import ROUTES as INVOICE_IMPORT_ROUTES
from shipworthy.rooms.invoicing.exchange.web import FLAG as IMPORT_FLAG
from shipworthy.rooms.invoicing.exchange.web import IMPORT_PERSONAL
from shipworthy.rooms.invoicing.exchange.web import ROUTES as IMPORT_ROUTES
from shipworthy.rooms.invoicing.flows import FLOWS
from shipworthy.rooms.invoicing.jobs import JOBS
from shipworthy.rooms.invoicing.permissions import PERMISSIONS
from shipworthy.rooms.invoicing.products.web import ROUTES as PRODUCT_ROUTES
from shipworthy.rooms.invoicing.rates.proof_web import ROUTES as RATE_PROOF_ROUTES
from shipworthy.rooms.invoicing.rates.web import ROUTES as RATE_ROUTES
from shipworthy.rooms.invoicing.reports.web import ROUTES as REPORT_ROUTES
from shipworthy.rooms.invoicing.seed import seed
from shipworthy.rooms.invoicing.seller_web import ROUTES as SELLER_ROUTES
from shipworthy.rooms.invoicing.seller_web import SELLER_PERSONAL
from shipworthy.rooms.invoicing.sending.screens import ROUTES as SENDING_PAGES
from shipworthy.rooms.invoicing.sending.web import MAIL_PERSONAL
from shipworthy.rooms.invoicing.sending.web import ROUTES as SENDING_ROUTES
from shipworthy.rooms.invoicing.series import unsound_numbers
from shipworthy.rooms.invoicing.shown import register
from shipworthy.rooms.invoicing.tax_ids.web import ROUTES as TAX_ID_ROUTES
from shipworthy.rooms.invoicing.web import ROUTES

FOLDER = Path(__file__).parent


def _slos(settings: Settings) -> tuple[Slo, ...]:
    return (
        Slo(
            name="invoice_create",
            quantile=0.95,
            threshold_ms=settings.slo.invoice_create_p95_ms,
            title=mark("Creating an invoice"),
        ),
        Slo(
            name="invoice_list",
            quantile=0.95,
            threshold_ms=settings.slo.page_p95_ms,
            title=mark("Listing invoices"),
        ),
    )


def _newest(status: str) -> str:
    return (
        f"select invoice_id from invoice where status = '{status}' "  # noqa: S608 - a word of ours
        "order by issue_date desc, invoice_id desc limit 1"
    )


SAMPLES = (
    Sample(name="customer_id", sql="select customer_id from customer order by created_at desc, customer_id limit 1"),
    Sample(name="invoice_id", sql="select invoice_id from invoice order by issue_date desc, invoice_id desc limit 1"),
    Sample(name="draft_invoice_id", sql=_newest("draft")),
    Sample(name="open_invoice_id", sql=_newest("open")),
    Sample(
        name="voidable_invoice_id",
        sql="select invoice_id from invoice where status = 'open' and paid_minor + credited_minor = 0 "
        "order by issue_date desc, invoice_id desc limit 1",
    ),
    Sample(name="paid_invoice_id", sql=_newest("paid")),
    Sample(  # what EN 16931 asks of every invoice, and no tax that asks for more
        name="einvoice_id",
        sql="select i.invoice_id from invoice i where i.status in ('open', 'paid') and i.buyer ->> 'country' <> ''"
        " and i.seller ->> 'vat_id' <> '' and i.exponent <= 2 and not exists (select from invoice_tax t where"
        " t.tenant_id = i.tenant_id and t.invoice_id = i.invoice_id and t.tax_category not in ('S', 'Z', 'E'))"
        " order by i.issue_date desc, i.invoice_id desc limit 1",
    ),
    Sample(
        name="creditable_invoice_id",
        sql="select i.invoice_id from payment p join invoice i on i.tenant_id = p.tenant_id and i.customer_id = p.customer_id "
        "and i.currency = p.currency and i.status = 'open' where p.reversed_at is null and p.allocated_minor < p.amount_minor "
        "order by p.payment_id, i.issue_date limit 1",
    ),
    Sample(name="credit_note_id", sql=_newest("credited")),
    Sample(
        name="sent_mail_id",
        sql="select mail_id from invoice_mail where status = 'sent' order by queued_at desc, mail_id desc limit 1",
    ),
    Sample(
        name="invoice_import_id",
        sql="select import_id from invoice_import order by created_at desc, import_id desc limit 1",
    ),
    Sample(name="product_id", sql="select product_id from product order by created_at desc, product_id limit 1"),
    # Not the one that the examples of drafts name: the examiner deletes and renames what this finds.
    Sample(
        name="tax_rate_id",
        sql="select tax_rate_id from tax_rate where code <> 'standard' order by valid_from desc, tax_rate_id limit 1",
    ),
    Sample(name="payment_id", sql="select payment_id from payment order by paid_on desc, payment_id desc limit 1"),
    Sample(
        name="reversible_payment_id",
        sql="select payment_id from payment where reversed_at is null order by paid_on desc, payment_id desc limit 1",
    ),
    Sample(
        name="printed_invoice_id",
        sql="select d.invoice_id from invoice_document d where d.object_key <> 'volume' order by d.created_at desc limit 1",
    ),
)  # fmt: skip

_BODY = {
    "customer_id": "{sample.customer_id}",
    "currency": "EUR",
    "lines": [
        {"description": "Concept", "quantity": "1.5", "unit_price": "95.00", "tax_rate_bp": 1900},
        {"description": "Style guide", "quantity": "3", "unit_price": "19.99", "tax_rate_bp": 700},
        {"description": "Travel", "quantity": "1", "unit_price": "148.20", "tax_rate_bp": 0},
    ],
}
JOURNEYS = (
    Journey(
        name="invoice_create",
        slo="invoice_create",
        rate_per_s=10.0,
        steps=(
            Step(
                method="POST",
                path="/api/invoices",
                json=_BODY,
                headers={"Idempotency-Key": "{uuid}"},
                expect=(201,),
            ),
        ),
    ),
    Journey(
        name="invoice_list",
        slo="invoice_list",
        rate_per_s=10.0,
        steps=(Step(method="GET", path="/api/invoices?status=open", expect=(200,)),),
    ),
)
ORACLES = (
    Oracle(
        kind="invoice_totals",
        create="POST /api/invoices",
        body={
            "customer_id": "$customer_id",
            "currency": "EUR",
            "lines": [
                {
                    "description": "Concept",
                    "quantity": "1",
                    "unit_price": "1.00",
                    "tax_rate_bp": 1900,
                    "change": {"kind": "discount", "percent_bp": 1000},
                }
            ],
        },
        fields={
            "currency": "currency",
            "lines": "lines",
            "description": "description",
            "quantity": "quantity",
            "unit_price": "unit_price",
            "tax_rate_bp": "tax_rate_bp",
            "discount_bp": "change.percent_bp",
            "prices_include_tax": "prices_include_tax",
            "net_minor": "net_minor",
            "tax_minor": "tax_minor",
            "gross_minor": "gross_minor",
        },
    ),
)

LOADS = (
    NamedLoad(
        kind="invoices",
        rate_per_s=150.0,
        slos={"read": "invoice_list", "edit": "invoice_create", "create": "invoice_create"},
        read="GET /api/invoices?status=open",
        edit="PUT /api/invoices/{invoice_id}",
        id="invoice_id",
    ),
)

ROOM = Room(
    name="invoicing",
    folder=FOLDER,
    queries=q,
    routes=(
        *ROUTES,
        *EINVOICE_ROUTES,
        *SELLER_ROUTES,
        *TAX_ID_ROUTES,
        *LOOK_ROUTES,
        *RATE_ROUTES,
        *RATE_PROOF_ROUTES,
        *PRODUCT_ROUTES,
        *SENDING_ROUTES,
        *SENDING_PAGES,
        *REPORT_ROUTES,
        *EXPORT_ROUTES,
        *IMPORT_ROUTES,
        *INVOICE_IMPORT_ROUTES,
    ),
    jobs=JOBS,
    nav=(
        NavItem(href="/overview", label="Overview", icon="layout-dashboard", section="overview"),
        NavItem(href="/invoices", label="Invoices", icon="receipt-text", section="invoices"),
        NavItem(href="/payments", label="Payments", icon="banknote", section="payments"),
        NavItem(href="/reports/ageing", label="Reports", icon="file-text", section="reports"),
        NavItem(href="/customers", label="Customers", icon="users", section="customers"),
        NavItem(href="/products", label="Products", icon="files", section="products"),
        NavItem(href="/tax-rates", label="Tax rates", icon="receipt-text", section="tax-rates"),
        NavItem(href="/numbers", label="Numbers", icon="settings", section="numbers"),
        NavItem(href="/seller", label="Seller details", icon="building-2", section="seller"),
    ),
    permissions=PERMISSIONS,
    tables=tuple(
        Table(name=name, scope="tenant", column="tenant_id")
        for name in (
            "customer",
            "customer_word",
            "customer_source",
            "invoice",
            "invoice_line",
            "invoice_tax",
            "series",
            "invoice_document",
            "seller_profile",
            "series_rule",
            "tax_rate",
            "product",
            "books",
            "payment",
            "allocation",
            "invoice_mail",
            "tax_id_proof",
            "tax_rate_proof",
            "invoice_pdf_failure",
            "invoice_import",
            "invoice_source",
        )
    ),
    samples=SAMPLES,
    slos=_slos,
    journeys=JOURNEYS,
    flows=FLOWS,
    oracles=ORACLES,
    loads=LOADS,
    personal=tuple(dict.fromkeys((*CUSTOMER_PERSONAL, *SELLER_PERSONAL, *MAIL_PERSONAL, *IMPORT_PERSONAL))),
    flags=(IMPORT_FLAG,),
    on_start=register,
    on_stop=close_press,
    seed=seed,
    sound=unsound_numbers,
    volume_sql=(FOLDER / "volume.sql").read_text(encoding="utf-8"),
)
