"""HTTP for the seller's details: the API and the settings screen."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, structs

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.permissions import may
from shipworthy.rooms.invoicing.pricing.rounding import RULES
from shipworthy.rooms.invoicing.seller import SellerText, get_seller, save_seller

Text = Annotated[str, Meta(max_length=1000)]


class SellerBody(Body):
    """Also the form's body: every field is text, so that a refused form shows what was typed."""

    name: Text
    country: Text
    street: Text = ""
    postal_code: Text = ""
    city: Text = ""
    vat_id: Text = ""
    tax_number: Text = ""
    registration_id: Text = ""
    contact_name: Text = ""
    email: Text = ""
    phone: Text = ""
    iban: Text = ""
    bic: Text = ""
    bank_name: Text = ""
    rounding: Text = "usual"

    def text(self) -> SellerText:
        return SellerText(**structs.asdict(self))


async def api_get_seller(ctx: Ctx) -> Any:
    return await get_seller(ctx)


async def api_save_seller(ctx: Ctx, body: SellerBody) -> Any:
    return await save_seller(ctx, body.text())


async def seller_page(ctx: Ctx) -> Page:
    return _page(ctx, SellerBody(**await get_seller(ctx)), errors={})


async def submit_seller(ctx: Ctx, form: SellerBody) -> Redirect:
    try:
        await save_seller(ctx, form.text())
    except Invalid as refused:
        raise refused.shown_on(_page(ctx, form, errors=refused.fields)) from None
    return Redirect("/seller", flash=_("Saved. Invoices you issue from now on carry these details."))


def _page(ctx: Ctx, form: SellerBody, *, errors: dict[str, str]) -> Page:
    labels = {
        "vat_id": _("VAT number"),
        "registration_id": _("Company register number"),
        "postal_code": _("Postcode"),
        "contact_name": _("Contact person"),
        "iban": "IBAN",
        "bic": "BIC",
        "bank_name": _("Bank"),
        "rounding": _("Rounding of what is due"),
    }
    rules = [(rule, _(text)) for rule, text in RULES.items()]
    data = {
        "form": form,
        "errors": errors,
        "labels": labels,
        "rules": rules,
        "may_write": may(ctx, "seller.write"),
    }
    return Page("invoicing/seller.html", data, title=_("Seller details"), section="seller")


SELLER_EXAMPLE = {
    "name": "Nordlicht Studio GmbH",
    "street": "Lindenstraße 12",
    "postal_code": "20099",
    "city": "Hamburg",
    "country": "DE",
    "vat_id": "DE123456789",
    "contact_name": "Ada Winter",
    "email": "invoices@nordlicht.example",
    "phone": "+49 40 1234567",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
}
SELLER_PERSONAL = ("name", "street", "postal_code", "city", "vat_id", "tax_number", "contact_name", "email", "phone",
                   "iban")  # fmt: skip

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("GET", "/api/seller", api_get_seller, title="Read the seller's details", permission="seller.read",
          queries_max=3),
    route("PUT", "/api/seller", api_save_seller, title="Replace the seller's details", permission="seller.write",
          body=SellerBody, effect="change", audit="seller.saved", example=SELLER_EXAMPLE, personal=SELLER_PERSONAL,
          queries_max=4),
    route("GET", "/seller", seller_page, title="Seller details", media="html", permission="seller.read", queries_max=3),
    route("POST", "/seller", submit_seller, title="Replace the seller's details", media="html",
          permission="seller.write", body=SellerBody, idempotency="key", effect="change", audit="seller.saved",
          example=SELLER_EXAMPLE, personal=SELLER_PERSONAL, queries_max=6),
)  # fmt: skip
