"""Stage "preview" (S5 of the delivery): the version at an address of its own, walked through in a real browser."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.flows import flows_walked

CHECKS = (
    Check(
        name="preview.flow",
        title="People get from the beginning to the end of what they came for",
        stage="preview",
        run=flows_walked,
        needs=("flows", "browser"),
        of_files=True,
        playbook=("C5",),
        modes=("full", "stage"),
        timeout_s=420.0,  # a template that must be built first, on two busy cores
        severity=Severity.CRITICAL,
    ),
)
