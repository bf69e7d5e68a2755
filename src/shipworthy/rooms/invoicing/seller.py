"""The seller: what the tenant says of itself on every invoice it issues from now on.

An issued invoice keeps the copy it was issued with (`finalise.py`); a change here reaches later ones only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.countries import COUNTRIES
from shipworthy.rooms.invoicing.parties import read_party
from shipworthy.rooms.invoicing.pricing.rounding import RULES

_CHARS_MAX = {
    "name": 200,
    "street": 200,
    "postal_code": 20,
    "city": 100,
    "country": 2,
    "vat_id": 32,
    "tax_number": 32,
    "registration_id": 60,
    "contact_name": 100,
    "email": 254,
    "phone": 40,
    "iban": 60,  # people write it in groups; 34 are left of it
    "bic": 20,
    "bank_name": 100,
    "rounding": 10,
}
SELLER_FIELDS = tuple(_CHARS_MAX)
_SPACING = re.compile(r"[\s.\-]")
_VAT_ID = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerText:
    """A seller as it was written. `country` is ISO 3166-1 alpha-2; `rounding` one of `pricing/rounding.py`."""

    name: str
    country: str
    street: str = ""
    postal_code: str = ""
    city: str = ""
    vat_id: str = ""
    tax_number: str = ""
    registration_id: str = ""
    contact_name: str = ""
    email: str = ""
    phone: str = ""
    iban: str = ""
    bic: str = ""
    bank_name: str = ""
    rounding: str = "usual"


async def get_seller(ctx: Ctx) -> dict[str, Any]:
    """Return the seller with every field; a tenant that said nothing yet has its name and country."""
    row = await ctx.db.one(q.seller_profile_get)
    return {field: row[field] for field in SELLER_FIELDS}


async def save_seller(ctx: Ctx, text: SellerText) -> dict[str, str]:
    """Write down who the seller is and return it. Errors: Invalid, naming every wrong field."""
    seller = _check(text)
    await ctx.db.run(q.seller_profile_save, now=ctx.now(), **seller)
    await record(ctx, "seller.saved", of="seller", id=ctx.tenant_id)
    return seller


def _check(text: SellerText) -> dict[str, str]:
    wrong: dict[str, str] = {}
    clean = read_party(text, chars_max=_CHARS_MAX, needed=("name", "country"), wrong=wrong)
    for field in ("vat_id", "iban", "bic"):
        clean[field] = _SPACING.sub("", clean[field]).upper()
    if clean["vat_id"] and not _is_vat_id(clean["vat_id"]):
        wrong.setdefault(
            "vat_id", _("A VAT number begins with the letters of its country, e.g. DE123456789.")
        )
    if clean["iban"] and not _is_iban(clean["iban"]):
        wrong.setdefault("iban", _("This is not an IBAN: its check digits do not fit. Please compare it."))
    if clean["bic"] and not _BIC.fullmatch(clean["bic"]):
        wrong.setdefault("bic", _("A BIC has 8 or 11 letters and digits, e.g. BYLADEM1001."))
    if clean["rounding"] not in RULES:
        wrong.setdefault("rounding", _("Choose one of the rules."))
    if wrong:
        named = ", ".join(wrong)
        raise Invalid(
            "invoicing.seller_invalid",
            _("Some fields need another value: {fields}.", fields=named),
            fields=wrong,
        )
    return clean


def _is_vat_id(text: str) -> bool:
    """Greece writes EL in its VAT numbers, not GR."""
    return bool(_VAT_ID.fullmatch(text)) and (text[:2] == "EL" or text[:2] in COUNTRIES)


def _is_iban(text: str) -> bool:
    """Source:  ISO 13616: the country and check digits moved to the end leave 1 modulo 97."""
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1
