"""Factur-X: the mark on a PDF/A-3 that says it carries its invoice as XML, and under which name.

The compiler attaches the file (`templates/invoice.typ`) but knows no metadata of others, so the mark is put into
the XMP it wrote, in place: what comes after moves, and the table of places with it. The factur-x library was
measured and not used for this: it replaces the whole XMP, and with it the PDF/UA mark, and stamps the time.

Source:  Factur-X 1.07.3, 6.2 (XMP extension schema); ISO 32000-1, 7.5.4 (cross-reference table).
"""

from __future__ import annotations

import re

FILE_NAME = "factur-x.xml"
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_FACTS = {
    "DocumentFileName": (FILE_NAME, "name of the embedded XML invoice file"),
    "DocumentType": ("INVOICE", "INVOICE"),
    "Version": ("1.0", "The actual version of the Factur-X XML schema"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded Factur-X data"),
}
_SCHEMAS_END = b"</rdf:Bag></pdfaExtension:schemas>"
_DESCRIPTION_END = b"</rdf:Description></rdf:RDF>"
_XMP = re.compile(rb"<</Length (\d+)/Type/Metadata/Subtype/XML>>\nstream\n")
_ENTRY_BYTES = 20  # ten digits, a blank, five digits, a blank, n or f, two bytes of line end


def mark_as_facturx(pdf: bytes) -> bytes:
    """Return the PDF with the Factur-X mark in its metadata.

    Errors:  ValueError where the compiler no longer writes a PDF as this expects: its version is pinned.
    """
    found = list(_XMP.finditer(pdf))
    if len(found) != 1:
        raise ValueError(f"the PDF has {len(found)} plain metadata streams, not one")
    head, begin = found[0], found[0].end()
    end = begin + int(head[1])
    xmp = _marked(pdf[begin:end])
    stream = b"<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%b" % (len(xmp), xmp)
    moved = len(stream) - (end - head.start())
    return _replaced(pdf, head.start(), end, stream, moved)


def _marked(xmp: bytes) -> bytes:
    is_marked = _NAMESPACE.encode() in xmp
    if is_marked or xmp.count(_SCHEMAS_END) != 1 or xmp.count(_DESCRIPTION_END) != 1:
        raise ValueError("the metadata have no place for another schema")
    properties = "".join(
        '<rdf:li rdf:parseType="Resource"><pdfaProperty:category>external</pdfaProperty:category>'
        f"<pdfaProperty:description>{what}</pdfaProperty:description><pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType></rdf:li>"
        for name, (_, what) in _FACTS.items()
    )
    schema = (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
    facts = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in _FACTS.items())
    description = f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{facts}</rdf:Description></rdf:RDF>'
    xmp = xmp.replace(_SCHEMAS_END, schema.encode() + _SCHEMAS_END)
    return xmp.replace(_DESCRIPTION_END, b"</rdf:Description>" + description.encode())


def _replaced(pdf: bytes, begin: int, end: int, stream: bytes, moved: int) -> bytes:
    """Put `stream` in the place of begin..end, and add to every place behind it what it moved."""
    table = pdf.rfind(b"xref\n", 0, pdf.rfind(b"startxref"))
    start = int(pdf[pdf.rfind(b"startxref") :].split()[1])
    if start != table or pdf.find(b"xref\n") != table or not end < table:
        raise ValueError("the PDF has no single table of places behind its metadata")
    first, count = (int(number) for number in pdf[table + 5 :].split(maxsplit=2)[:2])
    entries_at = pdf.index(b"\n", table + 5) + 1
    entries_end = entries_at + count * _ENTRY_BYTES
    if first != 0 or pdf[entries_end : entries_end + 7] != b"trailer":
        raise ValueError("the table of places is not one run")
    entries = b"".join(
        _moved(pdf[at : at + _ENTRY_BYTES], begin, moved)
        for at in range(entries_at, entries_end, _ENTRY_BYTES)
    )
    tail = pdf[entries_end:].replace(b"startxref\n%d\n" % start, b"startxref\n%d\n" % (start + moved))
    return pdf[:begin] + stream + pdf[end:entries_at] + entries + tail


def _moved(entry: bytes, begin: int, moved: int) -> bytes:
    offset = int(entry[:10])
    return b"%010d%b" % (offset + moved, entry[10:]) if offset > begin else entry
