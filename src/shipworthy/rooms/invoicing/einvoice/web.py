"""HTTP for electronic invoices: one out in the format somebody asks for, and a look into one that came."""

from __future__ import annotations

import asyncio
import base64
import uuid
from typing import Annotated, Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import File
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.einvoice.arithmetic import TAX_SLACK, wrong_lines, wrong_sums
from shipworthy.rooms.invoicing.einvoice.issued import Format
from shipworthy.rooms.invoicing.einvoice.parsing import BYTES_MAX
from shipworthy.rooms.invoicing.einvoice.reading import Received, read_einvoice
from shipworthy.rooms.invoicing.einvoice.writing import write_einvoice
from shipworthy.rooms.invoicing.invoice import load_invoice, wrong_status
from shipworthy.rooms.invoicing.wording import language_of


class XmlQuery(msgspec.Struct):
    format: Format = "ubl"


class ImportBody(Body):
    """`content` is the file in base64."""

    content: Annotated[bytes, msgspec.Meta(min_length=1, max_length=BYTES_MAX)]


async def invoice_xml(ctx: Ctx, invoice_id: uuid.UUID, query: XmlQuery) -> File:
    """The XML of an issued invoice; it says what its PDF says, because both are made of the frozen copies."""
    async with ctx.begin() as tx:
        ctx.tx = tx
        invoice = await load_invoice(ctx, invoice_id)
    if invoice.number is None:
        raise wrong_status(invoice.status, None, wanted="open")
    xml = await asyncio.to_thread(
        write_einvoice,
        invoice,
        query.format,
        locale=language_of(invoice.buyer, otherwise=ctx.runtime.settings.app.locale),
    )
    headers = (
        ("content-disposition", f'attachment; filename="{invoice.number}-{query.format}.xml"'),
        ("cache-control", "private, no-cache"),
    )
    return File(xml, "application/xml", headers=headers)


async def api_preview_import(_ctx: Ctx, body: ImportBody) -> dict[str, Any]:
    """What a received file says, in the canonical model. Writes nothing."""
    return await asyncio.to_thread(_preview, body.content)


def _preview(content: bytes) -> dict[str, Any]:
    received = read_einvoice(content)
    if wrong := wrong_sums(received.invoice, tax_slack=TAX_SLACK):
        raise Invalid(
            "einvoice.sums_wrong",
            f"Invoice {received.invoice.number[:60]} does not add up. {'. '.join(wrong[:5])}.",
            fields={said.partition(":")[0]: said for said in wrong[:50]},
        )
    return _preview_json(received)


def _preview_json(received: Received) -> dict[str, Any]:
    return {
        "syntax": received.syntax,
        "invoice": received.invoice,
        "remarks": wrong_lines(received.invoice)[:50],
        "not_read": list(received.unread),  # the first twenty
    }


_ISSUED = {"invoice_id": "einvoice_id"}
IMPORT_EXAMPLE_XML = """<?xml version="1.0"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID><cbc:ID>A-1</cbc:ID>
<cbc:IssueDate>2026-01-31</cbc:IssueDate><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:AccountingSupplierParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Mill Ltd</cbc:RegistrationName>
</cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Us</cbc:RegistrationName>
</cac:PartyLegalEntity></cac:Party></cac:AccountingCustomerParty>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">0.00</cbc:TaxAmount><cac:TaxSubtotal>
<cbc:TaxableAmount currencyID="EUR">1.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">0.00</cbc:TaxAmount>
<cac:TaxCategory><cbc:ID>Z</cbc:ID><cbc:Percent>0</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">1.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">1.00</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">1.00</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="EUR">1.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">1</cbc:InvoicedQuantity>
<cbc:LineExtensionAmount currencyID="EUR">1.00</cbc:LineExtensionAmount><cac:Item><cbc:Name>Flour</cbc:Name>
<cac:ClassifiedTaxCategory><cbc:ID>Z</cbc:ID><cbc:Percent>0</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID>
</cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">1.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine></Invoice>"""

# queries_max counts the session's look-up and touch (2).
ROUTES = (
    route("GET", "/api/invoices/{invoice_id}/xml", invoice_xml, title="Read an invoice as XML", media="file",
          permission="invoice.read", query=XmlQuery, transaction=False, params=_ISSUED, queries_max=5),
    route("GET", "/invoices/{invoice_id}/xml", invoice_xml, title="Download an invoice as XML", media="file",
          permission="invoice.read", query=XmlQuery, transaction=False, params=_ISSUED, queries_max=5),
    route("POST", "/api/invoices/import/preview", api_preview_import, title="Look into an electronic invoice",
          permission="invoice.read", body=ImportBody, screened=False, transaction=False,
          body_bytes_max=BYTES_MAX * 4 // 3 + 1000,
          example={"content": base64.b64encode(IMPORT_EXAMPLE_XML.encode()).decode()}, queries_max=2),
)  # fmt: skip
