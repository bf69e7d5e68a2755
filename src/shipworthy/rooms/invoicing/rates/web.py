"""HTTP for the tenant's tax rates: the API, and the list and form of the console."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Json, Page, Redirect
from shipworthy.kernel.language import _, day_text, mark, spoken
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.permissions import may
from shipworthy.rooms.invoicing.rates.proof import rates_proof
from shipworthy.rooms.invoicing.rates.proof_web import told_of
from shipworthy.rooms.invoicing.rates.rates import RateText, delete_rate, load_rates, save_rate
from shipworthy.rooms.invoicing.rates.seeded import Rate
from shipworthy.rooms.invoicing.shown import tax_label
from shipworthy.rooms.invoicing.tax import TAXED, UNTAXED_CATEGORIES

Text = Annotated[str, Meta(max_length=1000)]
_TAXED_WORD = mark("taxed")


class RateBody(Body):
    """A tax rate and the days it holds; `rate` is a percentage as text: 19, 8.1."""

    code: Text
    name: Text
    valid_from: date
    tax_category: Literal["S", "Z", "E", "AE", "K", "G", "O"] = "S"
    rate: Text = "0"
    valid_until: date | None = None
    exemption_reason: Text = ""
    exemption_code: Text = ""

    def text(self) -> RateText:
        return RateText(
            code=self.code,
            name=self.name,
            tax_category=self.tax_category,
            rate=self.rate,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            exemption_reason=self.exemption_reason,
            exemption_code=self.exemption_code,
        )


class RateForm(Body):
    """Everything is text, so that a refused form shows what was typed."""

    code: Text = ""
    name: Text = ""
    tax_category: Text = TAXED
    rate: Text = ""
    valid_from: Text = ""
    valid_until: Text = ""
    exemption_reason: Text = ""
    exemption_code: Text = ""

    def text(self) -> RateText:
        """Errors: Invalid where a day cannot be read."""
        wrong: dict[str, str] = {}
        valid_from = _day(self.valid_from, "valid_from", wrong)
        valid_until = _day(self.valid_until, "valid_until", wrong)
        if wrong:
            raise Invalid("invoicing.rate_invalid", _("A day cannot be read."), fields=wrong)
        return RateText(
            code=self.code,
            name=self.name,
            tax_category=self.tax_category,
            rate=self.rate.strip() or "0",
            valid_from=valid_from,
            valid_until=valid_until,
            exemption_reason=self.exemption_reason,
            exemption_code=self.exemption_code,
        )


async def api_list_rates(ctx: Ctx) -> Any:
    rates = await load_rates(ctx)
    return {"is_own": rates.is_own, "tax_rates": rates.rows}


async def api_create_rate(ctx: Ctx, body: RateBody) -> Json:
    return Json(await save_rate(ctx, body.text()), status=201)


async def api_replace_rate(ctx: Ctx, tax_rate_id: uuid.UUID, body: RateBody) -> Any:
    return await save_rate(ctx, body.text(), tax_rate_id=tax_rate_id)


async def api_delete_rate(ctx: Ctx, tax_rate_id: uuid.UUID) -> None:
    await delete_rate(ctx, tax_rate_id)


async def rates_page(ctx: Ctx) -> Page:
    rates = await load_rates(ctx)
    seller = await ctx.db.one(q.seller_get)
    today = today_in(seller["time_zone"], now=ctx.now())
    rows = [
        {
            "href": f"/tax-rates/{rate.tax_rate_id}/edit",
            "code": rate.code,
            "name": _(rate.name),
            "rate": tax_label(rate.tax_category, rate.rate_bp, locale=spoken()),
            "holds": _holds(rate),
            "state": "current" if rate.holds_on(today) else "past" if rate.valid_from <= today else "pending",
            "state_word": _state(rate, today),
        }
        for rate in rates.rows
    ]
    data = {
        "rates": rows,
        "is_own": rates.is_own,
        "proof": told_of(await rates_proof(ctx), rates, time_zone=seller["time_zone"]),
        "may_ask": may(ctx, "tax.write") and bool(ctx.runtime.settings.tax.rates_url),
        "may_write": may(ctx, "tax.write"),
    }
    return Page("invoicing/tax_rates.html", data, title=_("Tax rates"), section="tax-rates")


async def new_rate_page(_ctx: Ctx) -> Page:
    return _form_page(RateForm())


async def submit_new_rate(ctx: Ctx, form: RateForm) -> Redirect:
    try:
        rate = await save_rate(ctx, form.text())
    except Invalid as refused:
        raise refused.shown_on(_form_page(form, errors=refused.fields)) from None
    return Redirect("/tax-rates", flash=_("{name} is on the list.", name=_(rate.name)))


async def edit_rate_page(ctx: Ctx, tax_rate_id: uuid.UUID) -> Page:
    rates = await load_rates(ctx)
    rate = next((rate for rate in rates.rows if rate.tax_rate_id == tax_rate_id), None)
    if rate is None:
        raise Missing(mark("tax rate"))
    return _form_page(_form_of(rate), tax_rate_id=tax_rate_id)


async def submit_rate(ctx: Ctx, tax_rate_id: uuid.UUID, form: RateForm) -> Redirect:
    try:
        rate = await save_rate(ctx, form.text(), tax_rate_id=tax_rate_id)
    except Invalid as refused:
        raise refused.shown_on(_form_page(form, tax_rate_id=tax_rate_id, errors=refused.fields)) from None
    return Redirect(
        "/tax-rates", flash=_("{name} is saved. What is issued keeps the rate it has.", name=_(rate.name))
    )


async def submit_delete_rate(ctx: Ctx, tax_rate_id: uuid.UUID) -> Redirect:
    await delete_rate(ctx, tax_rate_id)
    return Redirect("/tax-rates", flash=_("The rate is off the list. What is issued keeps it."))


def _form_of(rate: Rate) -> RateForm:
    whole, hundredths = divmod(rate.rate_bp, 100)
    return RateForm(
        code=rate.code,
        name=rate.name,
        tax_category=rate.tax_category,
        rate=f"{whole}.{hundredths:02d}" if hundredths else str(whole),
        valid_from=rate.valid_from.isoformat(),
        valid_until=rate.valid_until.isoformat() if rate.valid_until else "",
        exemption_reason=rate.exemption_reason,
        exemption_code=rate.exemption_code,
    )


def _form_page(
    form: RateForm, *, tax_rate_id: uuid.UUID | None = None, errors: dict[str, str] | None = None
) -> Page:
    data = {
        "form": form,
        "errors": errors or {},
        "labels": {"tax_category": _("Kind"), "valid_from": _("Holds from"), "valid_until": _("Holds until")},
        "action": f"/tax-rates/{tax_rate_id}" if tax_rate_id else "/tax-rates",
        "is_new": tax_rate_id is None,
        "categories": _category_choices(),
    }
    title = _("Edit tax rate") if tax_rate_id else _("New tax rate")
    return Page("invoicing/tax_rate_form.html", data, title=title, section="tax-rates")


def _category_choices() -> list[list[str]]:
    words = {TAXED: _TAXED_WORD, **UNTAXED_CATEGORIES}
    return [[category, _(word)[:1].upper() + _(word)[1:]] for category, word in words.items()]


def _holds(rate: Rate) -> str:
    since = day_text(rate.valid_from)
    if rate.valid_until is None:
        return _("from {since} on", since=since)
    return _("from {since} to {until}", since=since, until=day_text(rate.valid_until))


def _state(rate: Rate, today: date) -> str:
    if rate.holds_on(today):
        return _("Holds today")
    return _("Past") if rate.valid_from <= today else _("To come")


def _day(text: str, field: str, wrong: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        wrong[field] = _("There is no such day; write it like 2026-01-31.")
        return None


EXAMPLE = {"code": "books", "name": "Books", "rate": "7", "valid_from": "2026-01-01"}
FORM_EXAMPLE = {**EXAMPLE, "tax_category": "S"}
_RATE = {"tax_rate_id": "tax_rate_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("GET", "/api/tax-rates", api_list_rates, title="List tax rates", permission="invoice.read", queries_max=3),
    route("POST", "/api/tax-rates", api_create_rate, title="Add a tax rate", permission="tax.write", body=RateBody,
          status=201, idempotency="key", effect="create", audit="tax_rate.saved", example=EXAMPLE, queries_max=9),
    route("PUT", "/api/tax-rates/{tax_rate_id}", api_replace_rate, title="Replace a tax rate", permission="tax.write",
          body=RateBody, effect="change", audit="tax_rate.saved", params=_RATE,
          example={**EXAMPLE, "code": "replaced"}, queries_max=7),
    route("DELETE", "/api/tax-rates/{tax_rate_id}", api_delete_rate, title="Delete a tax rate", status=204,
          permission="tax.write", effect="change", audit="tax_rate.deleted", params=_RATE, queries_max=7),
    route("GET", "/tax-rates", rates_page, title="Tax rates", media="html", permission="invoice.read", queries_max=5),
    route("GET", "/tax-rates/new", new_rate_page, title="New tax rate", media="html", permission="tax.write",
          queries_max=2),
    route("GET", "/tax-rates/{tax_rate_id}/edit", edit_rate_page, title="Edit a tax rate", media="html",
          permission="tax.write", params=_RATE, queries_max=3),
    route("POST", "/tax-rates", submit_new_rate, title="Add a tax rate", media="html", permission="tax.write",
          body=RateForm, idempotency="key", effect="create", audit="tax_rate.saved",
          example={**FORM_EXAMPLE, "code": "printed"}, queries_max=9),
    route("POST", "/tax-rates/{tax_rate_id}", submit_rate, title="Replace a tax rate", media="html",
          permission="tax.write", body=RateForm, idempotency="key", effect="change", audit="tax_rate.saved",
          params=_RATE, example={**FORM_EXAMPLE, "code": "maps"}, queries_max=9),
    route("POST", "/tax-rates/{tax_rate_id}/delete", submit_delete_rate, title="Delete a tax rate", media="html",
          permission="tax.write", idempotency="key", effect="change", audit="tax_rate.deleted", params=_RATE,
          example={}, queries_max=9),
)  # fmt: skip
