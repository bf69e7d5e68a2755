"""Stage "exposure": what the app gives away without being asked: to browsers, to logs, to errors."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.headers import security_headers

CHECKS = (
    Check(
        name="headers.security",
        title="Every page carries the headers that let a browser protect its reader",
        stage="exposure",
        run=security_headers,
        playbook=("T1", "X1"),
        severity=Severity.MEDIUM,
    ),
)
