"""The printed invoice: a finished document in, the bytes of a PDF/A-3b out.

Owns: the view handed to the template (every text worded and formatted), and the fonts. Pure: it computes no amount, reads no clock and no database, and writes no file.
The same document gives the same bytes, so a job that runs twice stores one thing.

Safe to call from a thread: the compiler gives the interpreter back while it works.

Refusals: `invoice.pdf_missing_glyphs` when no font at hand can draw a character.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import struct
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import typst

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.fonts import FONTS
from shipworthy.kernel.language import Locale, day_text, speaking
from shipworthy.kernel.money.currencies import currency_of
from shipworthy.kernel.money.format import AmountStyle, format_amount, format_decimal, format_rate
from shipworthy.rooms.invoicing.einvoice.facturx import mark_as_facturx
from shipworthy.rooms.invoicing.printing.paper import InvoiceDocument, Party, PrintedLine, PrintedPart
from shipworthy.rooms.invoicing.printing.scripts import fonts_for
from shipworthy.rooms.invoicing.units import with_unit
from shipworthy.rooms.invoicing.wording import Wording, change_label, wording


def render_invoice_pdf(
    document: InvoiceDocument, *, einvoice: bytes | None = None, font_dirs: Sequence[Path] = ()
) -> bytes:
    """Return the invoice as PDF/A-3b and PDF/UA-1: archivable, fonts embedded, readable aloud.

    With `einvoice`, its CII, it is a Factur-X: the XML is attached and the metadata say so.
    The bytes depend on these two alone. Texts are printed as they are, whatever markup
    they look like. `font_dirs` adds fonts for scripts beyond Latin, Greek, Cyrillic and Hebrew.

    Errors:  `invoice.pdf_missing_glyphs`, naming the characters and the fix;
             NotADirectoryError for a font folder that does not exist.
    Cost:    about 55 ms of CPU for 20 lines and 1 s for 1000; 85 MB resident, 215 MB for 1000. An annex adds
             what its bytes take to be compressed.
    """
    changed = sum(change.sign * part.net_minor for change in document.changes for part in change.parts)
    lines_net = sum(line.net_minor for line in document.lines)
    lines_net += sum(part.net_minor for part in document.parts)
    assert document.net_minor == lines_net + changed, "the lines do not add up"
    assert document.tax_minor == sum(group.tax_minor for group in document.tax_groups), (
        "the tax does not add up"
    )
    assert document.gross_minor == document.net_minor + document.tax_minor, "net and tax do not add up"
    view = json.dumps(_view(document), ensure_ascii=False)
    midnight = dt.datetime.combine(document.issue_date, dt.time(), tzinfo=dt.UTC)
    try:
        pdf: bytes = _compile(
            view,
            einvoice,
            font_dirs,
            annex=document.annex,
            format="pdf",
            pdf_standards=["a-3b", "ua-1"],
            timestamp=midnight,
        )
    except typst.TypstError as error:
        _refuse_missing_glyphs(error, document.number)
        raise
    return mark_as_facturx(pdf) if einvoice else pdf


def render_invoice_picture(document: InvoiceDocument, *, font_dirs: Sequence[Path] = ()) -> bytes:
    """Return the first page as PNG, for a screen. Characters that no font draws are left out there."""
    view = json.dumps(_view(document), ensure_ascii=False)
    made = _compile(view, None, font_dirs, format="png", ppi=110)
    first: bytes = made if isinstance(made, bytes) else made[0]
    return first


def _compile(
    view: str, einvoice: bytes | None, font_dirs: Sequence[Path], *, annex: bytes = b"", **wanted: Any
) -> Any:
    return typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        font_paths=_fonts(tuple(font_dirs)),
        ignore_system_fonts=True,
        sys_inputs={
            "document": view,
            "einvoice": einvoice.decode() if einvoice else "",
            "annex": annex.decode(),
        },
        **wanted,
    )


_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "templates" / "invoice.typ"
_LOGO_MM = (50, 16)
_FOOTER_LINE_CHARS = 90  # of the widest letters fewer fit, of most a third more


@cache
def _fonts(extra_dirs: tuple[Path, ...]) -> typst.Fonts:
    """Our fonts and the compiler's own, never the machine's: paper must look the same anywhere."""
    for folder in extra_dirs:
        if not folder.is_dir():
            raise NotADirectoryError(f"There is no font folder {folder}.")
    return typst.Fonts(include_system_fonts=False, font_paths=[FONTS, *extra_dirs])


def warm_up() -> None:
    """Read our fonts: the first document of a process would pay for it."""
    _fonts(())


def _view(document: InvoiceDocument) -> dict[str, Any]:
    """Return what the template prints: texts only, worded and formatted."""
    words, locale = wording(document.locale), document.locale
    title = f"{words.credit_note if document.credits else words.invoice} {document.number}"
    issued = document.issue_date
    return {
        "title": title,
        "locale": locale,
        "date": {"year": issued.year, "month": issued.month, "day": issued.day},
        "labels": {
            "columns": [
                words.position,
                words.description,
                words.quantity,
                words.unit_price,
                words.tax,
                f"{words.amount} {document.currency}",
            ],
            "total_due": words.total_credited if document.credits else words.total_due,
            "payment": words.payment,
            "annex": words.annex,
            "page": words.page,
            "of": words.of,
        },
        "seller": _seller(document.seller),
        "buyer": {"name": document.buyer.name, "lines": list(document.buyer.address_lines)},
        "summary": _summary(document, words),
        "facts": _facts(document, words),
        "lines": [_part(part, document, words) for part in document.parts]
        or [_line(line, position, document, words) for position, line in enumerate(document.lines, 1)],
        "annex": document.annex_name,
        "totals": _totals(document, words),
        "due": _amount(document.payable_minor, document, style="symbol"),
        "payment": _payment(document, words),
        "remarks": _remarks(document, words),
        "accent": document.accent,
        "footer": _footer(document.footer),
        "logo": _logo(document.logo),
        "foot": [part for part in (document.seller.name, _tax_id(document.seller, words)) if part],
    }


def _seller(seller: Party) -> dict[str, Any]:
    reach = (seller.email, seller.phone, seller.website)
    return {
        "name": seller.name,
        "lines": [*seller.address_lines, *(way for way in reach if way)],
        "sender": " · ".join((seller.name, *seller.address_lines)) if seller.address_lines else "",
    }


def _footer(text: str) -> dict[str, Any]:
    """The lines, and how many there are once the long ones are broken: so much room they need."""
    lines = text.strip().splitlines()
    return {"lines": lines, "rows": sum(1 + len(line) // _FOOTER_LINE_CHARS for line in lines)}


def _logo(logo: bytes) -> dict[str, Any]:
    """The bytes as numbers, for the template takes only text; the size fits the letterhead, in mm."""
    if not logo:
        return {"bytes": [], "width": 0, "height": 0}
    width, height = struct.unpack(">II", logo[16:24])  # a PNG begins with its size (ISO 15948, 11.2.2)
    scale = min(_LOGO_MM[0] / width, _LOGO_MM[1] / height)
    return {"bytes": list(logo), "width": width * scale, "height": height * scale}


def _summary(document: InvoiceDocument, words: Wording) -> str:
    if document.payable_minor == 0:
        return words.nothing_due
    amount = _amount(abs(document.payable_minor), document, style="symbol")
    is_owed = document.payable_minor > 0 and not document.credits
    pattern = words.amount_due if is_owed else words.in_your_favour
    return pattern.format(amount=amount, date=_date(document.due_date, document.locale))


def _facts(document: InvoiceDocument, words: Wording) -> list[tuple[str, str]]:
    facts = [
        (words.credit_note_number if document.credits else words.invoice_number, document.number),
        (words.credited_invoice, document.credits),
        (words.issue_date, _date(document.issue_date, document.locale)),
        (words.supply_date, _date(document.supply_date, document.locale) if document.supply_date else ""),
        (words.due_date, "" if document.credits else _date(document.due_date, document.locale)),
        (words.order_reference, document.order_reference),
        (words.buyer_id, document.buyer.tax_id),
    ]
    return [(name, value) for name, value in facts if value]


def _line(line: PrintedLine, position: int, document: InvoiceDocument, words: Wording) -> dict[str, Any]:
    locale, exponent = document.locale, currency_of(document.currency).exponent
    description, *details = line.description.strip().splitlines() or [""]
    quantity = with_unit(format_decimal(line.quantity, locale=locale), line.unit, locale=locale)
    if line.change:
        label = change_label(line.change, locale=locale)
        details.append(f"{label}: {_amount(line.change.signed_minor, document)}")
    amount_minor = line.net_minor + (line.tax_minor if document.prices_include_tax else 0)
    return {
        "position": str(position),
        "description": description,
        "details": details,
        # A row stays on one page, unless it might be taller than one.
        "is_long": len(line.description) > 1000 or len(details) > 15,
        "quantity": quantity,
        "unit_price": format_decimal(line.unit_price, locale=locale, decimals_min=exponent),
        "tax": _rate(line, document),
        "amount": _amount(amount_minor, document),
    }


def _part(part: PrintedPart, document: InvoiceDocument, words: Wording) -> dict[str, Any]:
    """The lines of one tax, as one."""
    count = format_decimal(Decimal(part.count), locale=document.locale)
    amount_minor = part.net_minor + (part.tax_minor if document.prices_include_tax else 0)
    return {
        "position": "",
        "description": words.lines_in_annex.format(count=count),
        "details": [],
        "is_long": False,
        "quantity": "",
        "unit_price": "",
        "tax": _rate(part, document),
        "amount": _amount(amount_minor, document),
    }


def _rate(line: PrintedLine | PrintedPart, document: InvoiceDocument) -> str:
    return "\N{EN DASH}" if line.tax_category == "O" else format_rate(line.rate_bp, locale=document.locale)


def _totals(document: InvoiceDocument, words: Wording) -> list[tuple[str, str]]:
    rows = [(words.net_total, _amount(document.net_minor, document))]
    for group in document.tax_groups:
        rate = format_rate(group.rate_bp, locale=document.locale)
        pattern = words.group_names.get(group.category, words.taxed_group)
        base = _amount(group.base_minor, document)
        rows.append((pattern.format(rate=rate, base=base), _amount(group.tax_minor, document)))
    if document.prices_include_tax:
        rows = [(words.of_which.format(what=what), amount) for what, amount in rows]
    if document.rounding_minor:
        rows.append((words.gross_total, _amount(document.gross_minor, document)))
        rows.append((words.rounding, _amount(document.rounding_minor, document)))
    return [*_changes(document, words), *rows]


def _changes(document: InvoiceDocument, words: Wording) -> list[tuple[str, str]]:
    """What the lines come to and what is taken off or added, in the terms of the prices."""
    if not document.changes:
        return []
    changed = [(change, change.sign * change.amount_minor) for change in document.changes]
    if document.prices_include_tax:
        label, whole = words.lines_total_with_tax, document.gross_minor
    else:
        label, whole = words.lines_total, document.net_minor
    lines_minor = whole - sum(amount_minor for _, amount_minor in changed)
    return [
        (label, _amount(lines_minor, document)),
        *(
            (change_label(change.change, locale=document.locale), _amount(minor, document))
            for change, minor in changed
        ),
    ]


def _payment(document: InvoiceDocument, words: Wording) -> list[tuple[str, str]]:
    bank = document.bank
    if bank is None or document.payable_minor <= 0 or document.credits:
        return []
    iban = re.sub(r"(.{4})(?=.)", "\\1\N{NO-BREAK SPACE}", re.sub(r"\s", "", bank.iban))
    facts = [
        (words.account_holder, bank.holder),
        ("IBAN", iban),
        ("BIC", bank.bic),
        (words.bank, bank.bank_name),
        (words.payment_reference, document.number),
    ]
    return [(name, value) for name, value in facts if value]


def _remarks(document: InvoiceDocument, words: Wording) -> list[tuple[str, str]]:
    categories = dict.fromkeys(group.category for group in document.tax_groups)
    legal = {**words.legal, **dict(document.exemptions)}
    remarks = [("", legal[category]) for category in categories if category in legal]
    if document.prices_include_tax:
        remarks.insert(0, ("", words.prices_include_tax))
    if document.annex_name:
        remarks.insert(0, (words.annex, words.annex_said.format(file=document.annex_name)))
    if document.notes.strip():
        remarks.append((words.notes, document.notes.strip()))
    return remarks


def _tax_id(party: Party, words: Wording) -> str:
    if not party.tax_id:
        return ""
    return f"{words.vat_id if party.tax_id[:2].isalpha() else words.tax_number} {party.tax_id}"


def _amount(amount_minor: int, document: InvoiceDocument, *, style: AmountStyle = "bare") -> str:
    return format_amount(amount_minor, currency=document.currency, locale=document.locale, style=style)


def _date(day: dt.date, locale: Locale) -> str:
    with speaking(locale):
        return day_text(day, is_long=True)


_UNDRAWABLE = re.compile(r"the text `\"(.+?)\"` could not be displayed")


def _refuse_missing_glyphs(error: typst.TypstError, number: str) -> None:
    """Turn the compiler's refusal to print empty boxes into one that names the characters."""
    undrawable = "".join(dict.fromkeys(_UNDRAWABLE.findall(error.diagnostic)))
    text = re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), undrawable)
    if not text:
        return
    shown = ", ".join(_name(character) for character in list(dict.fromkeys(text))[:8])
    named = " and ".join(f"{font} (for {writing})" for writing, font in fonts_for(text)[:4])
    fonts = f"put {named} into a folder" if named else "put a font that has them into a folder"
    raise Invalid(
        "invoice.pdf_missing_glyphs",
        f"Invoice {number} cannot be printed: no font at hand draws {shown}. "
        f"Replace the characters, or {fonts} that pdf.font_dirs in app.toml names.",
    ) from error


def _name(character: str) -> str:
    visible = f"{character} " if character.isprintable() else ""
    return f"{visible}(U+{ord(character):04X} {unicodedata.name(character, 'unnamed')})"
