"""Stage "budgets": counts that are the same on every machine, held against declared bounds."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.queries_per_route import queries_per_route

CHECKS = (
    Check(
        name="budget.queries_per_route",
        title="Every route runs no more statements than it promised, and none over and over",
        stage="budgets",
        run=queries_per_route,
        needs=("routes", "database.app"),
        playbook=("P4",),
        timeout_s=300.0,
        severity=Severity.HIGH,
    ),
)
