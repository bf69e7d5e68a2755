"""Stage "build" (S4 of the delivery, with "budgets"): what would be shipped, looked at before anything is started."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.repository.dangerous import nothing_dangerous
from shipworthy.gauntlet.repository.flags import no_flag_debt
from shipworthy.gauntlet.repository.held import held
from shipworthy.gauntlet.repository.image import recipe_sound
from shipworthy.gauntlet.repository.leaked import no_secrets
from shipworthy.gauntlet.repository.sbom import bill_of_materials, licences_known
from shipworthy.gauntlet.repository.vulnerable import nothing_vulnerable
from shipworthy.gauntlet.repository.wheel import wheel_builds

CHECKS = (
    Check(
        name="build.secrets",
        title="No secret stands in the app's files or in their history",
        stage="build",
        run=held(no_secrets, tools=("gitleaks",), history=True),
        needs=("files",),
        of_files=True,
        playbook=("C4", "X1"),
        severity=Severity.CRITICAL,
    ),
    Check(
        name="build.static",
        title="The source holds nothing that is dangerous wherever it stands",
        stage="build",
        run=held(nothing_dangerous, tools=("ruff",)),
        needs=("files",),
        of_files=True,
        playbook=("C4", "X1"),
        severity=Severity.HIGH,
    ),
    Check(
        name="build.sbom",
        title="What the app is built of is written down, the programs in its packages too",
        stage="build",
        run=bill_of_materials,
        needs=("files",),
        of_files=True,
        playbook=("C4",),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="build.licences",
        title="Every package states its licence, and none asks for the app's own source",
        stage="build",
        run=held(licences_known, packages=True),
        needs=("files",),
        of_files=True,
        playbook=("C4",),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="build.flags",
        title="Every feature flag has an owner and a day to go, and none is overdue",
        stage="build",
        run=no_flag_debt,
        of_files=True,
        playbook=("C6",),
        severity=Severity.LOW,
    ),
    Check(
        name="build.vulnerabilities",
        title="No package has a known vulnerability",
        stage="build",
        run=nothing_vulnerable,
        needs=("files",),
        of_files=True,
        modes=("full",),
        timeout_s=300.0,
        playbook=("C4",),
        severity=Severity.HIGH,
    ),
    Check(
        name="build.image",
        title="The recipe of the container image is sound",
        stage="build",
        run=held(recipe_sound, tools=("hadolint",)),
        needs=("files",),
        of_files=True,
        modes=("stage", "full"),
        playbook=("C4",),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="build.wheel",
        title="The app's wheel builds and holds the app",
        stage="build",
        run=held(wheel_builds, packages=True),
        needs=("files",),
        of_files=True,
        modes=("stage", "full"),
        timeout_s=300.0,
        playbook=("C4",),
        severity=Severity.MEDIUM,
    ),
)
