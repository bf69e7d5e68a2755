"""The service that knows which tax rates hold in a country: one question, one answer.

Any program can be one: `GET {tax.rates_url}/DE?on=2026-01-31` answers `{"rates": [{"name": "standard", "percent": "19"}]}`,
percentages as text, without a float's digits. Country and day are all it is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import msgspec

from shipworthy.kernel.egress import Egress, ProviderFailed
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.money.parse import parse_rate_bp
from shipworthy.rooms.invoicing.asking import NoAnswer

_COUNTRY = re.compile(r"[A-Z]{2}")
_RATES_MAX = 20
_NAME_CHARS_MAX = 60


@dataclass(frozen=True, slots=True)
class ToldRate:
    """A rate as the service names it. Units: basis points."""

    name: str
    rate_bp: int


class _Rate(msgspec.Struct):
    percent: str
    name: str = ""


class _Answer(msgspec.Struct):
    rates: list[_Rate]


async def ask_rates(egress: Egress, url: str, country: str, on: date) -> tuple[ToldRate, ...]:
    """Return the rates above nothing that hold in a country on a day, the highest first. Errors: NoAnswer."""
    assert _COUNTRY.fullmatch(country), "only a country is asked about"
    try:
        answer = await egress.get(f"{url.rstrip('/')}/{country}?on={on.isoformat()}")
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        told = msgspec.json.decode(answer.body, type=_Answer).rates
        if not 0 < len(told) <= _RATES_MAX:
            raise NoAnswer(f"{len(told)} rates")
        rates = [ToldRate(" ".join(r.name.split())[:_NAME_CHARS_MAX], parse_rate_bp(r.percent)) for r in told]
    except ProviderFailed as failed:
        raise NoAnswer(str(failed)) from failed
    except msgspec.MsgspecError as garbled:
        raise NoAnswer(f"{type(garbled).__name__}: {garbled}") from garbled
    except Invalid as wrong:
        raise NoAnswer(wrong.message) from wrong
    return tuple(sorted((r for r in rates if r.rate_bp), key=lambda r: (-r.rate_bp, r.name)))
