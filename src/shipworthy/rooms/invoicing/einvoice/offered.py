"""What the screen offers of an invoice as a file, and what is still missing for the rest."""

from __future__ import annotations

from shipworthy.rooms.invoicing.einvoice.issued import FORMATS, Format, Snapshot, needs
from shipworthy.rooms.invoicing.invoice import Invoice

_LABELS: dict[Format, str] = {
    "ubl": "UBL",
    "cii": "CII",
    "xrechnung": "XRechnung",
    "peppol": "Peppol BIS",
}


def offered(invoice: Invoice, *, seller: Snapshot, buyer: Snapshot) -> list[dict[str, str]]:
    """Return each format with its address, empty while the invoice is a draft, and what it lacks."""
    rows = []
    for name in FORMATS:
        lacking = ", ".join(need.term for need in needs(invoice, name, seller=seller, buyer=buyer))
        ready = invoice.number is not None and not lacking
        rows.append(
            {
                "format": name,
                "label": _LABELS[name],
                "href": f"/invoices/{invoice.invoice_id}/xml?format={name}" if ready else "",
                "lacking": lacking,
            }
        )
    return rows
