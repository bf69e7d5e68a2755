"""Electronic invoices for tests and the proof: random ones, others' files, and the rules of the norm.

The oracle knows fractions only; our engine knows integers and decimals.
"""

from __future__ import annotations

import os
import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from saxonche import PySaxonProcessor

from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.rooms.invoicing.invoice import Invoice, InvoiceLine
from shipworthy.rooms.invoicing.pricing.changes import Change
from shipworthy.rooms.invoicing.tax import Line, compute_totals
from shipworthy.rooms.invoicing.units import NO_UNIT, UNITS

SELLER = {
    "name": "Nordlicht Studio GmbH & Co. <KG>",
    "street": "Lindenstraße 12",
    "postal_code": "20099",
    "city": "Hamburg",
    "country": "DE",
    "vat_id": "DE123456789",
    "tax_number": "22/345/67890",
    "registration_id": "HRB 12345",
    "contact_name": "Ada Winter",
    "email": "invoices@nordlicht.example",
    "phone": "+49 40 1234567",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "bank_name": "",
}
BUYER = {
    "name": "Hôtel « Żółw » ]]> & Söhne",
    "email": "rechnung@hotel.example",
    "tax_id": "FR12345678901",
    "street": "1 rue d'Été",
    "postal_code": "75001",
    "city": "Paris",
    "country": "FR",
    "buyer_reference": "04011000-12345-34",
}
# Texts that have broken writers of XML, of typst, and of bidirectional paper.
TEXTS = (
    "Concept & wireframes",
    "<script>alert(1)</script>",
    "]]> <![CDATA[ &amp; &#0; &lol;",
    '#eval("1 + 1") $x$ *bold* @ref \\ `raw`',
    "שלום world \N{RIGHT-TO-LEFT OVERRIDE}abc",
    "Two lines\nand \t a tab",
    "=HYPERLINK(1)",
    "Zero\N{ZERO WIDTH SPACE}width",
    "x" * 1000,
)
_RATES = ((1900, "S"), (700, "S"), (550, "S"), (2100, "S"), (0, "Z"), (0, "E"))
_ALONE = ("AE", "K", "G", "O")


def random_invoice(seed: int) -> Invoice:
    """Return an issued invoice that the seed decides: any currency EN 16931 carries, negative lines,
    many rates, discounts and charges on lines and on the whole, prices with tax, amounts due in coins, units; every
    seventh is a credit note."""
    chance = Random(seed)
    currency = CURRENCIES[chance.choice(["EUR", "EUR", "USD", "SEK", "JPY", "CHF", "HUF"])]
    alone = chance.choice(_ALONE) if seed % 5 == 0 else None
    lines = [_line(chance, alone) for _ in range(chance.choice([1, 2, 3, 8, 25]))]
    includes_tax = chance.random() < 0.3
    changes = [_change(chance) for _ in range(chance.choice([0, 0, 1, 2]))] if _asks(lines) else []
    step = chance.choice([1, 1, 5, 50, 100])
    totals = compute_totals(
        lines,
        exponent=currency.exponent,
        changes=changes,
        prices_include_tax=includes_tax,
        rounding_step_minor=step,
    )
    issued = date(2026, 1, 1) + timedelta(days=chance.randrange(365))
    return Invoice(
        invoice_id=uuid.UUID(int=seed),
        kind="credit_note" if seed % 7 == 0 else "invoice",
        credits_number="2025-00042" if seed % 7 == 0 else None,
        credits_issue_date=date(2025, 12, 30) if seed % 7 == 0 else None,
        customer_id=uuid.UUID(int=1),
        customer_name=BUYER["name"],
        status="open",
        version=2,
        number=f"2026-{seed:05d}",
        currency=currency.code,
        exponent=currency.exponent,
        issue_date=issued,
        due_date=issued + timedelta(days=14),
        payment_days=14,
        supply_date=issued if alone == "K" or chance.random() < 0.5 else None,
        note=chance.choice(["", *TEXTS[:5]]),
        prices_include_tax=includes_tax,
        changes=totals.changes,
        net_minor=totals.net_minor,
        tax_minor=totals.tax_minor,
        gross_minor=totals.gross_minor,
        rounding_step_minor=step,
        rounding_minor=totals.rounding_minor,
        lines=tuple(
            InvoiceLine(
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                tax_category=line.tax_category,
                tax_rate_bp=line.rate_bp,
                net_minor=net,
                tax_minor=tax,
                change=change,
                unit=line.unit,
            )
            for line, net, tax, change in zip(
                lines,
                totals.line_nets_minor,
                totals.line_taxes_minor,
                totals.line_changes or (None,) * len(lines),
                strict=True,
            )
        ),
        taxes=totals.groups,
        seller=SELLER,
        buyer=BUYER,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        issued_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _line(chance: Random, alone: str | None) -> Line:
    rate_bp, category = (0, alone) if alone else chance.choice(_RATES)
    quantity = Decimal(chance.choice([1, 3, 12, 250, 1_000_000])) / chance.choice([1, 1, 4, 1000])
    if chance.random() < 0.05:
        quantity = -quantity
    price = Decimal(chance.randrange(10**6)).scaleb(-chance.choice([0, 2, 2, 4, 6]))
    return Line(
        description=chance.choice(TEXTS),
        quantity=quantity,
        unit_price=price,
        tax_category=category,
        rate_bp=rate_bp,
        unit=chance.choice([NO_UNIT, "HUR", *UNITS]),
        change=_change(chance) if quantity * price > 10 and chance.random() < 0.3 else None,
    )


def _change(chance: Random) -> Change:
    """A discount of at most nine tenths, or a charge; every other without a reason."""
    kind = chance.choice(["discount", "charge"])
    reason = chance.choice(["", chance.choice(TEXTS[:6])])
    if kind == "charge" and chance.random() < 0.5:
        return Change(kind="charge", reason=reason, amount_minor=chance.randrange(1, 10**6))
    return Change(
        kind=kind, reason=reason, percent_bp=chance.choice([1000, 333, 1250, chance.randrange(1, 4500)])
    )


def _asks(lines: list[Line]) -> bool:
    """Whether every tax group comes to more than a few units, so that something can be taken off or put on."""
    sums: dict[tuple[str, int], Decimal] = {}
    for line in lines:
        sums[line.group] = sums.get(line.group, Decimal(0)) + line.quantity * line.unit_price / 2
    return min(sums.values()) > 10


def expected_totals(invoice: Invoice) -> tuple[int, int, int, int]:
    """Return net, tax, gross and what is due in minor units, by fractions alone: lines rounded, taxed once per rate, summed.

    What a change was agreed to be is computed anew; for a spread amount, that nothing of it is lost.
    """
    sums: dict[tuple[str, int], int] = {}
    for line in invoice.lines:
        exact = Fraction(str(line.quantity)) * Fraction(str(line.unit_price)) * 10**invoice.exponent
        amount = _half_up(exact)
        if line.change:
            sign = 1 if line.change.kind == "charge" else -1
            share, fixed = line.change.percent_bp, line.change.amount_minor
            amount += sign * (fixed if share is None else _half_up(Fraction(amount * share, 10_000)))
        key = (line.tax_category, line.tax_rate_bp)
        sums[key] = sums.get(key, 0) + amount
    amounts = dict(sums)
    for change in invoice.changes:
        agreed, sign = change.change, 1 if change.change.kind == "charge" else -1
        parts = {(p.tax_category, p.tax_rate_bp): p.amount_minor for p in change.parts}
        if agreed.percent_bp is not None:
            parts = {key: _half_up(Fraction(sums[key] * agreed.percent_bp, 10_000)) for key in parts}
        elif sum(parts.values()) != agreed.amount_minor:
            return 0, 0, 0, 0
        for key, part in parts.items():
            amounts[key] = amounts.get(key, 0) + sign * part
    if invoice.prices_include_tax:
        taxes = {key: _half_up(Fraction(a * key[1], 10_000 + key[1])) for key, a in amounts.items()}
        gross, tax = sum(amounts.values()), sum(taxes.values())
    else:
        taxes = {key: _half_up(Fraction(a * key[1], 10_000)) for key, a in amounts.items()}
        gross, tax = sum(amounts.values()) + sum(taxes.values()), sum(taxes.values())
    due = _half_up(Fraction(gross, invoice.rounding_step_minor)) * invoice.rounding_step_minor
    return gross - tax, tax, gross, due


def _half_up(exact: Fraction) -> int:
    sign = -1 if exact < 0 else 1
    return sign * int(abs(exact) + Fraction(1, 2))


DATA = Path(os.environ.get("SHIPWORTHY_TEST_DATA", "../shared/data"))


def others_invoices() -> dict[str, list[Path]]:
    """Return the example files of the norm and the technical cases of XRechnung, where they are at hand."""
    folders = {
        "examples": [DATA / "en16931" / "ubl" / "examples", DATA / "en16931" / "cii" / "examples"],
        "technical_cases": [DATA / "xrechnung"],
    }
    return {
        name: sorted(p for folder in found for p in folder.rglob("*") if p.suffix.lower() == ".xml")
        for name, found in folders.items()
    }


class Rules:
    """The official rules of EN 16931, compiled once: XSLT that names every rule a file breaks."""

    def __init__(self) -> None:
        self._saxon = PySaxonProcessor(license=False)
        compiler = self._saxon.new_xslt30_processor()
        self._rules = {
            syntax: compiler.compile_stylesheet(
                stylesheet_file=str(
                    DATA / "en16931" / syntax / "xslt" / f"EN16931-{syntax.upper()}-validation.xslt"
                )
            )
            for syntax in ("ubl", "cii")
        }

    def broken_by(self, xml: bytes) -> list[str]:
        """Return the rules that a file breaks, as their names."""
        syntax = "cii" if b"CrossIndustryInvoice" in xml[:400] else "ubl"
        report = self._rules[syntax].transform_to_string(
            xdm_node=self._saxon.parse_xml(xml_text=xml.decode())
        )
        assert "schematron-output" in report
        return re.findall(r'<svrl:failed-assert[^>]*?\bid="([^"]+)"', report)


def needs_rules() -> None:
    """Skip a test where the rules are not at hand."""
    if not (DATA / "en16931").is_dir():
        pytest.skip(f"the rules of EN 16931 are not at {DATA}; set SHIPWORTHY_TEST_DATA")
