"""HTTP for the proof of a customer's VAT number: what is known, and asking anew."""

from __future__ import annotations

import uuid
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.http.reply import Redirect
from shipworthy.kernel.language import _, day_text
from shipworthy.kernel.route import Route, route
from shipworthy.rooms.invoicing.customers import get_customer
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.tax_ids.form import compact, form_of
from shipworthy.rooms.invoicing.tax_ids.proof import proof_of, want_proof


async def api_tax_id(ctx: Ctx, customer_id: uuid.UUID) -> Any:
    customer = await get_customer(ctx, customer_id)
    return _json(customer["tax_id"], await proof_of(ctx, customer["tax_id"]))


async def api_ask_tax_id(ctx: Ctx, customer_id: uuid.UUID) -> Any:
    customer = await get_customer(ctx, customer_id)
    asked = await _ask(ctx, customer)
    return {"asked": asked, **_json(customer["tax_id"], await proof_of(ctx, customer["tax_id"]))}


async def submit_ask_tax_id(ctx: Ctx, customer_id: uuid.UUID) -> Redirect:
    asked = await _ask(ctx, await get_customer(ctx, customer_id))
    said = (
        _("The VAT number is being checked.")
        if asked
        else _("This number was checked today, or it is none that can be checked.")
    )
    return Redirect(f"/customers/{customer_id}", flash=said)


def tax_id_badge(tax_id: str, proof: Record | None, *, time_zone: str) -> dict[str, str] | None:
    """Return what the customer's page says beside the VAT number: its form, or when it was found valid."""
    if form_of(compact(tax_id)) == "wrong":
        return {"tone": "failed", "word": _("Its check digits do not fit")}
    if proof is None:
        return None
    if proof["checked_at"] is None:
        return {"tone": "pending", "word": _("Being checked")} if proof["is_waiting"] else None
    day = day_text(today_in(time_zone, now=proof["checked_at"]))
    if proof["is_valid"]:
        return {"tone": "verified", "word": _("Valid on {day}", day=day)}
    return {"tone": "failed", "word": _("Not valid on {day}", day=day)}


async def _ask(ctx: Ctx, customer: dict[str, Any]) -> bool:
    await record(ctx, "customer.tax_id_asked", of="customer", id=customer["customer_id"])
    return await want_proof(ctx, customer["tax_id"])


def _json(tax_id: str, proof: Record | None) -> dict[str, Any]:
    return {
        "tax_id": compact(tax_id),
        "form": form_of(compact(tax_id)),
        "is_waiting": bool(proof and proof["is_waiting"]),
        "is_valid": proof["is_valid"] if proof else None,
        "checked_at": proof["checked_at"] if proof else None,
        "name": proof["name"] if proof else "",
        "address": proof["address"] if proof else "",
    }


_CUSTOMER = {"customer_id": "customer_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES: tuple[Route, ...] = (
    route("GET", "/api/customers/{customer_id}/tax-id", api_tax_id, title="What is known of a VAT number",
          permission="customer.read", params=_CUSTOMER, queries_max=4),
    route("POST", "/api/customers/{customer_id}/tax-id", api_ask_tax_id, title="Check a VAT number",
          permission="customer.write", idempotency="key", effect="change", audit="customer.tax_id_asked",
          params=_CUSTOMER, example={}, queries_max=9),
    route("POST", "/customers/{customer_id}/tax-id", submit_ask_tax_id, title="Check a VAT number", media="html",
          permission="customer.write", idempotency="key", effect="change", audit="customer.tax_id_asked",
          params=_CUSTOMER, example={}, queries_max=8),
)  # fmt: skip
