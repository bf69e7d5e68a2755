"""The proof that the rates of a list are those of its country on a day: asked for by a job, kept with its date.

One row a country. The last answer stays while a newer one is asked for. Nothing changes a list by itself: what differs is
said, and a person decides. An invoice is issued with a copy of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import enqueue
from shipworthy.rooms.invoicing.asking import NoAnswer, asked_again, egress_to
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.rates.provider import ToldRate, ask_rates
from shipworthy.rooms.invoicing.rates.rates import Rates
from shipworthy.rooms.invoicing.tax import TAXED

RATES_JOB = "tax_rates.proof"
FRESH_FOR = timedelta(days=1)
_SERVICE = "tax_rate_service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a service said of a country's rates. Before its first answer there is no day."""

    country: str
    is_waiting: bool
    on_day: date | None
    checked_at: datetime | None
    rates: tuple[ToldRate, ...] = ()

    def missing_in(self, rates: Rates) -> list[int]:
        """Return what holds there and is not on a list, in basis points."""
        return sorted({told.rate_bp for told in self.rates} - _listed(rates, self.on_day), reverse=True)

    def unknown_of(self, rates: Rates) -> list[int]:
        """Return what a list has and the service does not know, in basis points."""
        return sorted(_listed(rates, self.on_day) - {told.rate_bp for told in self.rates}, reverse=True)


async def want_rates(ctx: Ctx) -> bool:
    """Queue the question about the seller's country; False where no service is set, or it was asked today."""
    if not ctx.runtime.settings.tax.rates_url:
        return False
    seller, now = await ctx.db.one(q.seller_profile_get), ctx.now()
    country = seller["country"]
    asked = await ctx.db.maybe(q.rates_ask, country=country, now=now, stale_before=now - FRESH_FOR)
    if asked is None:
        return False
    await enqueue(ctx, RATES_JOB, f"{country}/{asked['asked']}/0")
    return True


async def rates_proof(ctx: Ctx) -> Proof | None:
    """Return what is known of the rates of the seller's country. Cost: one query."""
    row = await ctx.db.maybe(q.rates_proof_get)
    return _proof(dict(row)) if row else None


async def prove_rates(ctx: Ctx, source: str) -> None:
    """Ask about one country and write the answer down with its moment; without one it is asked again, later and later.

    No row is held while the service is asked.
    """
    country, asked, attempt = source.split("/")
    held = await ctx.db.maybe(q.rates_asked, country=country)
    if held is None or held["asked"] != int(asked) or not held["is_waiting"]:
        return
    on = today_in(held["time_zone"], now=ctx.now())
    try:
        url = ctx.runtime.settings.tax.rates_url
        told = await ask_rates(egress_to(ctx.runtime, _SERVICE), url, country, on)
    except NoAnswer as silent:
        source = f"{country}/{asked}"
        if not await asked_again(
            ctx, RATES_JOB, source, attempt=int(attempt), service="rate service", silent=silent
        ):
            await ctx.db.run(q.rates_silent, country=country, asked=int(asked))
        return
    await ctx.db.run(q.rates_answer, country=country, asked=int(asked), rates=told, on_day=on, now=ctx.now())


def _proof(row: dict[str, Any]) -> Proof:
    return Proof(**{**row, "rates": msgspec.convert(row["rates"], tuple[ToldRate, ...])})


def _listed(rates: Rates, day: date | None) -> set[int]:
    return {rate.rate_bp for rate in rates.on(day) if rate.tax_category == TAXED} if day else set()
