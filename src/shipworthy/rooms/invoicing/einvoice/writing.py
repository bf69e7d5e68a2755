"""An issued invoice out, as the file somebody asked for."""

from __future__ import annotations

from decimal import Decimal

from shipworthy.kernel.errors import Conflict
from shipworthy.kernel.language import Locale
from shipworthy.rooms.invoicing.einvoice.arithmetic import wrong_lines, wrong_sums
from shipworthy.rooms.invoicing.einvoice.cii import write_cii
from shipworthy.rooms.invoicing.einvoice.issued import Format, as_einvoice
from shipworthy.rooms.invoicing.einvoice.ubl import write_ubl
from shipworthy.rooms.invoicing.invoice import Invoice


def write_einvoice(invoice: Invoice, wanted: Format, *, locale: Locale) -> bytes:
    """Return the XML of an issued invoice; the same invoice gives the same bytes.

    Errors:  Conflict `einvoice.field_missing`, naming every fact that is missing and where it is written;
             Conflict `einvoice.adds_up_wrong` for rows no code of ours wrote.
    """
    einvoice = as_einvoice(invoice, wanted, locale=locale)
    # A tax taken out of a gross price, or a step of several credit notes, is within one minor unit of the tax on
    # its base; the norm forgives more (BR-CO-17).
    is_shared = invoice.prices_include_tax or invoice.kind == "credit_note"
    slack = Decimal(1).scaleb(-invoice.exponent) if is_shared else Decimal(0)
    if wrong := wrong_sums(einvoice, tax_slack=slack) + wrong_lines(einvoice):
        raise Conflict("einvoice.adds_up_wrong", f"Invoice {invoice.number} does not add up: {wrong[0]}.")
    return write_cii(einvoice) if wanted == "cii" else write_ubl(einvoice)
