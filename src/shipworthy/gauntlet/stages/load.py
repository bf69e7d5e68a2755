"""Stage "load": the declared objectives, under the traffic they were declared for, and what it leaves behind."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.memory import memory_slope
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
    # Six thousand requests: half a minute, which the quick gauntlet does not have.
    Check(
        name="memory.slope",
        title="The web process holds no more memory after thousands of requests",
        stage="load",
        run=memory_slope,
        needs=("process.web",),
        playbook=("X1", "X4"),
        modes=("full",),
        timeout_s=600.0,
        severity=Severity.HIGH,
    ),
)
