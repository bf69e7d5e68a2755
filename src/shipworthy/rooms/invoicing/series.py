"""What a tenant decides of its numbers and its books, and what an auditor asks of them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Conflict, Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.numbering import DEFAULTS, PERIODS, POLICIES, Series

OPENING_MAX = 999_999_999
_PREFIX = re.compile(r"[A-Za-z./-]{0,10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Every series as it stands, which of them have numbers already, and until when the books are closed."""

    series: dict[str, Series]
    in_use: frozenset[str]
    closed_until: date | None


async def load_numbers(ctx: Ctx) -> Numbers:
    """Return the rules of this tenant. Cost: 2 queries."""
    rows = {row["series_id"]: dict(row) for row in await ctx.db.all(q.series_rules)}
    state = await ctx.db.one(q.books_state)
    return Numbers(
        series={name: Series(**rows[name]) if name in rows else DEFAULTS[name] for name in DEFAULTS},
        in_use=frozenset(state["in_use"]),
        closed_until=state["closed_until"],
    )


async def save_series(ctx: Ctx, wanted: Series) -> Numbers:
    """Say how a series makes its numbers from now on. What has a number keeps it.

    Errors:  Invalid, naming every wrong field; Conflict `invoicing.series_in_use` where numbers that were
             given bind what is asked.
    """
    numbers = await load_numbers(ctx)
    _check(wanted, numbers)
    before = numbers.series[wanted.series_id]
    if wanted.series_id in numbers.in_use:
        is_other_kind = (before.policy == "unique_only") != (wanted.policy == "unique_only")
        if is_other_kind or before.opening_seq != wanted.opening_seq:
            raise Conflict(
                "invoicing.series_in_use",
                _(
                    "This series has given numbers already: it cannot begin elsewhere, nor change between numbers "
                    "with and without gaps."
                ),
            )
    if wanted.policy == "unique_only":
        await ctx.db.run(q.series_begin, series_id=wanted.series_id, opening_seq=wanted.opening_seq)
    await ctx.db.run(q.series_rule_save, now=ctx.now(), **asdict(wanted))
    await record(ctx, "series.saved", of="series", id=wanted.series_id, detail=asdict(wanted))
    return await load_numbers(ctx)


async def close_books(ctx: Ctx, closed_until: date | None) -> date | None:
    """Let nothing be dated on this day or before it; None opens the books again.

    Errors:  Invalid for a day that is not over.
    """
    seller = await ctx.db.one(q.seller_get)
    if closed_until is not None and closed_until >= today_in(seller["time_zone"], now=ctx.now()):
        said = _("Choose a day that is over.")
        raise Invalid("invoicing.books_invalid", said, fields={"closed_until": said})
    await ctx.db.run(q.books_close, closed_until=closed_until, now=ctx.now())
    detail = {"closed_until": closed_until.isoformat() if closed_until else None}
    await record(ctx, "books.closed", of="books", id=ctx.tenant_id, detail=detail)
    return closed_until


def require_open(closed_until: date | None, day: date) -> None:
    """Errors:  Conflict `invoicing.books_closed` for a day of a closed period."""
    if closed_until is not None and day <= closed_until:
        raise Conflict(
            "invoicing.books_closed",
            _(
                "The books are closed until {closed_until}, so nothing can be dated {day}. "
                "Take a later day, or let an owner open them under Numbers.",
                closed_until=closed_until.isoformat(),
                day=day.isoformat(),
            ),
        )


async def audit_numbers(ctx: Ctx) -> dict[str, Any]:
    """Return what an auditor asks of every series and period: how many, what is missing, twice, out of order.

    Gaps are named, the first hundred of them. `is_sound` is what the series' policy promises.
    """
    numbers = await load_numbers(ctx)
    rows = [_counted(row, numbers) for row in await ctx.db.all(q.numbers_audit)]
    gaps = (
        [dict(row) for row in await ctx.db.all(q.numbers_gaps)]
        if any(r["missing"] or not r["is_sound"] for r in rows)
        else []
    )
    return {"series": rows, "gaps": gaps, "is_sound": all(row["is_sound"] for row in rows)}


async def unsound_numbers(ctx: Ctx) -> list[str]:
    """Return a sentence for every series and period whose numbers break their policy's promise."""
    report = await audit_numbers(ctx)
    return [
        _(
            "numbers of {series} {period}: {count} from {first} to {last}, {missing} missing, {doubles} twice",
            series=row["series_id"],
            period=row["period"],
            count=row["numbers"],
            first=row["first_seq"],
            last=row["last_seq"],
            missing=row["missing"],
            doubles=row["doubles"],
        )
        for row in report["series"]
        if not row["is_sound"]
    ]


def _counted(row: Record, numbers: Numbers) -> dict[str, Any]:
    policy = numbers.series[row["series_id"]].policy
    first = row["opening_seq"] if row["opening_seq"] is not None else row["first_seq"]
    following = row["next_seq"] if row["next_seq"] is not None else row["last_seq"] + 1
    missing = following - first - row["numbers"] + row["doubles"]
    is_sound = not row["doubles"]
    if policy != "unique_only":
        # One that stands outside its series leaves a gap, too, and makes up for it in the count.
        is_inside = first <= row["first_seq"] and row["last_seq"] < following
        is_sound = is_sound and missing == 0 and is_inside
    if policy == "gapless_chronological":
        is_sound = is_sound and not row["dates_back"]
    return {**row, "policy": policy, "missing": missing, "is_sound": is_sound}


def _check(wanted: Series, numbers: Numbers) -> None:
    wrong: dict[str, str] = {}
    others = [series for name, series in numbers.series.items() if name != wanted.series_id]
    if not _PREFIX.fullmatch(wanted.prefix):
        wrong["prefix"] = _("At most ten letters, points, slashes and hyphens; no digits.")
    elif any(wanted.prefix.lower() == other.prefix.lower() for other in others):
        wrong["prefix"] = _("The other series has this prefix already; the numbers could not be told apart.")
    if not 1 <= wanted.digits <= 9:
        wrong["digits"] = _("Between 1 and 9 digits.")
    if wanted.per not in PERIODS:
        wrong["per"] = _("One of {choices}.", choices=", ".join(PERIODS))
    if wanted.policy not in POLICIES:
        wrong["policy"] = _("One of {choices}.", choices=", ".join(POLICIES))
    if not 1 <= wanted.opening_seq <= OPENING_MAX:
        wrong["opening_seq"] = _("Between 1 and {number_max}.", number_max=OPENING_MAX)
    if wrong:
        named = ", ".join(wrong)
        raise Invalid(
            "invoicing.series_invalid",
            _("Some fields need another value: {fields}.", fields=named),
            fields=wrong,
        )
