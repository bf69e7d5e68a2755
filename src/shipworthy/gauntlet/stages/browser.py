"""Stage "browser": what people meet, in a real one: how fast it is there, whether it stands still, who can use it."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.axe import usable_by_everyone
from shipworthy.gauntlet.probes.vitals import lab_vitals
from shipworthy.gauntlet.probes.vitals_load import vitals_under_load

CHECKS = (
    Check(
        name="a11y.axe",
        title="Nothing on any page keeps people out",
        stage="browser",
        run=usable_by_everyone,
        needs=("any_rate", "browser"),
        playbook=("P9", "X1"),
        timeout_s=600.0,
        severity=Severity.MEDIUM,
    ),
    Check(
        name="vitals.lab",
        title="Every page is quick and stands still, on a desk and on a slow phone",
        stage="browser",
        run=lab_vitals,
        needs=("any_rate", "browser"),
        playbook=("P3", "P9", "X1"),
        timeout_s=1_800.0,
        severity=Severity.MEDIUM,
    ),
    Check(
        name="vitals.under_load",
        title="Pages stay quick and stand still while the app is under its load",
        stage="browser",
        run=vitals_under_load,
        needs=("any_rate", "browser", "journeys", "slos"),
        playbook=("L3", "P3"),
        modes=("full",),
        timeout_s=600.0,
        severity=Severity.MEDIUM,
    ),
)
