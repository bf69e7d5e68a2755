"""What the printed invoice says, finished: every amount counted, every party frozen. Knows no layout and no file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from shipworthy.kernel.language import Locale
from shipworthy.rooms.invoicing.pricing.changes import DocumentChange, LineChange
from shipworthy.rooms.invoicing.tax import TaxGroup
from shipworthy.rooms.invoicing.units import NO_UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller or buyer, as on the day of issue. `address_lines` ends with the country, if shown."""

    name: str
    address_lines: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """Where the money goes."""

    holder: str
    iban: str
    bic: str = ""
    bank_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLine:
    """A line as it was charged. Units: price in major units, amounts in minor units."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_category: str
    rate_bp: int
    net_minor: int
    tax_minor: int = 0  # printed only with prices that include it
    unit: str = NO_UNIT
    change: LineChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedPart:
    """What stands for the lines of one tax where there are too many to print. Units: minor units."""

    count: int
    tax_category: str
    rate_bp: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """Everything an issued invoice says. Amounts come from `tax.compute_totals`.

    A long one has `parts` instead of `lines`, and its lines in `annex`, a CSV that is attached.
    """

    number: str
    issue_date: dt.date
    due_date: dt.date
    seller: Party
    buyer: Party
    currency: str
    lines: tuple[PrintedLine, ...]
    parts: tuple[PrintedPart, ...] = ()
    annex: bytes = b""
    annex_name: str = ""
    tax_groups: tuple[TaxGroup, ...]
    prices_include_tax: bool = False
    exemptions: tuple[tuple[str, str], ...] = ()  # the tenant's own words, by tax category
    changes: tuple[DocumentChange, ...] = ()
    net_minor: int
    tax_minor: int
    gross_minor: int
    rounding_minor: int = 0
    locale: Locale = "en"
    supply_date: dt.date | None = None
    order_reference: str = ""
    credits: str = ""  # of a credit note: the number of the invoice it takes back
    bank: BankAccount | None = None
    notes: str = ""
    accent: str = ""  # #rrggbb; empty: black
    footer: str = ""
    logo: bytes = b""  # a PNG

    @property
    def payable_minor(self) -> int:
        return self.gross_minor + self.rounding_minor
