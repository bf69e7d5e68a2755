"""An app's own tests are run once and judged twice; a pytest that hides failures is not believed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages.code import CHECKS
from tests.gauntlet.repository.conftest import Ask, lay, names_in

START = (sys.executable, "shop.py")
PASSES = {"tests/test_shop.py": "def test_one() -> None:\n    assert 1 == 1\n"}
PROPERTY = """from hypothesis import given, settings, strategies


@settings(max_examples=20, database=None)
@given(strategies.integers())
def test_doubling(number: int) -> None:
    assert {claim}
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app's folder; what other packages here bring along for pytest costs seconds and is left out."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:schemathesis -p no:xdist -p no:anyio -p no:asyncio")
    return tmp_path / "app"


async def test_what_passes_is_counted_property_tests_with_the_cases_they_drew(ask: Ask, app: Path) -> None:
    lay(app, {**PASSES, "tests/test_doubling.py": PROPERTY.format(claim="number + number == 2 * number")})
    found = {f.check: f for f in await asked_all(app)}
    assert found["code.tests"].title == "1 tests pass, beside 1 property tests (code.properties)"
    assert found["code.properties"].title == "1 property tests hold in 20 cases"
    assert names_in(app) == ["tests"]  # nothing is left behind


async def test_what_fails_is_named_with_its_line_and_once(ask: Ask, app: Path) -> None:
    wrong = "def test_doubl() -> None:\n    assert 1 == 2, 'no such thing'\n"
    lay(app, {**PASSES, "tests/test_more.py": wrong})
    lay(app, {"tests/test_doubling.py": PROPERTY.format(claim="number < 1000")})
    found = {f.id: f for f in await asked_all(app)}
    assert set(found) == {
        "code.tests:tests/test_more.py::test_doubl",
        "code.properties:tests/test_doubling.py::test_doubling",
    }
    assert {finding.verdict for finding in found.values()} == {Verdict.FAIL}
    more = found["code.tests:tests/test_more.py::test_doubl"]
    assert (more.source, "no such thing" in more.cause) == ("tests/test_more.py:1", True)


async def test_property_tests_alone_are_told_of_by_their_own_check(ask: Ask, app: Path) -> None:
    lay(app, {"tests/test_doubling.py": PROPERTY.format(claim="number < 1000")})
    found = {f.id: f.verdict for f in await asked_all(app)}
    assert found == {
        "code.tests:all": Verdict.NOT_MEASURED,
        "code.properties:tests/test_doubling.py::test_doubling": Verdict.FAIL,
    }


async def asked_all(app: Path) -> list[Finding]:
    """Ask for tests and property tests in one run, which runs them once."""
    target = Target(name="app", kind="command", manifest=Manifest(app="app"), start=START, folder=str(app))
    checks = [check for check in CHECKS if check.name in ("code.tests", "code.properties")]
    return list((await run(target, checks, mode="full")).findings)


async def test_an_app_without_property_tests_is_not_measured(ask: Ask, app: Path) -> None:
    lay(app, PASSES)
    (finding,) = (await ask("code.properties", start=START)).values()
    assert (finding.verdict, "amounts, dates or time zones" in finding.fix) == (Verdict.NOT_MEASURED, True)


async def test_no_test_and_no_interpreter_are_said(ask: Ask, app: Path) -> None:
    (finding,) = (await ask("code.tests", start=START)).values()
    assert "has no tests" in finding.cause
    lay(app, PASSES)
    (finding,) = (await ask("code.tests")).values()
    assert "Python that the app runs with is not known" in finding.cause


async def test_settings_that_run_no_test_are_not_content(ask: Ask, app: Path) -> None:
    lay(app, {**PASSES, "pytest.ini": "[pytest]\npython_functions = nothing_*\n"})
    (finding,) = (await ask("code.tests", start=START)).values()
    assert finding.verdict is Verdict.NOT_MEASURED
    assert "its silence would mean nothing" in finding.cause


async def test_npm_test_counts_when_it_is_red_and_waits_for_a_proof_when_it_is_green(
    ask: Ask, app: Path
) -> None:
    lay(app, {"package.json": '{"scripts": {"test": "exit 3"}}'})
    (finding,) = (await ask("code.tests")).values()
    assert (finding.subject, finding.verdict) == ("npm test", Verdict.FAIL)
    lay(app, {"package.json": '{"scripts": {"test": "exit 0"}}'})
    (finding,) = (await ask("code.tests")).values()
    assert (finding.subject, finding.verdict) == ("npm test", Verdict.NOT_MEASURED)
