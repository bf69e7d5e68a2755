"""The service that knows which VAT numbers are given out (VIES, or one that speaks like it): one question, one answer.

The number is the only thing in the address that a tenant chose, and it has been found right in form: letters and digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from shipworthy.kernel.egress import Egress, ProviderFailed
from shipworthy.rooms.invoicing.asking import NoAnswer

_ASKED = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}")
_TEXT_CHARS_MAX = 300


@dataclass(frozen=True, slots=True)
class Told:
    """What the service said. `name` and `address` are what it knows of the business, if it tells."""

    is_valid: bool
    name: str = ""
    address: str = ""


class _Answer(msgspec.Struct, rename="camel"):
    """Source: VIES REST API, `GET /ms/{country}/vat/{number}`."""

    is_valid: bool
    user_error: str = ""
    name: str | None = None
    address: str | None = None


async def ask(egress: Egress, url: str, tax_id: str) -> Told:
    """Ask about a VAT number whose form is right. Errors: NoAnswer."""
    assert _ASKED.fullmatch(tax_id), "only a number whose form is right is asked about"
    try:
        answer = await egress.get(f"{url.rstrip('/')}/ms/{tax_id[:2]}/vat/{tax_id[2:]}")
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        told = msgspec.json.decode(answer.body, type=_Answer)
    except ProviderFailed as failed:
        raise NoAnswer(str(failed)) from failed
    except msgspec.MsgspecError as garbled:
        raise NoAnswer(f"{type(garbled).__name__}: {garbled}") from garbled
    if told.user_error not in ("", "VALID", "INVALID"):  # MS_UNAVAILABLE, TIMEOUT, MS_MAX_CONCURRENT_REQ, …
        raise NoAnswer(told.user_error[:60])
    return Told(told.is_valid, _text(told.name), _text(told.address))


def _text(text: str | None) -> str:
    """VIES writes --- for what a country does not tell."""
    said = " ".join((text or "").split())
    return "" if said.strip("-") == "" else said[:_TEXT_CHARS_MAX]
