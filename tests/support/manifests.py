"""Manifests for tests: one that uses every kind of thing a manifest can say."""

from __future__ import annotations

from shipworthy.contract.manifest import (
    Budget,
    Flag,
    Index,
    Job,
    Journey,
    Login,
    Manifest,
    Oracle,
    Query,
    Route,
    Sample,
    Scope,
    Slo,
    Step,
    Table,
)


def full_manifest() -> Manifest:
    """Return a manifest in which every section, and every optional field once, is filled."""
    return Manifest(
        app="Acme",
        runtime="shipworthy 0.1.0",
        rooms=("auth", "invoicing"),
        scope=Scope(realm_setting=None),
        login=Login(route="POST /login", form={"email": "{email}", "password": "{password}"}),
        routes=(_create_invoice(), Route(name="site.home", room="site", method="GET", path="/", host="site")),
        queries=(
            Query(
                name="invoicing.invoice_list_by_status",
                room="invoicing",
                purpose="Newest invoices of the tenant in one status.",
                sql="select id from invoice where status = $1 order by issued_at desc limit 50",
                index=("invoice_tenant_status_issued_idx",),
                rows_max=50,
                params=("'open'",),
                source="rooms/invoicing/queries.sql:12",
            ),
        ),
        indexes=(
            Index(
                name="invoice_tenant_status_issued_idx",
                table="invoice",
                definition="create index ... on invoice (tenant_id, status, issued_at desc)",
            ),
        ),
        tables=(Table(name="invoice", scope="tenant", column="tenant_id"),),
        samples=(Sample(name="invoice_id", sql="select id from invoice limit 1"),),
        jobs=(Job(kind="invoice_pdf", room="invoicing", writes="document", source_column="invoice_id"),),
        slos=(Slo(name="invoice_create", quantile=0.95, threshold_ms=700.0),),
        journeys=(
            Journey(
                name="invoice_create",
                slo="invoice_create",
                rate_per_s=8.0,
                steps=(Step(method="POST", path="/api/invoices", json={"customer": "{sample.customer_id}"}),),
            ),
        ),
        budgets=(Budget(kind="page_bytes", bound=60_000, subject="/"),),
        oracles=(
            Oracle(
                kind="invoice_totals",
                create="invoicing.create_invoice",
                body={"lines": [{"unit_minor": 333, "quantity": 3}]},
                fields={"total": "total_minor"},
            ),
        ),
        flags=(Flag(name="new_editor", default=True),),
        personal=("email",),
        faults_allowed=("kill:worker",),
    )


def _create_invoice() -> Route:
    return Route(
        name="invoicing.create_invoice",
        room="invoicing",
        method="POST",
        path="/api/customers/{customer_id}/invoices",
        permission="invoice.write",
        idempotency="key",
        effect="create",
        body={"type": "object", "properties": {"lines": {"type": "array"}}},
        example={"lines": []},
        params={"customer_id": "customer_id"},
        statuses=(201,),
        slo="invoice_create",
        queries_max=9,
        audit="invoice.created",
        personal=("note",),
        source="rooms/invoicing/web.py:40",
    )
