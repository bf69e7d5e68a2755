"""The tenant's tax rates: read, added, changed, ended. Until it changes its list, that of its country holds.

Two rows of one code never hold on the same day: the room asks first, an exclusion constraint has the last word.
What is issued keeps the rate it was issued with, whatever becomes of the row.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Conflict, Invalid, Missing
from shipworthy.kernel.language import _, day_text, mark
from shipworthy.kernel.money.parse import parse_rate_bp
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.lines import read_text
from shipworthy.rooms.invoicing.rates.seeded import Rate, seeded_rates
from shipworthy.rooms.invoicing.tax import TAXED, UNTAXED_CATEGORIES

RATES_MAX = 200
NAME_CHARS_MAX = 60
REASON_CHARS_MAX = 200
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_VATEX = re.compile(r"VATEX-[A-Z]{2}-[A-Z0-9-]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateText:
    """A rate as it was written: `rate` in percent, days as 2026-01-31, no last day where it holds on."""

    code: str
    name: str
    tax_category: str = TAXED
    rate: str = "0"
    valid_from: date | None = None
    valid_until: date | None = None
    exemption_reason: str = ""
    exemption_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The rates of a tenant, or of its country as long as the tenant has no list of its own."""

    rows: tuple[Rate, ...]
    is_own: bool

    def on(self, day: date) -> list[Rate]:
        """Return the rates that hold on a day, in their order."""
        return [rate for rate in self.rows if rate.holds_on(day)]

    def of(self, code: str, day: date) -> Rate | None:
        """Return what a code means on a day."""
        return next((rate for rate in self.on(day) if rate.code == code), None)


async def load_rates(ctx: Ctx) -> Rates:
    """Return the rates, taxed ones first and the highest first among them. Cost: one query."""
    found = [dict(row) for row in await ctx.db.all(q.tax_rates)]
    country = found[0].pop("country")
    own = [
        Rate(**{name: value for name, value in row.items() if name != "country"})
        for row in found
        if row["tax_rate_id"] is not None
    ]
    if not own:
        return Rates(rows=tuple(seeded_rates(country, tenant_id=ctx.tenant_id)), is_own=False)
    highest = {rate.code: max(r.rate_bp for r in own if r.code == rate.code) for rate in own}
    own.sort(key=lambda r: (r.tax_category != TAXED, -highest[r.code], r.code, r.valid_from))
    return Rates(rows=tuple(own), is_own=True)


async def save_rate(ctx: Ctx, text: RateText, *, tax_rate_id: uuid.UUID | None = None) -> Rate:
    """Add a rate, or replace the one with this id or with this code and first day.

    The list becomes the tenant's own with its first change.

    Errors:  Missing; Invalid `invoicing.rate_invalid`, naming every wrong field; Conflict `invoicing.rates_too_many`.
    """
    await ctx.db.run(q.tax_rates_lock)
    rates = await load_rates(ctx)
    if tax_rate_id is not None and tax_rate_id not in {rate.tax_rate_id for rate in rates.rows}:
        raise Missing(mark("tax rate"))
    if tax_rate_id is None:  # a row is its code and its first day: written again, it is that row
        key = (text.code.strip().lower(), text.valid_from)
        tax_rate_id = next((r.tax_rate_id for r in rates.rows if (r.code, r.valid_from) == key), None)
    if tax_rate_id is None and len(rates.rows) >= RATES_MAX:
        raise Conflict(
            "invoicing.rates_too_many",
            _("At most {most} rates fit. Change or delete one of them.", most=RATES_MAX),
        )
    others = [rate for rate in rates.rows if rate.tax_rate_id != tax_rate_id]
    rate = _check(text, others, tax_rate_id or ctx.new_id())
    await _make_own(ctx, rates)
    await ctx.db.run(q.tax_rate_save, now=ctx.now(), **asdict(rate))
    await record(
        ctx,
        "tax_rate.saved",
        of="tax_rate",
        id=rate.tax_rate_id,
        detail={"code": rate.code, "rate_bp": rate.rate_bp, "valid_from": rate.valid_from.isoformat()},
    )
    return rate


async def delete_rate(ctx: Ctx, tax_rate_id: uuid.UUID) -> None:
    """Take a rate off the list; drafts that name its code have to choose another one before they are issued.

    Errors:  Missing; Conflict `invoicing.rate_is_last`.
    """
    await ctx.db.run(q.tax_rates_lock)
    rates = await load_rates(ctx)
    rate = next((r for r in rates.rows if r.tax_rate_id == tax_rate_id), None)
    if rate is None:
        raise Missing(mark("tax rate"))
    if len(rates.rows) == 1:
        raise Conflict(
            "invoicing.rate_is_last", _("An invoice needs a rate. Add another one before this goes.")
        )
    await _make_own(ctx, rates)
    await ctx.db.run(q.tax_rate_delete, tax_rate_id=tax_rate_id)
    await record(ctx, "tax_rate.deleted", of="tax_rate", id=tax_rate_id, detail={"code": rate.code})


async def _make_own(ctx: Ctx, rates: Rates) -> None:
    """Write the country's list down as the tenant's, before its first change."""
    if rates.is_own:
        return
    rows = rates.rows
    await ctx.db.run(
        q.tax_rates_begin,
        ids=[rate.tax_rate_id for rate in rows],
        codes=[rate.code for rate in rows],
        names=[rate.name for rate in rows],
        categories=[rate.tax_category for rate in rows],
        rates_bp=[rate.rate_bp for rate in rows],
        froms=[rate.valid_from for rate in rows],
        untils=[rate.valid_until for rate in rows],
        reasons=[rate.exemption_reason for rate in rows],
        exemption_codes=[rate.exemption_code for rate in rows],
        now=ctx.now(),
    )


def _check(text: RateText, others: Sequence[Rate], tax_rate_id: uuid.UUID) -> Rate:
    wrong: dict[str, str] = {}
    name = read_text(text.name, "name", wrong, chars_max=NAME_CHARS_MAX, needed=True)
    reason = read_text(text.exemption_reason, "exemption_reason", wrong, chars_max=REASON_CHARS_MAX)
    code, vatex = text.code.strip().lower(), text.exemption_code.strip().upper()
    if not _CODE.fullmatch(code):
        wrong["code"] = _("Small letters, digits and hyphens, at most 30, e.g. standard.")
    rate_bp = _read_rate(text.rate, text.tax_category, wrong)
    if text.tax_category != TAXED and text.tax_category not in UNTAXED_CATEGORIES:
        wrong["tax_category"] = _("One of {known}.", known=", ".join([TAXED, *UNTAXED_CATEGORIES]))
    if vatex and not _VATEX.fullmatch(vatex):
        wrong["exemption_code"] = _("A code of the VATEX list, e.g. VATEX-EU-132-1I.")
    if (vatex or reason) and text.tax_category in (TAXED, "Z"):
        wrong["exemption_code" if vatex else "exemption_reason"] = _("What is taxed is not exempt.")
    if text.valid_from is None:
        wrong["valid_from"] = _("Say from which day on it holds.")
    elif text.valid_until and text.valid_until < text.valid_from:
        wrong["valid_until"] = _("The last day is before the first one.")
    if wrong or text.valid_from is None:
        raise _refusal(wrong)
    rate = Rate(
        tax_rate_id=tax_rate_id,
        code=code,
        name=name,
        tax_category=text.tax_category,
        rate_bp=rate_bp,
        valid_from=text.valid_from,
        valid_until=text.valid_until,
        exemption_reason=reason,
        exemption_code=vatex,
    )
    for other in others:
        if other.code == code and _overlap(rate, other):
            said = _(
                "From {day} on, {code} is another row already. End that one first.",
                day=day_text(other.valid_from),
                code=code,
            )
            raise _refusal({"valid_from": said})
    return rate


def _read_rate(text: str, category: str, wrong: dict[str, str]) -> int:
    try:
        rate_bp = parse_rate_bp(text, field="rate")
    except Invalid as refused:
        wrong["rate"] = refused.message
        return 0
    if category == TAXED and rate_bp == 0:
        wrong["rate"] = _("A taxed rate is above 0; choose zero rated or exempt instead.")
    elif category != TAXED and rate_bp:
        wrong["rate"] = _("Without tax the rate is 0.")
    return rate_bp


def _overlap(one: Rate, other: Rate) -> bool:
    return (other.valid_until is None or one.valid_from <= other.valid_until) and (
        one.valid_until is None or other.valid_from <= one.valid_until
    )


def _refusal(wrong: dict[str, str]) -> Invalid:
    named = ", ".join(wrong)
    return Invalid(
        "invoicing.rate_invalid", _("Some fields need another value: {fields}.", fields=named), fields=wrong
    )
