"""The tax rates that a tenant begins with, by its country, until it changes its list.

A rate that changed has one row for each time it held. Where it is not known since when, the row begins with 2016:
ten years are as far as a supply may lie back.

Source:  national VAT acts, standard and reduced rates in force in January 2026; the changes of Germany (2020, 2021),
         Switzerland (2018, 2024) and the Netherlands (2019). Exemption codes: VATEX of the EU, as EN 16931 lists them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from shipworthy.kernel.language import mark
from shipworthy.rooms.invoicing.tax import TAXED

_LONG_AGO = date(2016, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A tax rate, under its code, for the days it holds; both days count."""

    tax_rate_id: uuid.UUID
    code: str
    name: str
    tax_category: str
    rate_bp: int
    valid_from: date
    valid_until: date | None = None
    exemption_reason: str = ""
    exemption_code: str = ""

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


_NAMES = {
    "standard": mark("Standard rate"),
    "reduced": mark("Reduced rate"),
    "reduced-2": mark("Second reduced rate"),
    "reduced-3": mark("Third reduced rate"),
}
# Code -> (rate in basis points, from, until) for each time it held.
_Times = tuple[tuple[int, date, date | None], ...]
_COUNTRIES: dict[str, dict[str, _Times]] = {
    "AT": {"standard": ((2000, _LONG_AGO, None),), "reduced": ((1300, _LONG_AGO, None),), "reduced-2": ((1000, _LONG_AGO, None),)},
    "BE": {"standard": ((2100, _LONG_AGO, None),), "reduced": ((1200, _LONG_AGO, None),), "reduced-2": ((600, _LONG_AGO, None),)},
    "CH": {
        "standard": ((770, date(2018, 1, 1), date(2023, 12, 31)), (810, date(2024, 1, 1), None)),
        "reduced": ((370, date(2018, 1, 1), date(2023, 12, 31)), (380, date(2024, 1, 1), None)),
        "reduced-2": ((250, date(2018, 1, 1), date(2023, 12, 31)), (260, date(2024, 1, 1), None)),
    },
    "DE": {
        "standard": (
            (1900, _LONG_AGO, date(2020, 6, 30)),
            (1600, date(2020, 7, 1), date(2020, 12, 31)),
            (1900, date(2021, 1, 1), None),
        ),
        "reduced": (
            (700, _LONG_AGO, date(2020, 6, 30)),
            (500, date(2020, 7, 1), date(2020, 12, 31)),
            (700, date(2021, 1, 1), None),
        ),
    },
    "ES": {"standard": ((2100, _LONG_AGO, None),), "reduced": ((1000, _LONG_AGO, None),), "reduced-2": ((400, _LONG_AGO, None),)},
    "FR": {
        "standard": ((2000, _LONG_AGO, None),),
        "reduced": ((1000, _LONG_AGO, None),),
        "reduced-2": ((550, _LONG_AGO, None),),
        "reduced-3": ((210, _LONG_AGO, None),),
    },
    "GB": {"standard": ((2000, _LONG_AGO, None),), "reduced": ((500, _LONG_AGO, None),)},
    "IT": {
        "standard": ((2200, _LONG_AGO, None),),
        "reduced": ((1000, _LONG_AGO, None),),
        "reduced-2": ((500, _LONG_AGO, None),),
        "reduced-3": ((400, _LONG_AGO, None),),
    },
    "NL": {
        "standard": ((2100, _LONG_AGO, None),),
        "reduced": ((600, _LONG_AGO, date(2018, 12, 31)), (900, date(2019, 1, 1), None)),
    },
}  # fmt: skip
_ELSEWHERE_BP = (2500, 2200, 2000, 1900, 1000, 500)
# Code, name, category, reason, VATEX code.
_UNTAXED = (
    ("zero", mark("Zero rated"), "Z", "", ""),
    ("exempt", mark("Exempt"), "E", "", ""),
    ("reverse-charge", mark("Reverse charge"), "AE", "", "VATEX-EU-AE"),
    ("intra-community", mark("Intra-community supply"), "K", "", "VATEX-EU-IC"),
    ("export", mark("Export"), "G", "", "VATEX-EU-G"),
    ("outside", mark("Not subject to tax"), "O", "", "VATEX-EU-O"),
)


def seeded_rates(country: str, *, tenant_id: uuid.UUID) -> list[Rate]:
    """Return the list a tenant of this country begins with, the standard rate first; the same ids every time."""
    times = _COUNTRIES.get(country) or {
        f"rate-{rate_bp // 100}": ((rate_bp, _LONG_AGO, None),) for rate_bp in _ELSEWHERE_BP
    }
    rates = [
        Rate(
            tax_rate_id=_id(tenant_id, code, since),
            code=code,
            name=_NAMES.get(code, mark("Rate")),
            tax_category=TAXED,
            rate_bp=rate_bp,
            valid_from=since,
            valid_until=until,
        )
        for code, held in times.items()
        for rate_bp, since, until in held
    ]
    return rates + [
        Rate(
            tax_rate_id=_id(tenant_id, code, _LONG_AGO),
            code=code,
            name=name,
            tax_category=category,
            rate_bp=0,
            valid_from=_LONG_AGO,
            exemption_reason=reason,
            exemption_code=vatex,
        )
        for code, name, category, reason, vatex in _UNTAXED
    ]


def _id(tenant_id: uuid.UUID, code: str, since: date) -> uuid.UUID:
    """No two tenants have one id, so that an id of a neighbour is nobody's."""
    return uuid.uuid5(tenant_id, f"tax_rate/{code}/{since.isoformat()}")
