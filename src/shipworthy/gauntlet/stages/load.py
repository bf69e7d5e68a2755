"""Stage "load": the declared objectives, under the traffic they were declared for."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.objectives import objectives_under_load

CHECKS = (
    Check(
        name="slo",
        title="Every journey keeps its latency objective under load",
        stage="load",
        run=objectives_under_load,
        needs=("journeys", "slos"),
        playbook=("P1", "P2", "P3"),
        timeout_s=900.0,
        severity=Severity.HIGH,
    ),
)
