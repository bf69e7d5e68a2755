"""UN/CEFACT Cross Industry Invoice D16B, as EN 16931-3-3 binds the norm to it; also what Factur-X embeds.

Source:  UN/CEFACT CII D16B (order of elements); CEN/TS 16931-3-3 (what stands where).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from shipworthy.rooms.invoicing.einvoice import model
from shipworthy.rooms.invoicing.einvoice.cii_parties import ADDRESS, SCHEME, has_no_scheme, has_scheme, party
from shipworthy.rooms.invoicing.einvoice.codecs import AMOUNT, DATE_102, NUMBER
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

_102 = (("format", "102"),)
_VAT = fixed("ram:TypeCode", "VAT")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
# BT-8 is UNTDID 2005 in the norm and in UBL, 2475 here (EN 16931-3-3, 5.2.9).
_TAX_POINT_CODES = {"3": "5", "35": "29", "432": "72"}


def write_cii(invoice: model.EInvoice) -> bytes:
    """Return the invoice as CII."""
    code = _TAX_POINT_CODES.get(invoice.tax_point_code or "", invoice.tax_point_code)
    names: dict[str | None, str] = {prefix: NAMESPACES[prefix] for prefix in ("rsm", "ram", "udt", "qdt")}
    return write_tree(INVOICE, replace(invoice, tax_point_code=code), namespaces=names)


def read_cii(root: Any) -> tuple[model.EInvoice, list[str]]:
    """Return the invoice a CrossIndustryInvoice element stands for, and the places that were not read.

    Errors:  `einvoice.element_refused`.
    """
    settlement = (
        f"{{{NAMESPACES['rsm']}}}SupplyChainTradeTransaction/"
        f"{{{NAMESPACES['ram']}}}ApplicableHeaderTradeSettlement/{{{NAMESPACES['ram']}}}"
    )
    reading = Reading(
        currency=(root.findtext(f"{settlement}InvoiceCurrencyCode") or "").strip(),
        tax_currency=(root.findtext(f"{settlement}TaxCurrencyCode") or "").strip() or None,
    )
    invoice: model.EInvoice = read_tree(root, INVOICE, model.EInvoice, reading)
    codes = {cii: norm for norm, cii in _TAX_POINT_CODES.items()}
    code = codes.get(invoice.tax_point_code or "", invoice.tax_point_code)
    return replace(invoice, tax_point_code=code), reading.unread


def _day(path: str, name: str, **more: Any) -> Part:
    return leaf(f"{path}/udt:DateTimeString", name, DATE_102, fixed=_102, **more)


def _amount(tag: str, name: str) -> Part:
    return leaf(tag, name, AMOUNT)


def _is_iban(account: str) -> bool:
    return bool(_IBAN.fullmatch(account))


def _is_no_iban(account: str) -> bool:
    return not _is_iban(account)


_PERIOD = group(
    "ram:BillingSpecifiedPeriod",
    _day("ram:StartDateTime", "start"),
    _day("ram:EndDateTime", "end"),
    field="period",
    of=model.Period,
)


def _changes(name: str, *, is_charge: bool, taxed: bool) -> Group:
    tax = group(
        "ram:CategoryTradeTax",
        _VAT,
        leaf("ram:CategoryCode", "tax_category"),
        leaf("ram:RateApplicablePercent", "tax_rate", NUMBER),
    )
    return group(
        "ram:SpecifiedTradeAllowanceCharge",
        fixed("ram:ChargeIndicator/udt:Indicator", "true" if is_charge else "false"),
        leaf("ram:CalculationPercent", "percent", NUMBER),
        _amount("ram:BasisAmount", "base"),
        _amount("ram:ActualAmount", "amount"),
        leaf("ram:ReasonCode", "reason_code"),
        leaf("ram:Reason", "reason"),
        *([tax] if taxed else []),
        field=name,
        of=model.Change,
        many=True,
    )


_PRODUCT = group(
    "ram:SpecifiedTradeProduct",
    leaf("ram:GlobalID", "standard_item", of=model.Identifier, attributes=SCHEME),
    leaf("ram:SellerAssignedID", "seller_item"),
    leaf("ram:BuyerAssignedID", "buyer_item"),
    leaf("ram:Name", "name"),
    leaf("ram:Description", "description"),
    group(
        "ram:ApplicableProductCharacteristic",
        leaf("ram:Description", "name"),
        leaf("ram:Value", "value"),
        field="attributes",
        of=model.Attribute,
        many=True,
    ),
    group(
        "ram:DesignatedProductClassification",
        leaf(
            "ram:ClassCode",
            "code",
            attributes=(("listID", "scheme"), ("listVersionID", "scheme_version")),
        ),
        field="classifications",
        of=model.Classification,
        many=True,
    ),
    leaf("ram:OriginTradeCountry/ram:ID", "origin"),
)
_PRICES = group(
    "ram:SpecifiedLineTradeAgreement",
    leaf("ram:BuyerOrderReferencedDocument/ram:LineID", "order_line"),
    group(
        "ram:GrossPriceProductTradePrice",
        leaf("ram:ChargeAmount", "price_gross", NUMBER),
        leaf(
            "ram:BasisQuantity", "base_quantity", NUMBER, attributes=(("unitCode", "base_unit"),), spare=True
        ),
        group(
            "ram:AppliedTradeAllowanceCharge",
            fixed("ram:ChargeIndicator/udt:Indicator", "false"),
            leaf("ram:ActualAmount", "price_discount", NUMBER),
        ),
    ),
    group(
        "ram:NetPriceProductTradePrice",
        leaf("ram:ChargeAmount", "price", NUMBER),
        leaf("ram:BasisQuantity", "base_quantity", NUMBER, attributes=(("unitCode", "base_unit"),)),
    ),
)
_OBJECT = group(
    "ram:AdditionalReferencedDocument",
    leaf("ram:IssuerAssignedID", "value"),
    fixed("ram:TypeCode", "130"),
    leaf("ram:ReferenceTypeCode", "scheme"),
    field="object_id",
    of=model.Identifier,
)
_LINE = group(
    "ram:IncludedSupplyChainTradeLineItem",
    group(
        "ram:AssociatedDocumentLineDocument",
        leaf("ram:LineID", "line_id"),
        leaf("ram:IncludedNote/ram:Content", "note"),
    ),
    _PRODUCT,
    _PRICES,
    leaf(
        "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity",
        "quantity",
        NUMBER,
        attributes=(("unitCode", "unit"),),
    ),
    group(
        "ram:SpecifiedLineTradeSettlement",
        group(
            "ram:ApplicableTradeTax",
            _VAT,
            leaf("ram:CategoryCode", "tax_category"),
            leaf("ram:RateApplicablePercent", "tax_rate", NUMBER),
        ),
        _PERIOD,
        _changes("allowances", is_charge=False, taxed=False),
        _changes("charges", is_charge=True, taxed=False),
        _amount("ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount", "net"),
        _OBJECT,
        leaf("ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID", "accounting_reference"),
    ),
    field="lines",
    of=model.Line,
    many=True,
)
_AGREEMENT = group(
    "ram:ApplicableHeaderTradeAgreement",
    leaf("ram:BuyerReference", "buyer_reference"),
    party("ram:SellerTradeParty", "seller"),
    party("ram:BuyerTradeParty", "buyer"),
    party("ram:SellerTaxRepresentativeTradeParty", "tax_representative"),
    leaf("ram:SellerOrderReferencedDocument/ram:IssuerAssignedID", "sales_order"),
    leaf("ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID", "order"),
    leaf("ram:ContractReferencedDocument/ram:IssuerAssignedID", "contract"),
    group(
        "ram:AdditionalReferencedDocument",
        leaf("ram:IssuerAssignedID", "reference"),
        leaf("ram:URIID", "location"),
        fixed("ram:TypeCode", "916"),
        leaf("ram:Name", "description"),
        leaf(
            "ram:AttachmentBinaryObject",
            "attachment",
            of=model.Attachment,
            text="content",
            attributes=(("mimeCode", "mime"), ("filename", "file_name")),
        ),
        field="documents",
        of=model.Document,
        many=True,
    ),
    group(
        "ram:AdditionalReferencedDocument",
        leaf("ram:IssuerAssignedID", "tender"),
        fixed("ram:TypeCode", "50"),
    ),
    _OBJECT,
    group(
        "ram:SpecifiedProcuringProject",
        leaf("ram:ID", "project"),
        fixed("ram:Name", "Project reference", lenient=True),
    ),
)
_DELIVERY = group(
    "ram:ApplicableHeaderTradeDelivery",
    group(
        "ram:ShipToTradeParty",
        leaf("ram:ID", "location", of=model.Identifier, attributes=SCHEME, when=has_no_scheme),
        leaf("ram:GlobalID", "location", of=model.Identifier, attributes=SCHEME, when=has_scheme),
        leaf("ram:Name", "name"),
        ADDRESS,
        field="delivery",
        of=model.Delivery,
    ),
    _day("ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime", "delivered_on"),
    leaf("ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID", "despatch"),
    leaf("ram:ReceivingAdviceReferencedDocument/ram:IssuerAssignedID", "receipt"),
    always=True,
)
_PAYMENT = group(
    "ram:SpecifiedTradeSettlementPaymentMeans",
    leaf("ram:TypeCode", "code"),
    leaf("ram:Information", "text"),
    group(
        "ram:ApplicableTradeSettlementFinancialCard",
        leaf("ram:ID", "card"),
        leaf("ram:CardholderName", "card_holder"),
    ),
    leaf("ram:PayerPartyDebtorFinancialAccount/ram:IBANID", "debited_account"),
    group(
        "ram:PayeePartyCreditorFinancialAccount",
        leaf("ram:IBANID", "account", when=_is_iban),
        leaf("ram:AccountName", "account_holder"),
        leaf("ram:ProprietaryID", "account", when=_is_no_iban),
    ),
    leaf("ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID", "bic"),
    field="payment",
    of=model.PaymentMeans,
    many=True,
)
_TAXES = group(
    "ram:ApplicableTradeTax",
    _amount("ram:CalculatedAmount", "amount"),
    _VAT,
    leaf("ram:ExemptionReason", "exemption_reason"),
    _amount("ram:BasisAmount", "base"),
    leaf("ram:CategoryCode", "category"),
    leaf("ram:ExemptionReasonCode", "exemption_code"),
    leaf("ram:TaxPointDate/udt:DateString", "tax_point", DATE_102, fixed=_102, up=True),
    leaf("ram:DueDateTypeCode", "tax_point_code", up=True),
    leaf("ram:RateApplicablePercent", "rate", NUMBER),
    field="taxes",
    of=model.Tax,
    many=True,
)
_TOTALS = group(
    "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
    _amount("ram:LineTotalAmount", "lines"),
    _amount("ram:ChargeTotalAmount", "charges"),
    _amount("ram:AllowanceTotalAmount", "allowances"),
    _amount("ram:TaxBasisTotalAmount", "net"),
    leaf("ram:TaxTotalAmount", "tax_total_accounting", AMOUNT, currency="tax_currency", up=True),
    leaf("ram:TaxTotalAmount", "tax_total", AMOUNT, currency="currency", up=True),
    _amount("ram:RoundingAmount", "rounding"),
    _amount("ram:GrandTotalAmount", "gross"),
    _amount("ram:TotalPrepaidAmount", "prepaid"),
    _amount("ram:DuePayableAmount", "payable"),
    field="totals",
    of=model.Totals,
)
_SETTLEMENT = group(
    "ram:ApplicableHeaderTradeSettlement",
    leaf("ram:CreditorReferenceID", "creditor_id"),
    leaf("ram:PaymentReference", "remittance"),
    leaf("ram:TaxCurrencyCode", "tax_currency"),
    leaf("ram:InvoiceCurrencyCode", "currency"),
    party("ram:PayeeTradeParty", "payee"),
    _PAYMENT,
    _TAXES,
    _PERIOD,
    _changes("allowances", is_charge=False, taxed=True),
    _changes("charges", is_charge=True, taxed=True),
    group(
        "ram:SpecifiedTradePaymentTerms",
        leaf("ram:Description", "payment_terms"),
        _day("ram:DueDateDateTime", "due_date"),
        leaf("ram:DirectDebitMandateID", "mandate"),
    ),
    _TOTALS,
    group(
        "ram:InvoiceReferencedDocument",
        leaf("ram:IssuerAssignedID", "number"),
        leaf("ram:FormattedIssueDateTime/qdt:DateTimeString", "issue_date", DATE_102, fixed=_102),
        field="preceding",
        of=model.Reference,
        many=True,
    ),
    leaf("ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID", "accounting_reference"),
)
INVOICE = group(
    "rsm:CrossIndustryInvoice",
    group(
        "rsm:ExchangedDocumentContext",
        leaf("ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID", "process"),
        leaf("ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", "customization"),
    ),
    group(
        "rsm:ExchangedDocument",
        leaf("ram:ID", "number"),
        leaf("ram:TypeCode", "type_code"),
        _day("ram:IssueDateTime", "issue_date"),
        group(
            "ram:IncludedNote",
            leaf("ram:Content", "text"),
            leaf("ram:SubjectCode", "subject"),
            field="notes",
            of=model.Note,
            many=True,
        ),
    ),
    group("rsm:SupplyChainTradeTransaction", _LINE, _AGREEMENT, _DELIVERY, _SETTLEMENT),
)
