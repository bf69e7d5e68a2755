"""Others' files in: what they say is kept whole, and what lies or attacks is refused with its place.

Covers: tree, ubl, ubl_parties, cii, cii_parties, codecs, parsing, model.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.einvoice.cii import write_cii
from shipworthy.rooms.invoicing.einvoice.issued import as_einvoice
from shipworthy.rooms.invoicing.einvoice.model import EInvoice, Note, Reference
from shipworthy.rooms.invoicing.einvoice.reading import read_einvoice
from shipworthy.rooms.invoicing.einvoice.ubl import write_ubl
from tests.support.einvoices import needs_rules, others_invoices, random_invoice

MODEL = as_einvoice(random_invoice(1), "ubl", locale="en")
UBL, CII = write_ubl(MODEL), write_cii(MODEL)


def test_every_technical_case_of_xrechnung_goes_in_and_out_in_both_syntaxes() -> None:
    needs_rules()
    cases = others_invoices()["technical_cases"]
    assert len(cases) == 14
    for path in cases:
        received = read_einvoice(path.read_bytes())
        assert received.unread == (), path.name
        comes_back(received.invoice)


def test_every_example_of_the_norm_goes_in_and_out_in_both_syntaxes() -> None:
    """What is not read is told: second base quantities, and documents of kinds the norm does not know."""
    needs_rules()
    examples = others_invoices()["examples"]
    told = {path.name: read_einvoice(path.read_bytes()) for path in examples}
    assert len(told) == 34
    for received in told.values():
        comes_back(received.invoice)
    unread = {re.sub(r"\[\d+\]", "", p).rpartition("/")[2] for r in told.values() for p in r.unread}
    assert unread <= {"BasisQuantity", "AdditionalReferencedDocument", "DocumentReference"}


def comes_back(invoice: EInvoice) -> None:
    for write in (write_ubl, write_cii):
        again = read_einvoice(write(invoice))
        assert again.invoice == invoice
        assert again.unread == ()


texts = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
    .map(lambda s: s.strip(" "))
    .filter(bool)
)


@settings(max_examples=60, deadline=None)
@given(name=texts, note=texts, number=texts)
def test_any_text_comes_back_as_it_was(name: str, note: str, number: str) -> None:
    line = replace(MODEL.lines[0], name=name, description=note)
    invoice = replace(MODEL, number=number, notes=(Note(text=note),), lines=(line,))
    for write in (write_ubl, write_cii):
        read = read_einvoice(write(invoice)).invoice
        unwritable = str.maketrans({0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD})
        assert read.lines[0].name == name.translate(unwritable)
        assert read.number == number.translate(unwritable)
        said = read.notes[0]
        assert f"#{said.subject}#{said.text}" == note or said.text == note.translate(unwritable)


@settings(max_examples=60, deadline=None)
@given(price=st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=0, max_value=10**12),
       quantity=st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**6), max_value=10**6),
       day=st.dates(min_value=date(1000, 1, 1)))  # fmt: skip
def test_any_number_and_day_comes_back_as_it_was(price: Decimal, quantity: Decimal, day: date) -> None:
    line = replace(MODEL.lines[0], price=price, quantity=quantity)
    comes_back(replace(MODEL, lines=(line,), issue_date=day, due_date=day))


def test_a_credit_note_names_the_invoice_it_takes_back() -> None:
    back = Reference(number="2026-00007", issue_date=date(2026, 3, 1))
    note = replace(MODEL, type_code="381", preceding=(back,))
    assert b"<CreditNote " in write_ubl(note)
    comes_back(note)
    comes_back(replace(note, project="P-1", tender="T-1", contract="C-1", despatch="D-1", receipt="R-1"))


def test_what_the_model_has_no_room_for_is_told() -> None:
    more = UBL.replace(b"<cac:OrderReference", b"<cac:Nonsense").replace(
        b"<cbc:IssueDate>", b"<cbc:IssueTime>12:00:00</cbc:IssueTime><cbc:IssueDate>"
    )
    assert read_einvoice(more).unread == ("Invoice/IssueTime",)


def test_a_file_of_nothing_but_one_thing_costs_no_more_than_reading_it() -> None:
    """Each was quadratic once: minutes for a file of a few megabytes."""
    strange = UBL.replace(b"<cbc:IssueDate>", b"<cbc:IssueTime/>" * 30_000 + b"<cbc:IssueDate>")
    assert len(read_einvoice(strange).unread) == 20
    notes = UBL.replace(
        b"<cbc:DocumentCurrencyCode>", b"<cbc:Note>x</cbc:Note>" * 30_000 + b"<cbc:DocumentCurrencyCode>"
    )
    assert len(read_einvoice(notes).invoice.notes) >= 30_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "einvoice.not_xml"),
        (b"\x89PNG", "einvoice.not_xml"),
        (UBL[:-20], "einvoice.not_xml"),
        (b"<a/>", "einvoice.unknown_syntax"),
        (b"<Invoice/>", "einvoice.unknown_syntax"),
        (b"<!DOCTYPE a><a/>", "einvoice.forbidden_xml"),
        (UBL.replace(b"<Invoice ", b"<!DOCTYPE Invoice SYSTEM 'http://127.0.0.1:9/x.dtd'><Invoice "), "einvoice.forbidden_xml"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "einvoice.forbidden_xml"),
        (b'<!DOCTYPE a [<!ENTITY a "lol"><!ENTITY b "' + b"&a;" * 99 + b'">]><a>&b;</a>', "einvoice.forbidden_xml"),
        (b"<a>" * 41 + b"</a>" * 41, "einvoice.too_large"),
        (b"<a>" + b"<b/>" * 100_001 + b"</a>", "einvoice.too_large"),
        (b"<a>" + b" " * 5_000_000 + b"</a>", "einvoice.too_large"),
    ],
)  # fmt: skip
def test_what_is_no_invoice_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_einvoice(content)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("xml", "old", "new", "named"),
    [
        (UBL, rb"<cbc:PayableAmount currencyID=\"\w+\">[^<]+", b'<cbc:PayableAmount currencyID="EUR">1e9', "PayableAmount: '1e9' is not a number"),
        (UBL, rb"<cbc:IssueDate>[^<]+", b"<cbc:IssueDate>2026-02-30", "Invoice/IssueDate: '2026-02-30' is no day"),
        (CII, rb'<udt:DateTimeString format="102">\d+', b'<udt:DateTimeString format="102">20260230', "IssueDateTime/DateTimeString: '20260230' is no day"),
        (UBL, rb"<cbc:ID>2026-00001", b"<cbc:ID>A</cbc:ID><cbc:ID>B", "It says 'B', but elsewhere it says 'A'"),
        (UBL, rb"<cbc:LineExtensionAmount currencyID=\"\w+\">", b'<cbc:LineExtensionAmount currencyID="XTS">', "The amount is in XTS"),
        (UBL, rb"<cac:Item>", b"<cac:Ware>", "not well-formed"),
        (UBL, rb"<cbc:ID>2026-00001</cbc:ID>", b"", "Invoice: It does not say its number"),
        (UBL, rb"<cbc:ID>2026-00001</cbc:ID>", b"<cbc:ID><b>x</b></cbc:ID>", "There are elements in it"),
        (CII, rb"<ram:BilledQuantity unitCode=\"C62\">[^<]+", b'<ram:BilledQuantity unitCode="C62">' + b"9" * 31, "more than 30 digits"),
        (CII, rb"<ram:Name>", b"<ram:Name>" + b"x" * 10_001, "longer than 10000"),
    ],
)  # fmt: skip
def test_an_element_that_lies_is_named(xml: bytes, old: bytes, new: bytes, named: str) -> None:
    changed, found = re.subn(old, new, xml, count=1)
    assert found == 1
    with pytest.raises(Invalid) as refused:
        read_einvoice(changed)
    assert named in refused.value.message
