"""Our printer: PDF/A-3b and PDF/UA-1 by typst, as the worker calls it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from benchmarks.pdf.timing import timed
from shipworthy.rooms.invoicing.pdf import InvoiceDocument, Party, PrintedLine, render_invoice_pdf
from shipworthy.rooms.invoicing.tax import TaxGroup


def render(said: dict[str, Any]) -> bytes:
    seller, buyer = said["seller"], said["buyer"]
    document = InvoiceDocument(
        number=said["number"],
        issue_date=dt.date.fromisoformat(said["issue_date"]),
        due_date=dt.date.fromisoformat(said["due_date"]),
        seller=Party(name=seller[0], address_lines=tuple(seller[1:])),
        buyer=Party(name=buyer[0], address_lines=tuple(buyer[1:])),
        currency="EUR",
        lines=tuple(
            PrintedLine(
                description=line["description"],
                quantity=Decimal(line["quantity"]),
                unit_price=Decimal(line["unit_price"]),
                tax_category="S",
                rate_bp=1900,
                net_minor=line["net_minor"],
            )
            for line in said["lines"]
        ),
        tax_groups=(
            TaxGroup(category="S", rate_bp=1900, base_minor=said["net_minor"], tax_minor=said["tax_minor"]),
        ),
        net_minor=said["net_minor"],
        tax_minor=said["tax_minor"],
        gross_minor=said["gross_minor"],
        notes=said["note"],
    )
    return render_invoice_pdf(document)


if __name__ == "__main__":
    timed(render)
