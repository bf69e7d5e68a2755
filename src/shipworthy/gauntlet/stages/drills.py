"""Stage "drills": something is broken on purpose, and the app must degrade, recover and lose nothing."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.faults import kill_process, lock_table
from shipworthy.gauntlet.probes.drill_worker import worker_killed

CHECKS = (
    Check(
        name="drill.worker_killed",
        title="A worker killed under load loses nothing, doubles nothing and recovers",
        stage="drills",
        run=worker_killed,
        needs=("jobs", "login", "tenants.1", "database.admin", "process.worker", "restarts"),
        playbook=("L4", "P7"),
        faults=(kill_process.NAME, lock_table.NAME),
        disturbs=True,
        timeout_s=240.0,
        severity=Severity.CRITICAL,
    ),
)
