"""HTTP for products: the API, and the list and form of the console."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _, spoken
from shipworthy.kernel.money.currencies import currency_of
from shipworthy.kernel.money.format import format_decimal
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.bodies import decimal_text
from shipworthy.rooms.invoicing.forms import currency_choices
from shipworthy.rooms.invoicing.permissions import may_write
from shipworthy.rooms.invoicing.products.products import (
    ProductText,
    archive_product,
    create_product,
    edit_product,
    get_product,
    list_products,
)
from shipworthy.rooms.invoicing.rates.rates import load_rates
from shipworthy.rooms.invoicing.units import NO_UNIT, unit_choices, with_unit

Text = Annotated[str, Meta(max_length=2000)]


class ProductBody(Body):
    """Also the form's body: every field is text, so that a refused form shows what was typed."""

    name: Text
    unit_price: Text
    currency: Text = "EUR"
    tax_code: Text = "standard"
    description: Text = ""
    unit: Text = NO_UNIT

    def text(self) -> ProductText:
        return ProductText(**structs.asdict(self))


class ProductListQuery(Struct):
    archived: bool = False


async def api_list_products(ctx: Ctx, query: ProductListQuery) -> Any:
    return {"products": [_json(product) for product in await list_products(ctx, is_archived=query.archived)]}


async def api_create_product(ctx: Ctx, body: ProductBody) -> Json:
    product = await create_product(ctx, body.text())
    location = ("location", f"/api/products/{product['product_id']}")
    return Json(_json(product), status=201, headers=(location,))


async def api_get_product(ctx: Ctx, product_id: uuid.UUID) -> Any:
    return _json(await get_product(ctx, product_id))


async def api_edit_product(ctx: Ctx, product_id: uuid.UUID, body: ProductBody) -> Any:
    return _json(await edit_product(ctx, product_id, body.text()))


async def api_archive_product(ctx: Ctx, product_id: uuid.UUID) -> Any:
    return _json(await archive_product(ctx, product_id, is_archived=True))


async def api_restore_product(ctx: Ctx, product_id: uuid.UUID) -> Any:
    return _json(await archive_product(ctx, product_id, is_archived=False))


async def products_page(ctx: Ctx, query: ProductListQuery) -> Page:
    names = {rate.code: _(rate.name) for rate in (await load_rates(ctx)).rows}
    rows = [
        {
            **product,
            "price": _price(product),
            "tax": names.get(product["tax_code"], product["tax_code"]),
        }
        for product in await list_products(ctx, is_archived=query.archived)
    ]
    data = {
        "products": [{k: str(v) if k == "unit_price" else v for k, v in row.items()} for row in rows],
        "tabs": [
            {"key": "", "href": "/products", "label": _("Offered")},
            {"key": "archived", "href": "/products?archived=true", "label": _("Archived")},
        ],
        "tab": "archived" if query.archived else "",
        "may_write": may_write(ctx),
    }
    return Page("invoicing/products.html", data, title=_("Products"), section="products")


async def new_product_page(ctx: Ctx) -> Page:
    return await _form_page(ctx, ProductBody(name="", unit_price=""))


async def submit_new_product(ctx: Ctx, form: ProductBody) -> Redirect:
    try:
        product = await create_product(ctx, form.text())
    except Invalid as refused:
        raise refused.shown_on(await _form_page(ctx, form, errors=refused.fields)) from None
    return Redirect("/products", flash=_("{name} can be picked on a draft now.", name=product["name"]))


async def edit_product_page(ctx: Ctx, product_id: uuid.UUID) -> Page:
    product = await get_product(ctx, product_id)
    form = ProductBody(
        name=product["name"],
        unit_price=decimal_text(product["unit_price"]),
        currency=product["currency"],
        tax_code=product["tax_code"],
        description=product["description"],
        unit=product["unit"],
    )
    return await _form_page(ctx, form, product=product)


async def submit_product(ctx: Ctx, product_id: uuid.UUID, form: ProductBody) -> Redirect:
    try:
        saved = await edit_product(ctx, product_id, form.text())
    except Invalid as refused:
        product = await get_product(ctx, product_id)
        raise refused.shown_on(await _form_page(ctx, form, product=product, errors=refused.fields)) from None
    return Redirect(
        "/products", flash=_("{name} is saved. Lines written before stay as they were.", name=saved["name"])
    )


async def submit_archive_product(ctx: Ctx, product_id: uuid.UUID) -> Redirect:
    product = await archive_product(ctx, product_id, is_archived=True)
    return Redirect("/products", flash=_("{name} is archived and no longer offered.", name=product["name"]))


async def submit_restore_product(ctx: Ctx, product_id: uuid.UUID) -> Redirect:
    product = await archive_product(ctx, product_id, is_archived=False)
    return Redirect("/products", flash=_("{name} is offered again.", name=product["name"]))


async def _form_page(
    ctx: Ctx,
    form: ProductBody,
    *,
    product: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> Page:
    rates = dict.fromkeys((rate.code, _(rate.name)) for rate in (await load_rates(ctx)).rows)
    data = {
        "form": form,
        "errors": errors or {},
        "labels": {"unit_price": _("Unit price"), "tax_code": _("Tax")},
        "action": f"/products/{product['product_id']}" if product else "/products",
        "is_new": product is None,
        "is_archived": bool(product and product["archived_at"]),
        "currencies": currency_choices(),
        "taxes": list(rates),
        "units": unit_choices(),
    }
    title = _("Edit product") if product else _("New product")
    return Page("invoicing/product_form.html", data, title=title, section="products")


def _price(product: dict[str, Any]) -> str:
    """Return what it costs: `95.00 EUR`, and of a unit `95.00 EUR / h`."""
    exponent = currency_of(product["currency"]).exponent
    price = format_decimal(product["unit_price"], locale=spoken(), decimals_min=exponent)
    return with_unit(
        f"{price} {product['currency']}" + (" /" if product["unit"] != NO_UNIT else ""),
        product["unit"],
        locale=spoken(),
    )


def _json(product: dict[str, Any]) -> dict[str, Any]:
    names = ("product_id", "name", "description", "currency", "tax_code", "unit", "archived_at")
    return {
        **{name: product[name] for name in names},
        "unit_price": decimal_text(product["unit_price"]),
    }


EXAMPLE = {"name": "Consulting", "unit_price": "95.00", "currency": "EUR", "tax_code": "standard"}
_PRODUCT = {"product_id": "product_id"}
_ARCHIVE = {
    "permission": "invoice.write",
    "idempotency": "key",
    "effect": "change",
    "params": _PRODUCT,
    "example": {},
}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("GET", "/api/products", api_list_products, title="List products", permission="invoice.read",
          query=ProductListQuery, queries_max=3),
    route("POST", "/api/products", api_create_product, title="Create a product", permission="invoice.write",
          body=ProductBody, status=201, idempotency="key", effect="create", audit="product.created", example=EXAMPLE,
          queries_max=8),
    route("GET", "/api/products/{product_id}", api_get_product, title="Read a product", permission="invoice.read",
          params=_PRODUCT, queries_max=3),
    route("PUT", "/api/products/{product_id}", api_edit_product, title="Replace a product",
          permission="invoice.write", body=ProductBody, effect="change", audit="product.edited", params=_PRODUCT,
          example=EXAMPLE, queries_max=5),
    route("POST", "/api/products/{product_id}/archive", api_archive_product, title="Archive a product",
          audit="product.archived", queries_max=6, **_ARCHIVE),
    route("POST", "/api/products/{product_id}/restore", api_restore_product, title="Offer a product again",
          audit="product.restored", queries_max=7, **_ARCHIVE),
    route("GET", "/products", products_page, title="Products", media="html", permission="invoice.read",
          query=ProductListQuery, queries_max=4),
    route("GET", "/products/new", new_product_page, title="New product", media="html", permission="invoice.write",
          queries_max=3),
    route("GET", "/products/{product_id}/edit", edit_product_page, title="Edit a product", media="html",
          permission="invoice.write", params=_PRODUCT, queries_max=4),
    route("POST", "/products", submit_new_product, title="Create a product", media="html",
          permission="invoice.write", body=ProductBody, idempotency="key", effect="create", audit="product.created",
          example=EXAMPLE, queries_max=8),
    route("POST", "/products/{product_id}", submit_product, title="Replace a product", media="html",
          permission="invoice.write", body=ProductBody, idempotency="key", effect="change", audit="product.edited",
          params=_PRODUCT, example=EXAMPLE, queries_max=8),
    route("POST", "/products/{product_id}/archive", submit_archive_product, title="Archive a product", media="html",
          audit="product.archived", queries_max=6, **_ARCHIVE),
    route("POST", "/products/{product_id}/restore", submit_restore_product, title="Offer a product again",
          media="html", audit="product.restored", queries_max=7, **_ARCHIVE),
)  # fmt: skip
