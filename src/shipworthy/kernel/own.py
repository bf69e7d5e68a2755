"""What the kernel itself declares, in the words of a room: its routes, jobs, tables and who may use them.

It stands behind the rooms of every app: `declared(rooms)` are all of them, the kernel's last.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shipworthy.contract.manifest import Sample, Table
from shipworthy.kernel.audit.exports import JOBS as AUDIT_JOBS
from shipworthy.kernel.audit.web import NAV as AUDIT_NAV
from shipworthy.kernel.audit.web import PERMISSIONS as AUDIT_PERMISSIONS
from shipworthy.kernel.audit.web import ROUTES as AUDIT_ROUTES
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.files.web import ROUTES as FILE_ROUTES
from shipworthy.kernel.http.runbook_pages import NAV as RUNBOOK_NAV
from shipworthy.kernel.http.runbook_pages import ROUTES as RUNBOOK_ROUTES
from shipworthy.kernel.http.trace_pages import NAV as TRACE_NAV
from shipworthy.kernel.http.trace_pages import ROUTES as TRACE_ROUTES
from shipworthy.kernel.objectives.web import NAV as OBJECTIVE_NAV
from shipworthy.kernel.objectives.web import ROUTES as OBJECTIVE_ROUTES
from shipworthy.kernel.quotas.telling import JOBS as QUOTA_JOBS
from shipworthy.kernel.quotas.web import NAV as USAGE_NAV
from shipworthy.kernel.quotas.web import PERMISSIONS as USAGE_PERMISSIONS
from shipworthy.kernel.quotas.web import ROUTES as USAGE_ROUTES
from shipworthy.kernel.room import Room

_FOLDER = Path(__file__).parent

TABLES = (
    *(Table(name=name, scope="realm", column="realm_id") for name in ("realm", "tenant", "session", "realm_audit", "audit_tip", "audit_anchor", "operator", "edge_limit")),
    *(
        Table(name=name, scope="tenant", column="tenant_id")
        for name in ("idempotency_key", "audit", "audit_head", "audit_export", "audit_personal", "tenant_limit", "budget", "usage_event",
                     "usage_hold", "usage_day", "usage_notice", "job_waiting")
    ),
    *(Table(name=name, scope="worker") for name in ("audit_due", "usage_due", "job_line", "job_flow")),
    Table(name="schema_migration", scope="shared"),
    *(
        Table(name=name, scope="worker")
        for name in ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
    ),
)  # fmt: skip

OWN = Room(
    name="kernel",
    folder=_FOLDER,
    queries=load_queries(_FOLDER / "queries.sql", room="kernel"),
    routes=FILE_ROUTES + USAGE_ROUTES + AUDIT_ROUTES + OBJECTIVE_ROUTES + TRACE_ROUTES + RUNBOOK_ROUTES,
    jobs=AUDIT_JOBS + QUOTA_JOBS,
    nav=USAGE_NAV + AUDIT_NAV + OBJECTIVE_NAV + TRACE_NAV + RUNBOOK_NAV,
    permissions={
        role: AUDIT_PERMISSIONS.get(role, frozenset()) | USAGE_PERMISSIONS.get(role, frozenset())
        for role in AUDIT_PERMISSIONS.keys() | USAGE_PERMISSIONS.keys()
    },
    tables=TABLES,
    samples=(
        # Of the operators' pages, for a tenant to be refused.
        Sample(name="alert", sql="select '00000000'"),
        Sample(name="trace", sql="select '00000000'"),
        Sample(name="page", sql="select 'restore'"),
    ),
)


def declared(rooms: Iterable[Room]) -> tuple[Room, ...]:
    """Return all that is declared: the rooms', then the kernel's own."""
    return (*rooms, OWN)
