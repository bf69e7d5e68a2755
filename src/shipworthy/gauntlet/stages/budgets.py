"""Stage "budgets": counts that are the same on every machine, held against declared bounds."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.cold_start import cold_start
from shipworthy.gauntlet.probes.queries_per_route import queries_per_route
from shipworthy.gauntlet.probes.queries_slope import queries_slope
from shipworthy.gauntlet.probes.snapshot import as_accepted
from shipworthy.gauntlet.probes.weights import bundle_bytes, page_bytes

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
    Check(
        name="scale.queries_slope",
        title="A route runs no more statements as the data grows",
        stage="budgets",
        run=queries_slope,
        needs=("routes", "database.app"),
        playbook=("P4", "X1"),
        timeout_s=300.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="snapshot.accepted",
        title="Plans and statements are as somebody accepted them",
        stage="budgets",
        run=as_accepted,
        needs=("lock", "routes", "database.app"),
        playbook=("P4", "P6"),
        timeout_s=300.0,
        severity=Severity.MEDIUM,
    ),
    Check(
        name="budget.bundle_bytes",
        title="The scripts and stylesheets of the signed-in page stay within their bytes",
        stage="budgets",
        run=bundle_bytes,
        needs=("budgets",),
        playbook=("P4",),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="budget.page_bytes",
        title="A published page stays within its bytes",
        stage="budgets",
        run=page_bytes,
        needs=("budgets",),
        playbook=("P4",),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="budget.cold_start",
        title="The app answers soon after it is started",
        stage="budgets",
        run=cold_start,
        needs=("budgets", "started"),
        playbook=("P4",),
        severity=Severity.MEDIUM,
    ),
)
