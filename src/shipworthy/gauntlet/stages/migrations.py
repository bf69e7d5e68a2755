"""Stage "migrations" (S3 of the delivery): whether a release's change of the schema can be taken back."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.migration_keys import keys_scoped
from shipworthy.gauntlet.probes.migration_locks import locks
from shipworthy.gauntlet.probes.migration_previous import previous_release
from shipworthy.gauntlet.probes.migrations import back_and_forth
from shipworthy.gauntlet.repository.migration_files import phases_kept, sql_linted

CHECKS = (
    Check(
        name="migrations.phases",
        title="Every migration says whether the previous release survives it, and means it",
        stage="migrations",
        run=phases_kept,
        needs=("migrations.files",),
        of_files=True,
        playbook=("C3", "C6"),
        severity=Severity.HIGH,
    ),
    Check(
        name="migrations.squawk",
        title="squawk finds no mistake in the SQL of the migrations",
        stage="migrations",
        run=sql_linted,
        needs=("migrations.files",),
        of_files=True,
        modes=("stage", "full"),
        playbook=("C3",),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="migrations.keys",
        title="Keys and indexes begin with the tenant, and are of types that row security lets them be used for",
        stage="migrations",
        run=keys_scoped,
        needs=("tables", "database.admin"),
        playbook=("C3", "T1", "P6"),
        severity=Severity.MEDIUM,
    ),
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
    Check(
        name="migrations.locks",
        title="The newest migration neither keeps a busy table's writers out nor waits without end",
        stage="migrations",
        run=locks,
        needs=("migrations", "database.any"),
        playbook=("C3",),
        faults=("database.lock",),
        disturbs=True,
        modes=("stage", "full"),
        timeout_s=240.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="migrations.previous",
        title="The previous release's tests pass on the new schema",
        stage="migrations",
        run=previous_release,
        needs=("migrations", "database.any", "files"),
        playbook=("C3", "C6"),
        faults=("database.lock",),
        disturbs=True,
        modes=("stage", "full"),
        timeout_s=600.0,
        severity=Severity.HIGH,
    ),
)
