"""HTTP for the look of invoices: the API, the settings page, and the example it shows."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import File, Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.branding.example import render_example
from shipworthy.rooms.invoicing.branding.look import FOOTER_CHARS_MAX, Look, LookText, get_look, save_look
from shipworthy.rooms.invoicing.permissions import may

_BODY_BYTES_MAX = 800_000  # a logo in base64, and some words
Text = Annotated[str, Meta(max_length=1000)]


class LookBody(Body):
    """`logo` is a PNG's or JPEG's bytes (base64 in JSON); without it the logo stays as it is."""

    accent: Text = ""
    footer: Text = ""
    logo: bytes = b""
    logo_name: Text = ""
    drop_logo: Literal["", "true"] = ""

    def text(self) -> LookText:
        return LookText(
            accent=self.accent, footer=self.footer, logo=self.logo, drop_logo=self.drop_logo == "true"
        )


async def api_get_look(ctx: Ctx) -> Any:
    return _json(await get_look(ctx))


async def api_save_look(ctx: Ctx, body: LookBody) -> Any:
    return _json(await save_look(ctx, body.text()))


async def look_page(ctx: Ctx) -> Page:
    look = await get_look(ctx)
    return _page(ctx, look, LookBody(accent=look.accent, footer=look.footer), errors={})


async def submit_look(ctx: Ctx, form: LookBody) -> Redirect:
    try:
        await save_look(ctx, form.text())
    except Invalid as refused:
        raise refused.shown_on(_page(ctx, await get_look(ctx), form, errors=refused.fields)) from None
    return Redirect("/seller/look", flash=_("Saved. Invoices you issue from now on look like this."))


async def look_example(ctx: Ctx) -> File:
    """The first page of an invoice as it would look, as a picture."""
    picture = await render_example(ctx)
    return File(picture, "image/png", headers=(("cache-control", "private, no-cache"),))


def _page(ctx: Ctx, look: Look, form: LookBody, *, errors: dict[str, str]) -> Page:
    data = {
        "form": form,
        "errors": errors,
        "labels": {"accent": _("Accent colour"), "footer": _("Footer"), "logo": _("Logo")},
        "has_logo": bool(look.logo_key),
        "footer_chars_max": FOOTER_CHARS_MAX,
        "may_write": may(ctx, "seller.write"),
    }
    return Page("invoicing/look.html", data, title=_("Look of invoices"), section="seller")


def _json(look: Look) -> dict[str, Any]:
    return {"accent": look.accent, "footer": look.footer, "has_logo": bool(look.logo_key)}


LOOK_EXAMPLE = {"accent": "#0b5fff", "footer": "Nordlicht Studio GmbH, HRB 12345, Ada Winter"}

# queries_max counts the session's look-up and touch (2) and the audit row (1). A form with a file is not the same bytes
# twice and needs no key: what it says replaces what there is.
ROUTES: tuple[Route, ...] = (
    route("GET", "/api/seller/look", api_get_look, title="Read the look of invoices", permission="seller.read",
          queries_max=3),
    route("PUT", "/api/seller/look", api_save_look, title="Replace the look of invoices", permission="seller.write",
          body=LookBody, effect="change", audit="seller.look_saved", example=LOOK_EXAMPLE,
          body_bytes_max=_BODY_BYTES_MAX, queries_max=7),
    route("GET", "/api/seller/look/example", look_example, title="An example of the look", media="file",
          permission="seller.read", transaction=False, queries_max=4),
    route("GET", "/seller/look", look_page, title="Look of invoices", media="html", permission="seller.read",
          queries_max=3),
    route("POST", "/seller/look", submit_look, title="Replace the look of invoices", media="html",
          permission="seller.write", body=LookBody, effect="change", audit="seller.look_saved",
          example=LOOK_EXAMPLE, body_bytes_max=_BODY_BYTES_MAX, queries_max=7),
)  # fmt: skip
