"""Products: written down, changed, put away. A line that was picked is a copy: a later change reaches later lines."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.money.parse import parse_price
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.lines import DESCRIPTION_CHARS_MAX, read_text
from shipworthy.rooms.invoicing.rates.rates import load_rates
from shipworthy.rooms.invoicing.units import NO_UNIT, read_unit

NAME_CHARS_MAX = 200
PRODUCTS_MAX = 500  # that are offered; what is archived does not count


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductText:
    """A product as it was written. `tax_code` is a code of the tenant's tax rates."""

    name: str
    unit_price: str
    currency: str = "EUR"
    tax_code: str = "standard"
    description: str = ""
    unit: str = NO_UNIT


async def create_product(ctx: Ctx, text: ProductText) -> dict[str, Any]:
    """Write a new product down and return it.

    Errors:  Invalid, naming every wrong field; Conflict `invoicing.products_too_many`.
    """
    product = {"product_id": ctx.new_id(), **await _check(ctx, text)}
    if (await ctx.db.one(q.product_count))["products"] >= PRODUCTS_MAX:
        raise _too_many()
    await ctx.db.run(q.product_create, now=ctx.now(), **product)
    await record(ctx, "product.created", of="product", id=product["product_id"])
    return {**product, "archived_at": None}


async def edit_product(ctx: Ctx, product_id: uuid.UUID, text: ProductText) -> dict[str, Any]:
    """Replace what is known of a product and return it; lines written before stay as they were.

    Errors:  Missing; Invalid, naming every wrong field.
    """
    product = {"product_id": product_id, **await _check(ctx, text)}
    row = await ctx.db.maybe(q.product_edit, **product)
    if row is None:
        raise Missing(mark("product"))
    await record(ctx, "product.edited", of="product", id=product_id)
    return {**product, "archived_at": row["archived_at"]}


async def archive_product(ctx: Ctx, product_id: uuid.UUID, *, is_archived: bool) -> dict[str, Any]:
    """Put a product away, so that it is no longer offered, or take it out again. Doing so twice changes nothing.

    Errors:  Missing; Conflict `invoicing.products_too_many`.
    """
    if not is_archived and (await ctx.db.one(q.product_count))["products"] >= PRODUCTS_MAX:
        raise _too_many()
    archived_at = ctx.now() if is_archived else None
    row = await ctx.db.maybe(q.product_archive, product_id=product_id, archived_at=archived_at)
    if row is None:
        raise Missing(mark("product"))
    await record(ctx, "product.archived" if is_archived else "product.restored", of="product", id=product_id)
    return dict(row)


async def get_product(ctx: Ctx, product_id: uuid.UUID) -> dict[str, Any]:
    """Return a product of this tenant. Errors: Missing."""
    row = await ctx.db.maybe(q.product_get, product_id=product_id)
    if row is None:
        raise Missing(mark("product"))
    return dict(row)


async def list_products(ctx: Ctx, *, is_archived: bool = False) -> list[dict[str, Any]]:
    """Return the products that are offered, or those put away, by name. Cost: one query."""
    query = q.product_list_archived if is_archived else q.product_list
    return [dict(row) for row in await ctx.db.all(query)]


async def _check(ctx: Ctx, text: ProductText) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    name = read_text(text.name, "name", wrong, chars_max=NAME_CHARS_MAX, needed=True)
    chars_max = DESCRIPTION_CHARS_MAX - NAME_CHARS_MAX - 1
    description = read_text(text.description, "description", wrong, chars_max=chars_max)
    unit_price = Decimal(0)
    try:
        unit_price = parse_price(text.unit_price, field="unit_price")
    except Invalid as refused:
        wrong["unit_price"] = refused.message
    currency, tax_code = text.currency.strip(), text.tax_code.strip()
    if currency not in CURRENCIES:
        wrong["currency"] = _(
            "There is no currency '{currency}'; write a code such as EUR.", currency=currency[:12]
        )
    if tax_code not in {rate.code for rate in (await load_rates(ctx)).rows}:
        wrong["tax_code"] = _("Choose one of your tax rates.")
    unit = read_unit(text.unit, "unit", wrong)
    if wrong:
        named = ", ".join(wrong)
        raise Invalid(
            "invoicing.product_invalid",
            _("Some fields need another value: {fields}.", fields=named),
            fields=wrong,
        )
    return {
        "name": name,
        "description": description,
        "unit_price": unit_price,
        "currency": currency,
        "tax_code": tax_code,
        "unit": unit,
    }


def _too_many() -> Conflict:
    return Conflict(
        "invoicing.products_too_many",
        _("At most {most} products are offered. Archive one that is not.", most=PRODUCTS_MAX),
    )
