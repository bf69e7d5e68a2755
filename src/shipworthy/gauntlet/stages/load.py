"""Stage "load": the declared objectives, under the traffic they were declared for, and what it leaves behind."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes import auth_spike, crawl, invoice_load
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
    Check(
        name=crawl.CHECK,
        title="Crawlers find every page, once and fresh, while they read and people publish",
        stage="load",
        run=crawl.crawl,
        needs=("any_rate", "loads.crawl", "slos"),
        playbook=("L3", "P3", "P9"),
        modes=("full",),
        timeout_s=900.0,
        severity=Severity.HIGH,
    ),
    # Before the spike: it wants the sessions of an instance nobody has throttled.
    Check(
        name=invoice_load.CHECK,
        title="Invoices written and edited under load are exact, once, and there",
        stage="load",
        run=invoice_load.invoices_under_load,
        needs=("any_rate", "loads.invoices", "oracles", "slos"),
        playbook=("L2", "P2"),
        modes=("full",),
        timeout_s=600.0,
        severity=Severity.HIGH,
    ),
    Check(
        name=auth_spike.CHECK,
        title="A spike of sign-ins is served as far as the machine goes, and locks nobody out",
        stage="load",
        run=auth_spike.auth_spike,
        needs=("any_rate", "loads.auth_spike", "slos"),
        playbook=("L1", "P1", "X4"),
        modes=("full",),
        disturbs=True,
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
