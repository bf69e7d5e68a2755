"""Stage "migrations" (S3 of the delivery): whether a release's change of the schema can be taken back."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.migrations import back_and_forth

CHECKS = (
    # The app is turned away from its database while that is copied.
    Check(
        name="migrations.back_and_forth",
        title="Migrations go back and forward again, with the same schema and the same rows",
        stage="migrations",
        run=back_and_forth,
        needs=("migrations", "database.any"),
        playbook=("C3",),
        faults=("database.lock",),
        disturbs=True,
        timeout_s=240.0,
        severity=Severity.HIGH,
    ),
)
