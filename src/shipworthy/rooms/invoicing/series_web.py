"""HTTP for numbers and books: the API and the settings screen, with the auditor's questions below."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, structs

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.numbering import Series
from shipworthy.rooms.invoicing.permissions import may
from shipworthy.rooms.invoicing.series import (
    OPENING_MAX,
    Numbers,
    audit_numbers,
    close_books,
    load_numbers,
    save_series,
)

POLICY_LABELS = {
    "gapless": mark("Without gaps"),
    "gapless_chronological": mark("Without gaps, dates in order"),
    "unique_only": mark("Unique, gaps allowed (fastest)"),
}
PERIOD_LABELS = {"year": mark("Every year"), "month": mark("Every month"), "none": mark("Never")}
SERIES_LABELS = {"invoice": mark("Invoices"), "credit_note": mark("Credit notes")}


class SeriesBody(Body):
    """Also the form's body."""

    series_id: Literal["invoice", "credit_note"]
    prefix: Annotated[str, Meta(max_length=20)] = ""
    digits: Annotated[int, Meta(ge=1, le=9)] = 5
    per: Literal["year", "month", "none"] = "year"
    policy: Literal["gapless", "gapless_chronological", "unique_only"] = "gapless"
    opening_seq: Annotated[int, Meta(ge=1, le=OPENING_MAX)] = 1

    def series(self) -> Series:
        return Series(**structs.asdict(self))


class BooksBody(Body):
    closed_until: date | None = None


class BooksForm(Body):
    closed_until: Annotated[str, Meta(max_length=40)] = ""


async def api_get_numbers(ctx: Ctx) -> Any:
    return _numbers_json(await load_numbers(ctx))


async def api_save_series(ctx: Ctx, body: SeriesBody) -> Any:
    return _numbers_json(await save_series(ctx, body.series()))


async def api_close_books(ctx: Ctx, body: BooksBody) -> Any:
    return {"closed_until": await close_books(ctx, body.closed_until)}


async def api_audit_numbers(ctx: Ctx) -> Any:
    return await audit_numbers(ctx)


async def numbers_page(ctx: Ctx) -> Page:
    return await _page(ctx)


async def submit_series(ctx: Ctx, form: SeriesBody) -> Redirect:
    try:
        await save_series(ctx, form.series())
    except Invalid as refused:
        raise refused.shown_on(await _page(ctx, typed=form.series(), errors=refused.fields)) from None
    return Redirect(
        "/numbers",
        flash=_("Saved. {series} are numbered so from now on.", series=_(SERIES_LABELS[form.series_id])),
    )


async def submit_books(ctx: Ctx, form: BooksForm) -> Redirect:
    try:
        text = form.closed_until.strip()
        closed = await close_books(ctx, date.fromisoformat(text) if text else None)
    except ValueError:
        said = {"closed_until": _("There is no such day; write it like 2026-01-31.")}
        refusal = Invalid("invoicing.books_invalid", said["closed_until"], fields=said)
        raise refusal.shown_on(await _page(ctx, errors=said, closed_until=form.closed_until)) from None
    except Invalid as refused:
        page = await _page(ctx, errors=refused.fields, closed_until=form.closed_until)
        raise refused.shown_on(page) from None
    return Redirect("/numbers", flash=_("The books are closed.") if closed else _("The books are open."))


async def _page(
    ctx: Ctx,
    *,
    typed: Series | None = None,
    errors: dict[str, str] | None = None,
    closed_until: str | None = None,
) -> Page:
    numbers = await load_numbers(ctx)
    audit = await audit_numbers(ctx)
    today = today_in("UTC", now=ctx.now())
    series = []
    for name, rule in numbers.series.items():
        shown = typed if typed and typed.series_id == name else rule
        following = shown.period_of(today)
        series.append(
            {
                **asdict(shown),
                "label": _(SERIES_LABELS[name]),
                "in_use": name in numbers.in_use,
                "errors": errors or {} if shown is typed else {},
                "example": shown.prefix
                + (f"{following}-" if following else "")
                + str(shown.opening_seq).rjust(shown.digits, "0"),
            }
        )
    if closed_until is None:
        closed_until = numbers.closed_until.isoformat() if numbers.closed_until else ""
    data = {
        "series": series,
        "closed_until": closed_until,
        "books_errors": errors or {} if typed is None else {},
        "audit": audit,
        "labels": {name: _(label) for name, label in SERIES_LABELS.items()},
        "policies": [[name, _(label)] for name, label in POLICY_LABELS.items()],
        "periods": [[name, _(label)] for name, label in PERIOD_LABELS.items()],
        "may_write": may(ctx, "numbers.write"),
    }
    return Page("invoicing/numbers.html", data, title=_("Numbers"), section="numbers")


def _numbers_json(numbers: Numbers) -> dict[str, Any]:
    return {
        "series": [
            {**asdict(series), "in_use": name in numbers.in_use} for name, series in numbers.series.items()
        ],
        "closed_until": numbers.closed_until,
    }


SERIES_EXAMPLE = {
    "series_id": "credit_note",
    "prefix": "CN-",
    "per": "year",
    "policy": "gapless_chronological",
}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("GET", "/api/numbers", api_get_numbers, title="Read how numbers are made", permission="invoice.read",
          queries_max=4),
    route("PUT", "/api/numbers", api_save_series, title="Say how a series makes numbers", permission="numbers.write",
          body=SeriesBody, effect="change", audit="series.saved", example=SERIES_EXAMPLE, queries_max=9),
    route("PUT", "/api/numbers/books", api_close_books, title="Close or open the books", permission="numbers.write",
          body=BooksBody, effect="change", audit="books.closed", example={"closed_until": "2020-12-31"}, queries_max=5),
    route("GET", "/api/numbers/audit", api_audit_numbers, title="Audit the numbers", permission="invoice.read",
          queries_max=6),
    route("GET", "/numbers", numbers_page, title="Numbers", media="html", permission="invoice.read", queries_max=8),
    route("POST", "/numbers", submit_series, title="Say how a series makes numbers", media="html",
          permission="numbers.write", body=SeriesBody, idempotency="key", effect="change", audit="series.saved",
          example=SERIES_EXAMPLE, queries_max=15),
    route("POST", "/numbers/books", submit_books, title="Close or open the books", media="html",
          permission="numbers.write", body=BooksForm, idempotency="key", effect="change", audit="books.closed",
          example={"closed_until": "2020-12-31"}, queries_max=13),
)  # fmt: skip
