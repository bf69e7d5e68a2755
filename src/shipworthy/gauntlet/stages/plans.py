"""Stage "plans": the database reads what the app promised it would read."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.harvest import harvest
from shipworthy.gauntlet.probes.plans import index_used

CHECKS = (
    Check(
        name="plans.index_used",
        title="Every named query uses its index, as its own role, at volume",
        stage="plans",
        run=index_used,
        needs=("queries", "database.admin", "tenants.1"),
        playbook=("P6",),
        timeout_s=180.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="plans.harvest",
        title="What the routes make the database do reads no large table whole",
        stage="plans",
        run=harvest,
        needs=("routes", "database.app"),
        playbook=("P6", "X1"),
        timeout_s=180.0,
        severity=Severity.HIGH,
    ),
)
