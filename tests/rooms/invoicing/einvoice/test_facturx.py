"""The PDF carries its invoice as XML, says so, and stays archivable, accessible and the same every time."""

from __future__ import annotations

import io
from dataclasses import replace

import facturx
import pikepdf
import pytest

from shipworthy.rooms.invoicing.document import as_document
from shipworthy.rooms.invoicing.einvoice.facturx import mark_as_facturx
from shipworthy.rooms.invoicing.einvoice.writing import write_einvoice
from shipworthy.rooms.invoicing.pdf import render_invoice_pdf
from tests.rooms.invoicing.conftest import Person
from tests.rooms.invoicing.test_seller import SELLER
from tests.support.einvoices import TEXTS, random_invoice

FX = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
PDFA, PDFUA = "{http://www.aiim.org/pdfa/ns/id/}", "{http://www.aiim.org/pdfua/ns/id/}"
MIB = 1_048_576


def rendered(seed: int = 3) -> tuple[bytes, bytes]:
    """An invoice whose lines try to be markup; those our fonts cannot draw are left out."""
    drawn = {t for t in TEXTS if t.isprintable() and "\N{ZERO WIDTH SPACE}" not in t and t.isascii()}
    invoice = random_invoice(seed)
    lines = tuple(replace(x, description=sorted(drawn)[i % len(drawn)]) for i, x in enumerate(invoice.lines))
    invoice = replace(invoice, lines=lines, note="", buyer={**(invoice.buyer or {}), "name": "Żółw & <Co>"})
    xml = write_einvoice(invoice, "cii", locale="en")
    return render_invoice_pdf(as_document(invoice, locale="en"), einvoice=xml), xml


def test_the_xml_is_attached_as_it_was_written_and_the_metadata_say_so() -> None:
    body, xml = rendered()
    with pikepdf.open(io.BytesIO(body)) as pdf, pdf.open_metadata() as about:
        assert pdf.check_pdf_syntax() == []
        (attached,) = pdf.Root.AF
        assert (attached.AFRelationship, str(attached.F)) == ("/Alternative", "factur-x.xml")
        assert attached.EF.F.read_bytes() == xml
        assert attached.EF.F.Subtype == "/text/xml"
        assert list(pdf.attachments) == ["factur-x.xml"]
        assert (about[f"{PDFA}part"], about[f"{PDFA}conformance"], about[f"{PDFUA}part"]) == ("3", "B", "1")
        named = {name: about[f"{FX}{name}"] for name in ("DocumentFileName", "DocumentType", "Version", "ConformanceLevel")}  # fmt: skip
        assert list(named.values()) == ["factur-x.xml", "INVOICE", "1.0", "EN 16931"]
        assert b"Factur-X PDFA Extension Schema" in pdf.Root.Metadata.read_bytes()
        fonts = [font for page in pdf.pages for font in page.Resources.Font.values()]
        assert fonts
        for font in fonts:
            inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
            assert any(f"/FontFile{n}" in inner.FontDescriptor for n in ("", "2", "3"))


def test_a_reader_that_others_wrote_finds_it_and_its_schema_holds() -> None:
    body, xml = rendered()
    assert facturx.get_facturx_xml_from_pdf(body, check_xsd=True) == ("factur-x.xml", xml)
    for seed in range(10):
        written = write_einvoice(random_invoice(seed), "cii", locale="en")
        assert facturx.xml_check_xsd(written, flavor="factur-x", level="en16931")


def test_the_same_invoice_gives_the_same_bytes() -> None:
    assert rendered()[0] == rendered()[0]


def test_a_file_of_another_shape_is_not_marked() -> None:
    body, _ = rendered()
    for wrong in (
        b"%PDF-1.7\n",
        body,
        body.replace(b"</pdfaExtension:schemas>", b"</pdfaExtension:schemaS>"),
    ):
        with pytest.raises(ValueError, match=r"metadata|PDF"):
            mark_as_facturx(wrong)


async def test_the_printed_invoice_carries_its_xml_where_the_facts_are_there(acme: Person) -> None:
    customer = {"name": "Hotel", "country": "DE"}
    plain = await acme.issued((await acme.post("/api/customers", customer)).json["customer_id"])
    await acme.send("PUT", "/api/seller", SELLER)
    whole = await acme.issued((await acme.post("/api/customers", customer)).json["customer_id"])
    bodies = []
    for issued in (plain, whole):
        await acme.run_jobs(issued["invoice_id"])
        bodies.append((await acme.get(f"/api/invoices/{issued['invoice_id']}/pdf")).body)
    with pikepdf.open(io.BytesIO(bodies[0])) as pdf:
        assert "/AF" not in pdf.Root
    xml = (await acme.get(f"/api/invoices/{whole['invoice_id']}/xml?format=cii")).body
    assert facturx.get_facturx_xml_from_pdf(bodies[1], check_xsd=False) == ("factur-x.xml", xml)
