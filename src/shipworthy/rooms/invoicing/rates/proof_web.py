"""HTTP for the proof of the tenant's tax rates: what is known, and asking anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http.reply import Redirect
from shipworthy.kernel.language import _, day_text, spoken
from shipworthy.kernel.money.format import format_rate
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.rates.proof import Proof, rates_proof, want_rates
from shipworthy.rooms.invoicing.rates.rates import Rates, load_rates


async def api_rates_proof(ctx: Ctx) -> Any:
    return _json(await rates_proof(ctx), await load_rates(ctx))


async def api_ask_rates(ctx: Ctx) -> Any:
    asked = await _ask(ctx)
    return {"asked": asked, **_json(await rates_proof(ctx), await load_rates(ctx))}


async def submit_ask_rates(ctx: Ctx) -> Redirect:
    asked = await _ask(ctx)
    said = (
        _("The rates are being looked up.")
        if asked
        else _("They were looked up today, or no service is set that knows them.")
    )
    return Redirect("/tax-rates", flash=said)


def told_of(proof: Proof | None, rates: Rates, *, time_zone: str) -> dict[str, object] | None:
    """Return what the page of the rates says of their proof; None where nothing was asked yet."""
    if proof is None:
        return None
    if proof.checked_at is None:
        word = _("Being looked up") if proof.is_waiting else _("No answer yet")
        return {"tone": "pending", "word": word, "lines": []}
    day = day_text(today_in(time_zone, now=proof.checked_at))
    held = _(
        "In {country} hold {rates}.", country=proof.country, rates=_rates([r.rate_bp for r in proof.rates])
    )
    lines = [held]
    if missing := proof.missing_in(rates):
        lines.append(_("Not on your list: {rates}.", rates=_rates(missing)))
    if unknown := proof.unknown_of(rates):
        lines.append(_("On your list, but not known there: {rates}.", rates=_rates(unknown)))
    is_same = len(lines) == 1
    word = _("As on your list, {day}", day=day) if is_same else _("Differs from your list, {day}", day=day)
    return {"tone": "verified" if is_same else "failed", "word": word, "lines": lines}


async def _ask(ctx: Ctx) -> bool:
    await record(ctx, "tax_rates.asked", of="seller", id=ctx.tenant_id)
    return await want_rates(ctx)


def _rates(rates_bp: Sequence[int]) -> str:
    return ", ".join(format_rate(rate_bp, locale=spoken()) for rate_bp in rates_bp)


def _json(proof: Proof | None, rates: Rates) -> dict[str, Any]:
    return {
        "country": proof.country if proof else None,
        "is_waiting": bool(proof and proof.is_waiting),
        "on_day": proof.on_day if proof else None,
        "checked_at": proof.checked_at if proof else None,
        "rates": [{"name": r.name, "rate_bp": r.rate_bp} for r in proof.rates] if proof else [],
        "missing_bp": proof.missing_in(rates) if proof and proof.on_day else [],
        "unknown_bp": proof.unknown_of(rates) if proof and proof.on_day else [],
    }


# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES: tuple[Route, ...] = (
    route("GET", "/api/tax-rates/proof", api_rates_proof, title="What is known of the country's tax rates",
          permission="invoice.read", queries_max=4),
    route("POST", "/api/tax-rates/proof", api_ask_rates, title="Look the country's tax rates up",
          permission="tax.write", idempotency="key", effect="change", audit="tax_rates.asked", example={},
          queries_max=10),
    route("POST", "/tax-rates/proof", submit_ask_rates, title="Look the country's tax rates up", media="html",
          permission="tax.write", idempotency="key", effect="change", audit="tax_rates.asked", example={},
          queries_max=8),
)  # fmt: skip
