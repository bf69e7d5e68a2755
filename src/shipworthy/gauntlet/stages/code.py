"""Stage "code" (S1 of the delivery): the app's own source, by its own tools and its own tests."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check, When
from shipworthy.gauntlet.repository.held import held
from shipworthy.gauntlet.repository.linted import formatted, linted
from shipworthy.gauntlet.repository.tested import properties_hold, tests_pass
from shipworthy.gauntlet.repository.typed import typed

# Not in a quick run: compilers and test suites take as long as they take.
_WHEN: tuple[When, ...] = ("stage", "full")

CHECKS = (
    Check(
        name="code.lint",
        title="The linter finds no defect",
        stage="code",
        run=held(linted, tools=("ruff", "eslint")),
        needs=("files",),
        of_files=True,
        modes=_WHEN,
        playbook=("C1", "X1"),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="code.format",
        title="The source is written as the app's formatter writes it",
        stage="code",
        run=held(formatted, tools=("ruff", "black", "prettier")),
        needs=("files",),
        of_files=True,
        modes=_WHEN,
        playbook=("C1",),
        severity=Severity.LOW,
    ),
    Check(
        name="code.types",
        title="The types do not contradict themselves",
        stage="code",
        run=held(typed, tools=("mypy", "tsc"), packages=True),
        needs=("files",),
        of_files=True,
        modes=_WHEN,
        timeout_s=900.0,
        playbook=("C1", "X1"),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="code.tests",
        title="The app's own tests pass",
        stage="code",
        run=held(tests_pass, tools=("npm",), packages=True),
        needs=("files",),
        of_files=True,
        modes=_WHEN,
        timeout_s=900.0,
        playbook=("C1", "X1"),
        severity=Severity.HIGH,
    ),
    Check(
        name="code.properties",
        title="Its property tests hold in the cases they draw",
        stage="code",
        run=held(properties_hold, packages=True),
        needs=("files",),
        of_files=True,
        modes=_WHEN,
        timeout_s=900.0,
        playbook=("C1",),
        severity=Severity.HIGH,
    ),
)
