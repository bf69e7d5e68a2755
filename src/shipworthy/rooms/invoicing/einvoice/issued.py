"""From an invoice of this room to the canonical model, and what it lacks for one format or another.

Nothing is made up: what a format insists on and nobody wrote down is named, with the place to write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import Locale, _, mark
from shipworthy.kernel.money.format import format_amount
from shipworthy.rooms.invoicing.countries import COUNTRIES
from shipworthy.rooms.invoicing.einvoice import model
from shipworthy.rooms.invoicing.einvoice.changed import document_changes, line_price
from shipworthy.rooms.invoicing.invoice import Invoice, InvoiceLine
from shipworthy.rooms.invoicing.rates.why import exemption
from shipworthy.rooms.invoicing.tax import TAXED, UNTAXED_CATEGORIES, TaxGroup
from shipworthy.rooms.invoicing.wording import wording

Format = Literal["ubl", "cii", "xrechnung", "peppol"]
FORMATS: tuple[Format, ...] = ("ubl", "cii", "xrechnung", "peppol")

_EN_16931 = "urn:cen.eu:en16931:2017"
_CUSTOMIZATIONS: dict[Format, str] = {
    "ubl": _EN_16931,
    "cii": _EN_16931,
    "xrechnung": f"{_EN_16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
    "peppol": f"{_EN_16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
}
_BILLING = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_EXEMPTION_CODES = {"AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}
_EMAIL = "EM"  # Electronic Address Scheme: an e-mail address
_SEPA_TRANSFER, _TRANSFER, _CLEARING = "58", "30", "97"  # UNTDID 4461
_SPACING = re.compile(r"[\s.\-]")
_VAT_ID = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}")
EXPONENT_MAX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One fact a format insists on: its business term, and where it is written."""

    term: str
    where: str
    why: str = ""


Snapshot = Mapping[str, str]


def as_einvoice(invoice: Invoice, wanted: Format, *, locale: Locale) -> model.EInvoice:
    """Return an issued invoice in the canonical model.

    Errors:  Conflict `einvoice.field_missing`, naming every fact the format insists on and nobody wrote down.
    """
    assert invoice.number is not None, "a draft is no electronic invoice"
    seller, buyer = invoice.seller or {}, invoice.buyer or {}
    if lacking := needs(invoice, wanted, seller=seller, buyer=buyer):
        fields = {need.term: f"{need.why} {need.where}".strip() for need in lacking}
        raise Conflict(
            "einvoice.field_missing",
            _(
                "Invoice {number} was issued without {facts}, which this format insists on.",
                number=invoice.number,
                facts=", ".join(fields),
            ),
            fields=fields,
        )
    is_untaxable = _has(invoice, "O")
    is_credit = invoice.kind == "credit_note"
    payment = _clearing() if is_credit else _payment(seller, invoice.currency)
    allowances, charges = document_changes(invoice, rate=_rate, locale=locale)
    return model.EInvoice(
        number=invoice.number,
        issue_date=invoice.issue_date,
        type_code=model.CREDIT_NOTE if is_credit else model.INVOICE,
        due_date=None if is_credit else invoice.due_date,
        payment_terms=_in_favour(invoice, locale) if is_credit else None,
        currency=invoice.currency,
        buyer_reference=buyer.get("buyer_reference") or None,
        notes=(model.Note(text=invoice.note),) if invoice.note else (),
        customization=_CUSTOMIZATIONS[wanted],
        process=_BILLING if wanted in ("peppol", "xrechnung") else None,
        preceding=_preceding(invoice),
        seller=_seller(seller, without_vat_id=is_untaxable),
        buyer=_buyer(buyer, without_vat_id=is_untaxable),
        delivered_on=invoice.supply_date,
        # Goods within the Union go to the buyer: the room knows no other address.
        delivery=model.Delivery(address=_address(buyer)) if _has(invoice, "K") else None,
        payment=payment,
        remittance=invoice.number if payment and not is_credit else None,
        allowances=allowances,
        charges=charges,
        totals=model.Totals(
            lines=_major(sum(line.net_minor for line in invoice.lines), invoice),
            allowances=sum((c.amount for c in allowances), Decimal(0)) if allowances else None,
            charges=sum((c.amount for c in charges), Decimal(0)) if charges else None,
            net=_major(invoice.net_minor, invoice),
            gross=_major(invoice.gross_minor, invoice),
            rounding=_major(invoice.rounding_minor, invoice) if invoice.rounding_minor else None,
            payable=_major(invoice.payable_minor, invoice),
        ),
        tax_total=_major(invoice.tax_minor, invoice),
        taxes=tuple(_tax(tax, invoice, locale) for tax in invoice.taxes),
        lines=tuple(_line(line, number, invoice, locale) for number, line in enumerate(invoice.lines, 1)),
    )


def needs(invoice: Invoice, wanted: Format, *, seller: Snapshot, buyer: Snapshot) -> list[Need]:
    """Return what a format insists on and this invoice does not say.

    Source:  EN 16931 (BR-CO-26, BR-11, BR-S-02 and their kin, BR-IC-11, BR-O-11); XRechnung 3.0 (BR-DE-1 to -9,
             BR-DE-15); Peppol BIS Billing 3 (R003, R010, R020).
    """
    lacking = [*_core_needs(invoice, seller, buyer)]
    if wanted in ("xrechnung", "peppol"):
        lacking += _missing(
            _AT_CUSTOMER,
            buyer,
            {"buyer_reference": _("buyer reference (BT-10)"), "email": _("buyer e-mail (BT-49)")},
        )
        lacking += _missing(_AT_SELLER, seller, {"email": "seller e-mail (BT-34, BT-43)"})
    if wanted == "xrechnung":
        asked = {} if invoice.kind == "credit_note" else {"iban": _("IBAN (BT-84)")}
        terms = {"contact_name": _("seller contact (BT-41)"), "phone": _("seller phone (BT-42)")}
        lacking += _missing(
            _AT_SELLER,
            seller,
            {
                **terms,
                **asked,
                "city": _("seller city (BT-37)"),
                "postal_code": _("seller postcode (BT-38)"),
            },
        )
        lacking += _missing(
            _AT_CUSTOMER, buyer, {"city": _("buyer city (BT-52)"), "postal_code": _("buyer postcode (BT-53)")}
        )
    return lacking


_AT_SELLER = mark("Write it under Seller details; invoices issued after that carry it.")
_AT_CUSTOMER = mark("Write it under Customers, at the customer; invoices issued after that carry it.")
_AT_DRAFT = mark("It is written on the draft, before it is issued.")


def _core_needs(invoice: Invoice, seller: Snapshot, buyer: Snapshot) -> list[Need]:
    lacking = _missing(_AT_CUSTOMER, buyer, {"country": _("buyer country (BT-55)")})
    if invoice.exponent > EXPONENT_MAX:
        why = _(
            "{currency} has {count} decimals, and EN 16931 carries two.",
            currency=invoice.currency,
            count=invoice.exponent,
        )
        lacking.append(Need(term=_("currency (BT-5)"), where=_(_AT_DRAFT), why=why))
    categories = {tax.category for tax in invoice.taxes}
    if "O" in categories:
        if len(categories) > 1:
            why = _("A line not subject to tax stands alone in EN 16931 (BR-O-11).")
            lacking.append(Need(term=_("one tax category (BT-118)"), where=_(_AT_DRAFT), why=why))
        # Such an invoice may carry no VAT number (BR-O-02), so the seller needs another one.
        return lacking + _missing(
            _AT_SELLER, seller, {"registration_id": _("company register number (BT-30)")}
        )
    if not (seller.get("vat_id") or (seller.get("tax_number") and seller.get("registration_id"))) or (
        categories & {"K", "G"} and not seller.get("vat_id")
    ):
        lacking.append(Need(term=_("seller VAT number (BT-31)"), where=_(_AT_SELLER)))
    if categories & {"AE", "K"} and not _vat_id(buyer):
        why = _("Where the buyer owes the tax, its number begins with the letters of its country.")
        lacking.append(Need(term=_("buyer VAT number (BT-48)"), where=_(_AT_CUSTOMER), why=why))
    if "K" in categories and invoice.supply_date is None:
        lacking.append(Need(term=_("date of supply (BT-72)"), where=_(_AT_DRAFT)))
    return lacking


def _missing(where: str, party: Snapshot, terms: Mapping[str, str]) -> list[Need]:
    return [Need(term=term, where=_(where)) for field, term in terms.items() if not party.get(field)]


def _has(invoice: Invoice, category: str) -> bool:
    return any(tax.category == category for tax in invoice.taxes)


def _seller(seller: Snapshot, *, without_vat_id: bool) -> model.Party:
    contact = model.Contact(
        name=seller.get("contact_name") or None,
        phone=seller.get("phone") or None,
        email=seller.get("email") or None,
    )
    registration = seller.get("registration_id")
    return model.Party(
        name=seller["name"],
        registration=model.Identifier(value=registration) if registration else None,
        vat_id=None if without_vat_id else seller.get("vat_id") or None,
        tax_number=seller.get("tax_number") or None,
        endpoint=_endpoint(seller),
        address=_address(seller),
        contact=contact if contact != model.Contact() else None,
    )


def _buyer(buyer: Snapshot, *, without_vat_id: bool) -> model.Party:
    """A number without the letters of a country is no VAT identifier (BR-CO-09), but still the buyer's own."""
    vat_id, told = _vat_id(buyer), buyer.get("tax_id", "")
    email = buyer.get("email")
    return model.Party(
        name=buyer["name"],
        identifiers=(model.Identifier(value=told),) if told and not vat_id else (),
        vat_id=None if without_vat_id else vat_id,
        endpoint=_endpoint(buyer),
        address=_address(buyer),
        contact=model.Contact(email=email) if email else None,
    )


def _vat_id(buyer: Snapshot) -> str | None:
    text = _SPACING.sub("", buyer.get("tax_id", "")).upper()
    known = text[:2] == "EL" or text[:2] in COUNTRIES
    return text if known and _VAT_ID.fullmatch(text) else None


def _endpoint(party: Snapshot) -> model.Identifier | None:
    return model.Identifier(value=party["email"], scheme=_EMAIL) if party.get("email") else None


def _address(party: Snapshot) -> model.Address:
    return model.Address(
        line_1=party.get("street") or None,
        city=party.get("city") or None,
        post_code=party.get("postal_code") or None,
        country=party.get("country") or None,
    )


def _payment(seller: Snapshot, currency: str) -> tuple[model.PaymentMeans, ...]:
    if not seller.get("iban"):
        return ()
    means = model.PaymentMeans(
        code=_SEPA_TRANSFER if currency == "EUR" else _TRANSFER,
        account=seller["iban"],
        account_holder=seller["name"],
        bic=seller.get("bic") or None,
    )
    return (means,)


def _clearing() -> tuple[model.PaymentMeans, ...]:
    """A credit note settles the invoice it names, and later ones with what is left."""
    return (model.PaymentMeans(code=_CLEARING),)


def _preceding(invoice: Invoice) -> tuple[model.Reference, ...]:
    if invoice.credits_number is None:
        return ()
    return (model.Reference(number=invoice.credits_number, issue_date=invoice.credits_issue_date),)


def _in_favour(invoice: Invoice, locale: Locale) -> str:
    amount = format_amount(invoice.payable_minor, currency=invoice.currency, locale=locale, style="symbol")
    return wording(locale).in_your_favour.format(amount=amount)


def _tax(tax: TaxGroup, invoice: Invoice, locale: Locale) -> model.Tax:
    reason = None
    said, code = exemption(invoice.tax_reasons, tax.category)
    if tax.category in UNTAXED_CATEGORIES and tax.category != "Z":
        reason = (
            said or wording(locale).legal.get(tax.category) or UNTAXED_CATEGORIES[tax.category].capitalize()
        )
    return model.Tax(
        base=_major(tax.base_minor, invoice),
        amount=_major(tax.tax_minor, invoice),
        category=tax.category,
        rate=_rate(tax.category, tax.rate_bp),
        exemption_reason=reason,
        exemption_code=code or _EXEMPTION_CODES.get(tax.category),
    )


def _line(line: InvoiceLine, number: int, invoice: Invoice, locale: Locale) -> model.Line:
    name, _, description = line.description.strip().partition("\n")
    price, allowances, charges = line_price(line, invoice, locale=locale)
    return model.Line(
        line_id=str(number),
        quantity=line.quantity,
        unit=line.unit,
        net=_major(line.net_minor, invoice),
        allowances=allowances,
        charges=charges,
        price=price,
        tax_category=line.tax_category,
        tax_rate=_rate(line.tax_category, line.tax_rate_bp),
        name=name.strip(),
        description=description.strip() or None,
    )


def _rate(category: str, rate_bp: int) -> Decimal | None:
    """Return the rate in percent; what is not subject to tax has none (BR-O-05)."""
    if category == "O":
        return None
    return Decimal(rate_bp if category == TAXED else 0).scaleb(-2)


def _major(amount_minor: int, invoice: Invoice) -> Decimal:
    return Decimal(amount_minor).scaleb(-invoice.exponent)
