"""UBL 2.1, as EN 16931-3-2 binds the norm to it: the table of invoices and that of credit notes.

Source:  OASIS UBL 2.1 (order of elements); CEN/TS 16931-3-2 (what stands where).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from shipworthy.rooms.invoicing.einvoice import model
from shipworthy.rooms.invoicing.einvoice.codecs import AMOUNT, DATE, NUMBER
from shipworthy.rooms.invoicing.einvoice.tree import (
    NAMESPACES,
    Group,
    Part,
    Reading,
    fixed,
    group,
    leaf,
    read_tree,
    write_tree,
)
from shipworthy.rooms.invoicing.einvoice.ubl_parties import PARTIES, SCHEME, VAT

_SUBJECT = re.compile(r"#([A-Z]{3})#(.+)", re.DOTALL)


def write_ubl(invoice: model.EInvoice) -> bytes:
    """Return the invoice as UBL, a CreditNote where its type code is one."""
    notes = tuple(
        replace(note, text=f"#{note.subject}#{note.text}") if note.subject else note for note in invoice.notes
    )
    table, main = (CREDIT_NOTE, "cn") if invoice.is_credit_note else (INVOICE, "inv")
    names: dict[str | None, str] = {None: NAMESPACES[main]}
    names |= {prefix: NAMESPACES[prefix] for prefix in ("cac", "cbc")}
    return write_tree(table, replace(invoice, notes=notes), namespaces=names)


def read_ubl(root: Any) -> tuple[model.EInvoice, list[str]]:
    """Return the invoice an Invoice or CreditNote element stands for, and the places that were not read.

    Errors:  `einvoice.element_refused`.
    """
    cbc = f"{{{NAMESPACES['cbc']}}}"
    reading = Reading(
        currency=(root.findtext(f"{cbc}DocumentCurrencyCode") or "").strip(),
        tax_currency=(root.findtext(f"{cbc}TaxCurrencyCode") or "").strip() or None,
    )
    table = CREDIT_NOTE if root.tag == f"{{{NAMESPACES['cn']}}}CreditNote" else INVOICE
    invoice: model.EInvoice = read_tree(root, table, model.EInvoice, reading)
    notes = tuple(_note(note) for note in invoice.notes)
    return replace(invoice, notes=notes), reading.unread


def _note(note: model.Note) -> model.Note:
    found = _SUBJECT.fullmatch(note.text)
    return model.Note(subject=found[1], text=found[2]) if found else note


def _amount(tag: str, name: str, **more: Any) -> Part:
    return leaf(tag, name, AMOUNT, currency="currency", **more)


def _payment(*due: Part) -> Group:
    return group(
        "cac:PaymentMeans",
        leaf("cbc:PaymentMeansCode", "code", attributes=(("name", "text"),)),
        *due,
        leaf("cbc:PaymentID", "remittance", up=True),
        group(
            "cac:CardAccount",
            leaf("cbc:PrimaryAccountNumberID", "card"),
            fixed("cbc:NetworkID", "NA", lenient=True),
            leaf("cbc:HolderName", "card_holder"),
        ),
        group(
            "cac:PayeeFinancialAccount",
            leaf("cbc:ID", "account"),
            leaf("cbc:Name", "account_holder"),
            leaf("cac:FinancialInstitutionBranch/cbc:ID", "bic"),
        ),
        group(
            "cac:PaymentMandate",
            leaf("cbc:ID", "mandate", up=True),
            leaf("cac:PayerFinancialAccount/cbc:ID", "debited_account"),
        ),
        field="payment",
        of=model.PaymentMeans,
        many=True,
    )


def _changes(name: str, *, is_charge: bool, taxed: bool) -> Group:
    tax = group(
        "cac:TaxCategory", leaf("cbc:ID", "tax_category"), leaf("cbc:Percent", "tax_rate", NUMBER), VAT
    )
    return group(
        "cac:AllowanceCharge",
        fixed("cbc:ChargeIndicator", "true" if is_charge else "false"),
        leaf("cbc:AllowanceChargeReasonCode", "reason_code"),
        leaf("cbc:AllowanceChargeReason", "reason"),
        leaf("cbc:MultiplierFactorNumeric", "percent", NUMBER),
        _amount("cbc:Amount", "amount"),
        _amount("cbc:BaseAmount", "base"),
        *([tax] if taxed else []),
        field=name,
        of=model.Change,
        many=True,
    )


_TAXES = group(
    "cac:TaxTotal",
    _amount("cbc:TaxAmount", "tax_total"),
    group(
        "cac:TaxSubtotal",
        _amount("cbc:TaxableAmount", "base"),
        _amount("cbc:TaxAmount", "amount"),
        group(
            "cac:TaxCategory",
            leaf("cbc:ID", "category"),
            leaf("cbc:Percent", "rate", NUMBER),
            leaf("cbc:TaxExemptionReasonCode", "exemption_code"),
            leaf("cbc:TaxExemptionReason", "exemption_reason"),
            VAT,
        ),
        field="taxes",
        of=model.Tax,
        many=True,
    ),
)
_TAX_IN_ACCOUNTING_CURRENCY = group(
    "cac:TaxTotal", leaf("cbc:TaxAmount", "tax_total_accounting", AMOUNT, currency="tax_currency")
)
_TOTALS = group(
    "cac:LegalMonetaryTotal",
    _amount("cbc:LineExtensionAmount", "lines"),
    _amount("cbc:TaxExclusiveAmount", "net"),
    _amount("cbc:TaxInclusiveAmount", "gross"),
    _amount("cbc:AllowanceTotalAmount", "allowances"),
    _amount("cbc:ChargeTotalAmount", "charges"),
    _amount("cbc:PrepaidAmount", "prepaid"),
    _amount("cbc:PayableRoundingAmount", "rounding"),
    _amount("cbc:PayableAmount", "payable"),
    field="totals",
    of=model.Totals,
)
_LINE_PERIOD = group(
    "cac:InvoicePeriod",
    leaf("cbc:StartDate", "start", DATE),
    leaf("cbc:EndDate", "end", DATE),
    field="period",
    of=model.Period,
)
_ITEM = group(
    "cac:Item",
    leaf("cbc:Description", "description"),
    leaf("cbc:Name", "name"),
    leaf("cac:BuyersItemIdentification/cbc:ID", "buyer_item"),
    leaf("cac:SellersItemIdentification/cbc:ID", "seller_item"),
    leaf("cac:StandardItemIdentification/cbc:ID", "standard_item", of=model.Identifier, attributes=SCHEME),
    leaf("cac:OriginCountry/cbc:IdentificationCode", "origin"),
    group(
        "cac:CommodityClassification",
        leaf(
            "cbc:ItemClassificationCode",
            "code",
            attributes=(("listID", "scheme"), ("listVersionID", "scheme_version")),
        ),
        field="classifications",
        of=model.Classification,
        many=True,
    ),
    group(
        "cac:ClassifiedTaxCategory",
        leaf("cbc:ID", "tax_category"),
        leaf("cbc:Percent", "tax_rate", NUMBER),
        VAT,
    ),
    group(
        "cac:AdditionalItemProperty",
        leaf("cbc:Name", "name"),
        leaf("cbc:Value", "value"),
        field="attributes",
        of=model.Attribute,
        many=True,
    ),
)
_PRICE = group(
    "cac:Price",
    leaf("cbc:PriceAmount", "price", NUMBER, currency="currency"),
    leaf("cbc:BaseQuantity", "base_quantity", NUMBER, attributes=(("unitCode", "base_unit"),)),
    group(
        "cac:AllowanceCharge",
        fixed("cbc:ChargeIndicator", "false"),
        leaf("cbc:Amount", "price_discount", NUMBER, currency="currency"),
        leaf("cbc:BaseAmount", "price_gross", NUMBER, currency="currency"),
    ),
)


def _line(tag: str, quantity: str) -> Group:
    return group(
        tag,
        leaf("cbc:ID", "line_id"),
        leaf("cbc:Note", "note"),
        leaf(quantity, "quantity", NUMBER, attributes=(("unitCode", "unit"),)),
        _amount("cbc:LineExtensionAmount", "net"),
        leaf("cbc:AccountingCost", "accounting_reference"),
        _LINE_PERIOD,
        leaf("cac:OrderLineReference/cbc:LineID", "order_line"),
        group(
            "cac:DocumentReference",
            leaf("cbc:ID", "object_id", of=model.Identifier, attributes=SCHEME),
            fixed("cbc:DocumentTypeCode", "130"),
        ),
        _changes("allowances", is_charge=False, taxed=False),
        _changes("charges", is_charge=True, taxed=False),
        _ITEM,
        _PRICE,
        field="lines",
        of=model.Line,
        many=True,
    )


_PERIOD = group(
    "cac:InvoicePeriod",
    leaf("cbc:StartDate", "start", DATE),
    leaf("cbc:EndDate", "end", DATE),
    leaf("cbc:DescriptionCode", "tax_point_code", up=True),
    field="period",
    of=model.Period,
)
_REFERENCES = (
    group(
        "cac:OrderReference", leaf("cbc:ID", "order"), leaf("cbc:SalesOrderID", "sales_order")
    ),
    group(
        "cac:BillingReference/cac:InvoiceDocumentReference",
        leaf("cbc:ID", "number"),
        leaf("cbc:IssueDate", "issue_date", DATE),
        field="preceding",
        of=model.Reference,
        many=True,
    ),
    leaf("cac:DespatchDocumentReference/cbc:ID", "despatch"),
    leaf("cac:ReceiptDocumentReference/cbc:ID", "receipt"),
)  # fmt: skip
_TENDER = leaf("cac:OriginatorDocumentReference/cbc:ID", "tender")
_CONTRACT = leaf("cac:ContractDocumentReference/cbc:ID", "contract")
_OBJECT = group(
    "cac:AdditionalDocumentReference",
    leaf("cbc:ID", "object_id", of=model.Identifier, attributes=SCHEME),
    fixed("cbc:DocumentTypeCode", "130"),
)
_DOCUMENTS = group(
    "cac:AdditionalDocumentReference",
    leaf("cbc:ID", "reference"),
    leaf("cbc:DocumentDescription", "description"),
    group(
        "cac:Attachment",
        leaf(
            "cbc:EmbeddedDocumentBinaryObject",
            "attachment",
            of=model.Attachment,
            text="content",
            attributes=(("mimeCode", "mime"), ("filename", "file_name")),
        ),
        leaf("cac:ExternalReference/cbc:URI", "location"),
    ),
    field="documents",
    of=model.Document,
    many=True,
)
_HEAD = (
    leaf("cbc:CustomizationID", "customization"),
    leaf("cbc:ProfileID", "process"),
    leaf("cbc:ID", "number"),
    leaf("cbc:IssueDate", "issue_date", DATE),
)
_CURRENCIES = (
    leaf("cbc:DocumentCurrencyCode", "currency"),
    leaf("cbc:TaxCurrencyCode", "tax_currency"),
    leaf("cbc:AccountingCost", "accounting_reference"),
    leaf("cbc:BuyerReference", "buyer_reference"),
    _PERIOD,
    *_REFERENCES,
)
_NOTES = leaf("cbc:Note", "notes", of=model.Note, text="text", many=True)
_SUMS = (
    leaf("cac:PaymentTerms/cbc:Note", "payment_terms"),
    _changes("allowances", is_charge=False, taxed=True),
    _changes("charges", is_charge=True, taxed=True),
    _TAX_IN_ACCOUNTING_CURRENCY,  # first, because it tells by its currency that it is not the other
    _TAXES,
    _TOTALS,
)
INVOICE = group(
    "inv:Invoice",
    *_HEAD,
    leaf("cbc:DueDate", "due_date", DATE),
    leaf("cbc:InvoiceTypeCode", "type_code"),
    _NOTES,
    leaf("cbc:TaxPointDate", "tax_point", DATE),
    *_CURRENCIES,
    _TENDER,
    _CONTRACT,
    _OBJECT,
    _DOCUMENTS,
    leaf("cac:ProjectReference/cbc:ID", "project"),
    *PARTIES,
    _payment(),
    *_SUMS,
    _line("cac:InvoiceLine", "cbc:InvoicedQuantity"),
)
CREDIT_NOTE = group(
    "cn:CreditNote",
    *_HEAD,
    leaf("cbc:TaxPointDate", "tax_point", DATE),
    leaf("cbc:CreditNoteTypeCode", "type_code"),
    _NOTES,
    *_CURRENCIES,
    _CONTRACT,
    _OBJECT,
    group("cac:AdditionalDocumentReference", leaf("cbc:ID", "project"), fixed("cbc:DocumentTypeCode", "50")),
    _DOCUMENTS,
    _TENDER,
    *PARTIES,
    _payment(leaf("cbc:PaymentDueDate", "due_date", DATE, up=True)),
    *_SUMS,
    _line("cac:CreditNoteLine", "cbc:CreditedQuantity"),
)
