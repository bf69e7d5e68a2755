"""Stage "canary" (S6 of the delivery): the version brought out under load beside the one before, and back where it is bad."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.rollout import versions_come_and_go

CHECKS = (
    Check(
        name="canary.deploy",
        title="A new version comes out step by step, and a bad one goes back by itself",
        stage="canary",
        run=versions_come_and_go,
        needs=("deployable", "front", "journeys", "slos"),
        of_files=True,
        playbook=("C6",),
        modes=("full", "stage"),
        timeout_s=900.0,  # four deploys; three to four minutes on two quiet cores
        severity=Severity.CRITICAL,
    ),
)
