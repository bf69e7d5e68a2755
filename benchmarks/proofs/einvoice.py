"""`make proof NAME=einvoice`: random invoices and others' files against the official rules of EN 16931.

300 random invoices, each written as UBL, CII, XRechnung and Peppol BIS: how many the rules reject, how many
are a cent off an oracle of fractions that shares no code with the engine, how many do not come back as they
went. Then the norm's examples and XRechnung's technical cases: read, written in both syntaxes, read again.
The rules are those of EN 16931; the national ones of XRechnung and Peppol are not among our data.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from tests.support.einvoices import DATA, Rules, expected_totals, others_invoices, random_invoice

from benchmarks.report import Report, publish, show_table
from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.einvoice.cii import write_cii
from shipworthy.rooms.invoicing.einvoice.issued import FORMATS, as_einvoice
from shipworthy.rooms.invoicing.einvoice.model import EInvoice
from shipworthy.rooms.invoicing.einvoice.reading import read_einvoice
from shipworthy.rooms.invoicing.einvoice.ubl import write_ubl
from shipworthy.rooms.invoicing.einvoice.writing import write_einvoice

INVOICES = 300
_BOUNDS = {"rejected": "0 owed", "cents_off": "0 owed", "changed_by_the_round_trip": "0 owed"}


def main() -> None:
    """Write, judge and read back; print what was refused and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=INVOICES)
    invoices = parser.parse_args().invoices
    if not (DATA / "en16931").is_dir():
        publish(
            Report(name="proof-einvoice", figures={}, valid=False, notes=[f"the rules are not at {DATA}"])
        )
        return
    began = time.monotonic()
    figures, broken = _random(invoices)
    refused: list[tuple[str, str]] = []
    for name, paths in others_invoices().items():
        read = [_read(path.read_bytes(), path.name, refused) for path in paths]
        whole = [invoice for invoice in read if invoice is not None]
        figures |= {
            f"{name}": len(paths),
            f"{name}_read": len(whole),
            f"{name}_changed_by_the_round_trip": sum(not _comes_back(invoice) for invoice in whole),
        }
    show_table("rules broken by random invoices", ("rule", "times"), sorted(broken.items()))
    show_table("files refused", ("file", "why"), refused)
    publish(
        Report(
            name="proof-einvoice",
            figures={**figures, "seconds": round(time.monotonic() - began, 1)},
            valid=invoices >= INVOICES,
            notes=[] if invoices >= INVOICES else [f"{invoices} invoices are fewer than the {INVOICES} owed"],
        ),
        bounds=_BOUNDS,
    )


def _random(invoices: int) -> tuple[dict[str, int], Counter[str]]:
    rules, broken, figures = Rules(), Counter[str](), Counter[str](files=0, rejected=0, cents_off=0)
    figures["changed_by_the_round_trip"] = 0
    for seed in range(invoices):
        invoice = random_invoice(seed)
        amounts = (invoice.net_minor, invoice.tax_minor, invoice.gross_minor, invoice.payable_minor)
        figures["cents_off"] += amounts != expected_totals(invoice)
        for wanted in FORMATS:
            xml = write_einvoice(invoice, wanted, locale="en")
            ids = rules.broken_by(xml)
            broken.update(ids)
            figures["files"] += 1
            figures["rejected"] += bool(ids)
            read = read_einvoice(xml)
            is_same = read.invoice == as_einvoice(invoice, wanted, locale="en") and not read.unread
            figures["changed_by_the_round_trip"] += not is_same
    return dict(figures), broken


def _read(content: bytes, name: str, refused: list[tuple[str, str]]) -> EInvoice | None:
    try:
        return read_einvoice(content).invoice
    except Invalid as why:
        refused.append((name, why.message))
        return None


def _comes_back(invoice: EInvoice) -> bool:
    return all(read_einvoice(write(invoice)).invoice == invoice for write in (write_ubl, write_cii))


if __name__ == "__main__":
    main()
