"""Customers: who is invoiced."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.language import LOCALES, _
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.parties import read_party
from shipworthy.rooms.invoicing.pricing.rounding import RULES
from shipworthy.rooms.invoicing.tax_ids.proof import want_proof

NAME_CHARS_MAX = 200
_CHARS_MAX = {
    "name": NAME_CHARS_MAX,
    "email": 254,
    "tax_id": 32,
    "street": 200,
    "postal_code": 20,
    "city": 100,
    "country": 2,
    "buyer_reference": 60,
    "rounding": 10,
    "language": 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerText:
    """A customer as it was written. `country` is ISO 3166-1 alpha-2; `buyer_reference` is what they want to read.

    `rounding` is how amounts due from them are rounded (`pricing/rounding.py`); empty: as the seller says.
    `language` is that of their documents and mails; empty: that of their country.
    """

    name: str
    email: str = ""
    tax_id: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    buyer_reference: str = ""
    rounding: str = ""
    language: str = ""


async def create_customer(ctx: Ctx, text: CustomerText) -> dict[str, Any]:
    """Write a new customer down and return it. Errors: Invalid, naming every wrong field."""
    customer = {"customer_id": ctx.new_id(), **check_customer(text)}
    await ctx.db.run(q.customer_create, now=ctx.now(), **customer)
    await record(ctx, "customer.created", of="customer", id=customer["customer_id"])
    await want_proof(ctx, text.tax_id)
    return customer


async def edit_customer(ctx: Ctx, customer_id: uuid.UUID, text: CustomerText) -> dict[str, Any]:
    """Replace what is known of a customer and return it; what was issued to them before stays as it was.

    Errors:  Missing; Invalid, naming every wrong field.
    """
    customer = {"customer_id": customer_id, **check_customer(text)}
    if not await ctx.db.maybe(q.customer_edit, **customer):
        raise Missing("customer")
    await record(ctx, "customer.edited", of="customer", id=customer_id)
    await want_proof(ctx, text.tax_id)
    return customer


async def get_customer(ctx: Ctx, customer_id: uuid.UUID) -> dict[str, Any]:
    """Return a customer of this tenant. Errors: Missing."""
    row = await ctx.db.maybe(q.customer_get, customer_id=customer_id)
    if row is None:
        raise Missing("customer")
    return dict(row)


def check_customer(text: CustomerText) -> dict[str, str]:
    """Return what is written down of a customer. Errors: Invalid, naming every wrong field."""
    wrong: dict[str, str] = {}
    clean = read_party(text, chars_max=_CHARS_MAX, needed=("name",), wrong=wrong)
    if clean["rounding"] not in ("", *RULES):
        wrong.setdefault("rounding", _("Choose one of the rules."))
    if clean["language"] not in ("", *LOCALES):
        wrong.setdefault("language", _("Choose one of the languages."))
    if wrong:
        named = ", ".join(wrong)
        raise Invalid(
            "invoicing.customer_invalid",
            _("Some fields need another value: {fields}.", fields=named),
            fields=wrong,
        )
    return clean
