"""Example data of a demo tenant: a studio's customers and half a year of their invoices."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import date, timedelta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.room import SeedTenant
from shipworthy.rooms.invoicing.credit_notes import CreditText, credit_invoice
from shipworthy.rooms.invoicing.customers import CustomerText, create_customer
from shipworthy.rooms.invoicing.draft import DraftText, create_draft
from shipworthy.rooms.invoicing.exchange.invoices import import_invoices, plan_invoices
from shipworthy.rooms.invoicing.finalise import finalise
from shipworthy.rooms.invoicing.lines import LineText
from shipworthy.rooms.invoicing.payments import PaymentText, record_payment
from shipworthy.rooms.invoicing.pricing.changes import Change
from shipworthy.rooms.invoicing.products.products import ProductText, create_product
from shipworthy.rooms.invoicing.rates.rates import RateText, save_rate
from shipworthy.rooms.invoicing.seller import SellerText, save_seller
from shipworthy.rooms.invoicing.sending.mails import MailText, send_invoice
from shipworthy.rooms.invoicing.settle import pay, void


@dataclass(frozen=True)
class Work:
    """An invoice to write: how many days ago, for which customer, what became of it."""

    days_ago: int
    customer: int
    status: str  # "credit": open, and its second line is credited; "part": open, and a third of it is paid; "over": paid, and a hundred more
    lines: tuple[tuple[str, str, str, int, str], ...]  # description, quantity, price, rate, category
    changes: tuple[Change, ...] = ()
    prices_include_tax: bool = False


CUSTOMERS = (
    CustomerText(
        name="Harbour Office Brandt & Sons",
        email="accounts@brandt.example",
        tax_id="DE811907980",
        street="Am Sandtorkai 44",
        postal_code="20457",
        city="Hamburg",
        country="DE",
    ),
    CustomerText(
        name="Malmö Coffee Roasters",
        email="ekonomi@malmo-coffee.example",
        tax_id="SE556012579001",
        street="Östergatan 12",
        postal_code="211 25",
        city="Malmö",
        country="SE",
    ),
    CustomerText(
        name="Bookshop at the Canal",
        email="books@canal.example",
        street="Fleetinsel 3",
        postal_code="20459",
        city="Hamburg",
        country="DE",
    ),
    CustomerText(
        name="Atelier Vermeulen",
        email="studio@vermeulen.example",
        tax_id="BE0428759497",
        street="Kloosterstraat 81",
        postal_code="2000",
        city="Antwerpen",
        country="BE",
    ),
    CustomerText(
        name="Lindqvist Film",
        email="produktion@lindqvist.example",
        street="Hornsgatan 5",
        postal_code="118 46",
        city="Stockholm",
        country="SE",
    ),
    CustomerText(
        name="City Works Neumünster",
        email="rechnung@works.example",
        tax_id="DE134845170",
        buyer_reference="04011000-12345-34",
        street="Bismarckstraße 51",
        postal_code="24534",
        city="Neumünster",
        country="DE",
    ),
)
SELLER = SellerText(
    name="",
    street="Fischmarkt 21",
    postal_code="22767",
    city="Hamburg",
    country="DE",
    vat_id="DE123456789",
    contact_name="Ada Winter",
    phone="+49 40 555 0142",
    iban="DE02120300000000202051",
    bic="BYLADEM1001",
    bank_name="Deutsche Kreditbank",
)
LESSONS = RateText(
    code="lessons",
    name="Lessons",
    tax_category="E",
    valid_from=date(2020, 1, 1),
    exemption_reason="Exempt under § 4 Nr. 21 UStG",
    exemption_code="VATEX-EU-132-1I",
)
PRODUCTS = (
    ProductText(name="Concept and wireframes, per hour", unit_price="95.00", unit="HUR"),
    ProductText(name="Printed style guide", unit_price="19.99", tax_code="reduced", unit="H87"),
)
TIME_SHEET = """source_id,description,quantity,unit,unit_price,tax
week-47,Maintenance of the booking page,3.5,HUR,95.00,standard
week-47,Call with the port authority,0.75,HUR,95.00,standard
week-48,Maintenance of the booking page,2,HUR,95.00,standard
"""
_CODES = {
    (1900, "S"): "standard",
    (700, "S"): "reduced",
    (0, "AE"): "reverse-charge",
    (0, "K"): "intra-community",
}
_UNITS = {  # by what the line says; others count without one
    "Concept and wireframes": "HUR",
    "Photography, one day on location": "DAY",
    "Printed style guide": "H87",
    "Consulting, reverse charge": "HUR",
    "Letterheads": "H87",
}
_CONCEPT = ("Concept and wireframes", "24", "95.00", 1900, "S")
_PHOTOS = ("Photography, one day on location", "1", "1520.00", 1900, "S")
_GUIDE = ("Printed style guide", "3", "19.99", 700, "S")
_ABROAD = ("Consulting, reverse charge", "12.5", "110.00", 0, "AE")
_HOSTING = ("Hosting, per gigabyte and hour", "8760", "0.00125", 1900, "S")
_LOYALTY = Change(kind="discount", percent_bp=500, reason="Loyalty discount")
_FREIGHT = Change(kind="charge", amount_minor=590, reason="Freight")
WORKS = (
    Work(171, 0, "paid", (_CONCEPT, _GUIDE)),
    Work(150, 2, "paid", (_HOSTING,)),
    Work(128, 1, "paid", (_ABROAD,)),
    Work(103, 5, "void", (_PHOTOS,)),
    Work(102, 5, "paid", (_PHOTOS, _GUIDE)),
    Work(74, 4, "paid", (("Film titles, animated", "1", "2380.00", 0, "K"),)),
    Work(68, 5, "over", (("Letterheads", "500", "0.42", 1900, "S"),)),
    Work(60, 2, "over", (_GUIDE,)),
    Work(55, 0, "over", (("Maintenance, September", "6", "95.00", 1900, "S"),)),
    Work(52, 1, "over", (("Route planning", "2", "110.00", 0, "AE"),)),
    Work(41, 1, "open", (_ABROAD, ("Travel, as agreed", "1", "148.20", 0, "AE"))),
    Work(30, 0, "paid", (("Maintenance, October", "6", "95.00", 1900, "S"),)),
    Work(9, 2, "part", (_GUIDE, _HOSTING)),
    Work(4, 5, "credit", (("Signs for the customer hall", "14", "238.50", 1900, "S"), _PHOTOS)),
    Work(3, 2, "open", (("Bookmarks, printed", "250", "0.36", 700, "S"),)),
    Work(2, 1, "open", (("Menu cards, in English", "1", "640.00", 0, "AE"),)),
    Work(2, 5, "open", (("Accessibility review", "8", "105.00", 1900, "S"),)),
    Work(1, 0, "open", (("Maintenance, November", "6", "95.00", 1900, "S"), _GUIDE)),
    Work(0, 0, "open", (_CONCEPT, _PHOTOS, _GUIDE), changes=(_LOYALTY,)),
    Work(0, 3, "draft", (_CONCEPT,)),
    Work(
        0,
        2,
        "draft",
        (("Poster, signed", "3", "24.90", 1900, "S"), _GUIDE),
        (_FREIGHT,),
        prices_include_tax=True,
    ),
    Work(0, 4, "draft", (("Colour grading", "3.5", "120.00", 1900, "S"), _GUIDE)),
    Work(0, 1, "draft", (_ABROAD,)),
)


async def seed(ctx: Ctx, tenant: SeedTenant) -> None:
    """Write customers whose names carry the tenant's marker, and their invoices, through the room's own code."""
    await save_seller(
        ctx,
        replace(SELLER, name=tenant.name, email=tenant.email, registration_id=f"HRB 12345 ({tenant.marker})"),
    )
    await save_rate(ctx, replace(LESSONS, name=f"{LESSONS.name} ({tenant.marker})"))
    for product in PRODUCTS:
        await create_product(ctx, replace(product, name=f"{product.name} ({tenant.marker})"))
    ids = []
    for text in CUSTOMERS:
        customer = await create_customer(ctx, replace(text, name=f"{text.name} ({tenant.marker})"))
        ids.append(customer["customer_id"])
    plan = await plan_invoices(
        ctx, TIME_SHEET.encode(), source_type=f"time sheets ({tenant.marker})", customer_id=ids[0]
    )
    await import_invoices(ctx, plan)
    for work in WORKS:
        await _write(_days_ago(ctx, work.days_ago), work, ids[work.customer])


async def _write(ctx: Ctx, work: Work, customer_id: uuid.UUID) -> None:
    lines = tuple(
        LineText(
            description=what,
            quantity=many,
            unit=_UNITS.get(what, ""),
            unit_price=price,
            tax_rate_bp=rate,
            tax_code=_CODES[rate, category],
        )
        for what, many, price, rate, category in work.lines
    )
    draft = await create_draft(
        ctx,
        DraftText(
            customer_id=customer_id,
            currency="EUR",
            lines=lines,
            changes=work.changes,
            prices_include_tax=work.prices_include_tax,
            note="Thank you for your order.",
        ),
    )
    if work.status == "draft":
        return
    await finalise(ctx, draft.invoice_id, version=None)
    if work.status == "paid":
        await pay(_days_ago(ctx, -min(work.days_ago, 11)), draft.invoice_id, version=None)
    elif work.status in ("part", "over"):
        gross = draft.gross_minor
        amount = gross // 3 if work.status == "part" else gross + 10_000
        text = PaymentText(invoice_id=draft.invoice_id, amount_minor=amount, reference="Thank you")
        await record_payment(_days_ago(ctx, -min(work.days_ago, 7)), text)
        if work.status == "part":
            await send_invoice(
                _days_ago(ctx, -work.days_ago), draft.invoice_id, MailText()
            )  # today, so it goes out
    elif work.status == "credit":
        await credit_invoice(
            ctx, draft.invoice_id, CreditText(quantities={2: work.lines[1][1]}, note="Rained off.")
        )
    elif work.status == "void":
        await void(ctx, draft.invoice_id, version=None)


def _days_ago(ctx: Ctx, days: int) -> Ctx:
    """The same transaction on another day: time is moved, as in a test."""
    then = ctx.now() - timedelta(days=days)
    return replace(ctx, runtime=replace(ctx.runtime, now=lambda: then))
