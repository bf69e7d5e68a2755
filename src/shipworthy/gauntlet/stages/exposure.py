"""Stage "exposure": what the app gives away without being asked: to browsers, to logs, to errors."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.headers import security_headers
from shipworthy.gauntlet.probes.logs import canaries_in_logs

CHECKS = (
    Check(
        name="headers.security",
        title="Every page carries the headers that let a browser protect its reader",
        stage="exposure",
        run=security_headers,
        playbook=("T1", "X1"),
        severity=Severity.MEDIUM,
    ),
    # It sends every route what it may not take, and what it may: sessions end, rows are made.
    Check(
        name="logs.canaries",
        title="What people confide to the app does not turn up in its logs and errors",
        stage="exposure",
        run=canaries_in_logs,
        needs=("routes", "logs"),
        playbook=("T2", "X1"),
        disturbs=True,
        severity=Severity.HIGH,
    ),
)
