"""The printed invoice says what the document says, letter for letter, in an archivable file."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import io
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.pdf import render_invoice_pdf
from shipworthy.rooms.invoicing.pricing.changes import Change
from shipworthy.rooms.invoicing.printing.paper import BankAccount, InvoiceDocument, Party, PrintedLine
from shipworthy.rooms.invoicing.tax import Line, compute_totals

# One small font of a script that ours lack: Noto Sans Ogham, SIL Open Font License 1.1.
EXTRA_FONTS = Path(__file__).parent / "fonts"
OGHAM = "\N{OGHAM LETTER BEITH}\N{OGHAM LETTER LUIS}"


def test_an_invoice_prints_what_its_document_says() -> None:
    text = text_of(render_invoice_pdf(invoice()))
    for expected in [
        *(
            "Invoice 2026-0042",
            "€3,138.68 due by 15 March 2026",
            "1 March 2026",
            "27 February 2026",
            "PO-77120",
        ),
        *(
            "Nordlicht Studio GmbH · Lindenstraße 12 · 20099 Hamburg",
            "VAT ID DE123456789",
            "hello@nordlicht.example",
        ),
        *("Hotel Zur Post AG", "80331 München", "DE987654321"),
        *(
            "Design of the booking flow",
            "three rounds of feedback",
            "Discount 10%: \N{MINUS SIGN}234.00",
            "19.5\u00a0h",
            "120.00",
        ),
        *("2,106.00", "Menu cards", "1.1875", "296.88", "Amount EUR"),
        *(
            "Net total",
            "2,670.26",
            "Tax 19% on 2,356.00",
            "447.64",
            "Tax 7% on 296.88",
            "20.78",
            "Reverse charge",
        ),
        *("DE02\u00a01203\u00a00000\u00a00000\u00a02020\u00a051", "BYLADEM1001", "Thank you.", "Page 1 of 1"),
    ]:
        assert expected in text, expected


def test_the_same_invoice_in_german() -> None:
    text = text_of(render_invoice_pdf(dataclasses.replace(invoice(), locale="de")))
    for expected in [
        *(
            "Rechnung 2026-0042",
            "3.138,68\u00a0€ fällig bis 15. März 2026",
            "Rabatt 10\u00a0%: \N{MINUS SIGN}234,00",
        ),
        *(
            "USt. 19\u00a0% auf 2.356,00",
            "Zahlbetrag",
            "USt-IdNr. DE123456789",
            "Verwendungszweck",
            "Seite 1 von 1",
        ),
    ]:
        assert expected in text, expected


def test_discounts_and_prices_with_tax_are_printed_as_they_were_agreed() -> None:
    lines = [("Desk", "2", "119", "S", 1900, 0, ""), ("Book", "1", "10.70", "S", 700, 1000, "")]
    changes = (
        Change(kind="discount", percent_bp=1000, reason="Loyalty"),
        Change(kind="charge", amount_minor=595, tax_category="S", tax_rate_bp=1900, reason="Freight"),
    )
    shop = text_of(render_invoice_pdf(invoice(lines, changes=changes, prices_include_tax=True)))
    for expected in [
        *("238.00", "9.63", "Total of the lines, with tax", "247.63", "Loyalty 10%", "\N{MINUS SIGN}24.76"),
        *("Freight", "5.95", "of which: Net total", "of which: Tax 19% on 185.00", "35.15", "€228.82"),
        "All prices include the tax.",
    ]:
        assert expected in shop, expected
    trade = text_of(render_invoice_pdf(invoice(lines, changes=changes)))
    assert "All prices include the tax." not in trade
    assert "Total of the lines" in trade


def test_the_law_is_quoted_where_the_buyer_owes_the_tax() -> None:
    german = dataclasses.replace(invoice(), locale="de")
    assert "Steuerschuldnerschaft des Leistungsempfängers." in text_of(render_invoice_pdf(german))
    domestic = invoice(lines=[("Only at home", "1", "10", "S", 1900, 0, "")])
    assert "Reverse charge" not in text_of(render_invoice_pdf(domestic))


@pytest.mark.parametrize(
    ("price", "summary", "asks_for_money"),
    [("10", "€11.90 due by", True), ("0", "Nothing is due", False), ("-10", "€11.90 in your favour", False)],
)
def test_bank_details_are_printed_only_where_something_is_to_be_paid(
    price: str, summary: str, asks_for_money: bool
) -> None:
    sign = "-1" if price.startswith("-") else "1"
    text = text_of(
        render_invoice_pdf(invoice(lines=[("A thing", sign, price.lstrip("-"), "S", 1900, 0, "")]))
    )
    assert summary in text
    assert ("BYLADEM1001" in text) is asks_for_money
    assert ("Payment by bank transfer" in text) is asks_for_money


def test_a_line_without_tax_by_law_shows_no_rate() -> None:
    text = text_of(render_invoice_pdf(invoice(lines=[("Insurance", "1", "10", "O", 0, 0, "")])))
    assert "Not subject to tax, on 10.00" in text
    assert "\N{EN DASH}" in text
    assert "0%" not in text


# The file: archivable, self-contained, the same every time.


def test_the_file_declares_pdf_a_3b_and_pdf_ua_1() -> None:
    with opened(render_invoice_pdf(invoice())) as pdf:
        metadata = pdf.Root.Metadata.read_bytes().decode()
        assert "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>" in metadata
        assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert pdf.Root.StructTreeRoot is not None
        assert (str(pdf.Root.Lang), str(pdf.docinfo.Title)) == ("en", "Invoice 2026-0042")


def test_every_font_is_embedded_and_ours_or_the_compilers() -> None:
    with opened(render_invoice_pdf(invoice())) as pdf:
        fonts = [font for page in pdf.pages for font in page.Resources.Font.values()]
        names = {str(font.BaseFont).split("+")[-1].split("-")[0] for font in fonts}
        assert names == {"Inter"}
        for font in fonts:
            descriptor = font.DescendantFonts[0].FontDescriptor
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_the_bytes_depend_on_the_document_alone() -> None:
    """Another process, another time zone, another language: a job that runs twice stores one file."""
    program = (
        "import hashlib, sys; sys.path.insert(0, '.');"
        "from tests.rooms.invoicing.test_pdf import invoice;"
        "from shipworthy.rooms.invoicing.pdf import render_invoice_pdf as render;"
        "print(hashlib.sha256(render(invoice())).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[3],
            env={"TZ": zone, "LANG": language},
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        for zone, language in [("Pacific/Kiritimati", "C"), ("America/New_York", "de_DE.UTF-8")]
    }
    assert digests == {hashlib.sha256(render_invoice_pdf(invoice())).hexdigest().encode() + b"\n"}
    later = dataclasses.replace(invoice(), number="2026-0043")
    assert render_invoice_pdf(later) != render_invoice_pdf(invoice())


def test_the_creation_date_is_the_day_of_issue() -> None:
    with opened(render_invoice_pdf(invoice())) as pdf:
        assert str(pdf.docinfo.CreationDate).startswith("D:20260301000000")


def test_threads_render_at_once_and_agree() -> None:
    document = invoice()
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: render_invoice_pdf(document), range(8)))) == 1


# Texts: printed as they are, or refused by name.


@pytest.mark.parametrize(
    "hostile",
    [
        '#eval("1+1")',
        '#panic("x")',
        '#read("/etc/passwd")',
        "*bold* _it_ `raw` $x^2$ @ref <label>",
        "= Heading",
        "- list // no comment",
        r"back\slash \u{41} #",
        "</script><b>&amp;",
        "=cmd|'/C calc'!A1",
        "-> => -- --- ...",
        '"},"seller":{',
        "tab\tand more",
        "Ελληνικά Кириллица Tiếng Việt שלום",
    ],
)
def test_markup_in_a_text_is_printed_not_obeyed(hostile: str) -> None:
    document = invoice(lines=[(hostile, "1", "10", "S", 1900, 0, "")])
    party = dataclasses.replace(document.buyer, name=hostile, address_lines=(hostile,))
    document = dataclasses.replace(
        document, buyer=party, seller=party, notes=hostile, order_reference=hostile
    )
    text = text_of(render_invoice_pdf(document))
    printed = hostile.replace("\t", " ")
    # Right-to-left words are drawn from the right, so their letters are compared, not their order.
    letters = [word for word in printed.split() if word.isascii()] or printed.split()[:1]
    for letter in letters:
        assert text.count(letter) >= 5, letter
    if printed.isascii():
        assert printed in text.replace("\n", " ")


def test_a_word_longer_than_the_paper_is_broken_within_its_column() -> None:
    text = text_of(render_invoice_pdf(invoice(lines=[("W" * 300, "1", "10", "S", 1900, 0, "")])))
    assert "".join(text.split()).count("W" * 300) == 1
    assert "W" * 60 not in text, "no line is longer than the column"


def test_a_character_no_font_can_draw_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        render_invoice_pdf(dataclasses.replace(invoice(), notes="For 東京 and \N{GRINNING FACE}, \x07"))
    assert refused.value.code == "invoice.pdf_missing_glyphs"
    for named in ("2026-0042", "U+6771", "U+4EAC", "GRINNING FACE", "U+0007", "font_dirs"):
        assert named in refused.value.message


def test_a_font_folder_adds_the_script_that_was_missing() -> None:
    document = dataclasses.replace(invoice(), notes=OGHAM)
    with pytest.raises(Invalid, match="OGHAM LETTER BEITH"):
        render_invoice_pdf(document)
    assert OGHAM in text_of(render_invoice_pdf(document, font_dirs=[EXTRA_FONTS]))
    with pytest.raises(NotADirectoryError):
        render_invoice_pdf(document, font_dirs=[EXTRA_FONTS / "absent"])


# Layout.


def test_sixty_lines_repeat_the_header_on_every_page() -> None:
    lines = [(f"Thing number {n}\nwith a second row", "1", "10", "S", 1900, 0, "") for n in range(1, 61)]
    pages = page_texts(render_invoice_pdf(invoice(lines=lines)))
    assert len(pages) > 2
    assert all("Unit price" in page for page in pages if "Thing number" in page)
    assert all("Invoice 2026-0042" in page for page in pages)
    assert all(f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1))
    for n in range(1, 61):
        assert sum(bool(re.search(rf"Thing number {n}\n", page)) for page in pages) == 1


def test_the_totals_stay_together_wherever_the_page_ends() -> None:
    """Twelve lengths in a row: among them are pages that end just before, within and after the totals."""
    lengths = set()
    for count in range(10, 22):
        lines = [(f"Thing {n}", "1", "10", "S", 1900, 0, "") for n in range(count)]
        pages = page_texts(render_invoice_pdf(invoice(lines=lines)))
        lengths.add(len(pages))
        holding = [
            page for page in pages if "Net total" in page or "Total due" in page or "BYLADEM1001" in page
        ]
        assert len(holding) == 1, f"{count} lines tear the totals apart"
    assert lengths == {1, 2}


def test_a_row_is_never_torn_unless_it_is_taller_than_a_page() -> None:
    rows = [
        (f"Head {n}\n" + "detail\n" * (n % 5) + f"Tail {n}.", "1", "10", "S", 1900, 0, "")
        for n in range(1, 41)
    ]
    for page in page_texts(render_invoice_pdf(invoice(lines=rows))):
        assert set(re.findall(r"Head (\d+)", page)) == set(re.findall(r"Tail (\d+)\.", page))
    giant = render_invoice_pdf(invoice(lines=[("detail\n" * 200 + "The end.", "1", "10", "S", 1900, 0, "")]))
    assert "The end." in text_of(giant)
    assert all(height > 0 for page in _pages(giant) for _, height, _ in page), "nothing falls off the paper"


def test_a_tall_letterhead_pushes_the_address_down_instead_of_meeting_it() -> None:
    seller = Party(name="Seller", address_lines=tuple(f"Street {n}" for n in range(14)), tax_id="DE123456789")
    tall = render_invoice_pdf(dataclasses.replace(invoice(), seller=seller))
    assert height_of("Hotel Zur Post AG", tall) < height_of("Street 13", tall) - 10


def test_a_long_address_pushes_the_title_down_instead_of_meeting_it() -> None:
    short, long = (
        dataclasses.replace(
            invoice(), buyer=Party(name="Buyer", address_lines=tuple(f"Line {n}" for n in range(rows)))
        )
        for rows in (3, 12)
    )
    title_of = {
        doc: height_of("Invoice 2026-0042", render_invoice_pdf(doc), size_min=15) for doc in (short, long)
    }
    assert title_of[long] < title_of[short] - 50
    assert title_of[long] < height_of("Line 11", render_invoice_pdf(long)) - 10


@pytest.mark.parametrize(
    ("currency", "expected"), [("JPY", "¥11,900"), ("KWD", "KWD\u00a011.900"), ("CLF", "CLF\u00a01.1900")]
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, expected: str) -> None:
    exponent = {"JPY": 0, "KWD": 3, "CLF": 4}[currency]
    price = str(Decimal(10_000).scaleb(-exponent))
    document = invoice(
        lines=[("A thing", "1", price, "S", 1900, 0, "")], currency=currency, exponent=exponent
    )
    assert expected in text_of(render_invoice_pdf(document))


def test_a_document_that_does_not_add_up_is_never_printed() -> None:
    for wrong in ({"net_minor": 1}, {"tax_minor": 1}, {"gross_minor": 1}):
        with pytest.raises(AssertionError, match="add up"):
            render_invoice_pdf(dataclasses.replace(invoice(), **wrong))


# Making and reading.

LINES = [
    ("Design of the booking flow\nthree rounds of feedback", "19.5", "120", "S", 1900, 1000, "h"),
    ("Menu cards", "250", "1.1875", "S", 700, 0, "pcs"),
    ("Photography", "1", "250", "S", 1900, 0, ""),
    ("Advice to your office in Vienna", "1", "17.38", "AE", 0, 0, ""),
]


def invoice(
    lines: list[tuple[str, str, str, str, int, int, str]] = LINES,
    *,
    currency: str = "EUR",
    exponent: int = 2,
    changes: tuple[Change, ...] = (),
    prices_include_tax: bool = False,
) -> InvoiceDocument:
    charged = [
        Line(
            description=description,
            quantity=Decimal(quantity),
            unit_price=Decimal(price),
            tax_category=category,
            rate_bp=rate_bp,
            change=Change(kind="discount", percent_bp=discount_bp) if discount_bp else None,
        )
        for description, quantity, price, category, rate_bp, discount_bp, _ in lines
    ]
    totals = compute_totals(
        charged, exponent=exponent, changes=changes, prices_include_tax=prices_include_tax
    )
    line_changes = totals.line_changes or (None,) * len(lines)
    amounts = zip(totals.line_nets_minor, totals.line_taxes_minor, line_changes, strict=True)
    printed = tuple(
        PrintedLine(
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            tax_category=line.tax_category,
            rate_bp=line.rate_bp,
            net_minor=net,
            tax_minor=tax,
            unit=row[6],
            change=change,
        )
        for line, (net, tax, change), row in zip(charged, amounts, lines, strict=True)
    )
    return InvoiceDocument(
        number="2026-0042",
        issue_date=dt.date(2026, 3, 1),
        due_date=dt.date(2026, 3, 15),
        supply_date=dt.date(2026, 2, 27),
        seller=Party(
            name="Nordlicht Studio GmbH",
            address_lines=("Lindenstraße 12", "20099 Hamburg"),
            tax_id="DE123456789",
            email="hello@nordlicht.example",
        ),
        buyer=Party(
            name="Hotel Zur Post AG", address_lines=("Marktplatz 3", "80331 München"), tax_id="DE987654321"
        ),
        bank=BankAccount(holder="Nordlicht Studio GmbH", iban="DE02120300000000202051", bic="BYLADEM1001"),
        currency=currency,
        lines=printed,
        tax_groups=totals.groups,
        changes=totals.changes,
        prices_include_tax=prices_include_tax,
        net_minor=totals.net_minor,
        tax_minor=totals.tax_minor,
        gross_minor=totals.gross_minor,
        order_reference="PO-77120",
        notes="Thank you.",
    )


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    return "\n".join(page_texts(pdf))


def page_texts(pdf: bytes) -> list[str]:
    return ["\n".join(text for text, _, _ in rows) for rows in _pages(pdf)]


def height_of(text: str, pdf: bytes, *, size_min: float = 0) -> float:
    """Return how high above the foot of the first page the text stands, in points."""
    return next(y for found, y, size in _pages(pdf)[0] if text in found and size >= size_min)


def _pages(pdf: bytes) -> list[list[tuple[str, float, float]]]:
    """Return each page's runs of text as a reader would copy them, with their height and size."""
    with opened(pdf) as file:
        return [_runs(page) for page in file.pages]


def _runs(page: Any) -> list[tuple[str, float, float]]:
    maps = {str(name): _unicode_map(font) for name, font in page.Resources.Font.items()}
    matrix, stack = pikepdf.Matrix(), []
    runs: list[tuple[str, float, float]] = []
    font, size, row = "", 0.0, pikepdf.Matrix()
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "q":
                stack.append(matrix)
            case "Q":
                matrix = stack.pop()
            case "cm":
                matrix = pikepdf.Matrix(*map(float, operands)) @ matrix
            case "Tf":
                font, size = str(operands[0]), float(operands[1])
            case "Tm":
                row = pikepdf.Matrix(*map(float, operands)) @ matrix
            case "Tj" | "TJ":
                parts = operands[0] if str(operator) == "TJ" else [operands[0]]
                glyphs = b"".join(bytes(part) for part in parts if isinstance(part, pikepdf.String))
                codes = [glyphs[i : i + 2].hex().upper() for i in range(0, len(glyphs), 2)]
                text = "".join(maps[font][code] for code in codes)
                if runs and runs[-1][1] == row.f and not text.startswith("\n"):
                    runs[-1] = (runs[-1][0] + text, row.f, size)
                else:
                    runs.append((text, row.f, size))
    return runs


def _unicode_map(font: Any) -> dict[str, str]:
    table = font.ToUnicode.read_bytes().decode("ascii")
    return {
        code.upper(): bytes.fromhex(text).decode("utf-16-be")
        for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.S)
        for code, text in re.findall(r"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>", block)
    }
