"""Any electronic invoice in: UBL or CII, told apart by its root element."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.einvoice.cii import read_cii
from shipworthy.rooms.invoicing.einvoice.model import EInvoice
from shipworthy.rooms.invoicing.einvoice.parsing import parse
from shipworthy.rooms.invoicing.einvoice.tree import NAMESPACES
from shipworthy.rooms.invoicing.einvoice.ubl import read_ubl


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a file said. `unread` are the places the model has no room for, as paths."""

    syntax: str
    invoice: EInvoice
    unread: tuple[str, ...]


def read_einvoice(content: bytes) -> Received:
    """Return the invoice a UBL or CII file carries.

    Errors:  `einvoice.not_xml`, `einvoice.too_large`, `einvoice.forbidden_xml`, `einvoice.unknown_syntax`,
             `einvoice.element_refused` naming the element.
    """
    root = parse(content)
    if root.tag in (f"{{{NAMESPACES['inv']}}}Invoice", f"{{{NAMESPACES['cn']}}}CreditNote"):
        syntax, (invoice, unread) = "ubl", read_ubl(root)
    elif root.tag == f"{{{NAMESPACES['rsm']}}}CrossIndustryInvoice":
        syntax, (invoice, unread) = "cii", read_cii(root)
    else:
        name = etree.QName(root).localname[:60]
        raise Invalid(
            "einvoice.unknown_syntax",
            f"The file begins with {name}; a UBL Invoice or CreditNote or a CrossIndustryInvoice is needed.",
        )
    return Received(syntax=syntax, invoice=invoice, unread=tuple(unread))
