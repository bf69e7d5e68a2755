"""Facts of a small app, for the runbook's tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shipworthy.contract.manifest import Job, Manifest, Route, Slo, Table
from shipworthy.runbook.diagrams import Column
from shipworthy.runbook.facts import ErrorCode, Facts, OnCall

MANIFEST = Manifest(
    app="Studio",
    runtime="shipworthy 0.1.0",
    rooms=("auth", "invoicing", "site"),
    routes=(
        Route(name="auth.login", room="auth", method="POST", path="/login", slo="login", personal=("email",)),
        Route(
            name="invoicing.make", room="invoicing", method="POST", path="/api/invoices", slo="invoice_create"
        ),
    ),
    jobs=(
        Job(
            kind="invoice.pdf", room="invoicing", writes="invoice_document", triggered_by="POST /api/invoices"
        ),
    ),
    slos=(
        Slo(name="login", quantile=0.95, threshold_ms=200, title="Signing in"),
        Slo(name="invoice_create", quantile=0.95, threshold_ms=700),
        Slo(name="page", quantile=0.95, threshold_ms=150, title="A page's first byte"),
    ),
    tables=tuple(Table(name=name, scope="tenant", column="tenant_id") for name in ("budget", "invoice")),
)
CODES = (
    "alert.acknowledged", "alerts.unheard", "audit.days_reversed", "auth.refused", "body.malformed", "database.busy", "edge.attack", "einvoice.not_xml", "files.unavailable", "host.unknown",
    "idempotency.key_missing", "internal", "invoice.lines_missing", "invoicing.not_draft", "mail.unavailable",
    "method_not_allowed", "money.too_large", "not_found", "permission.missing", "query.malformed",
    "request.cross_site", "session.missing", "site.redirect_loop", "tenant.exists",
)  # fmt: skip
FACTS = Facts(
    manifest=MANIFEST,
    codes=tuple(ErrorCode(code=code, status=422, says=f"It says {code}.") for code in CODES),
    columns=(
        Column(table="customer", name="tenant_id", type="uuid", is_key=True),
        Column(table="invoice", name="customer_id", type="uuid", refers_to="customer"),
    ),
    oncall=OnCall(people=("Ada", "Grace", "Linus")),
)


def facts(**changes: Any) -> Facts:
    return replace(FACTS, **changes)
