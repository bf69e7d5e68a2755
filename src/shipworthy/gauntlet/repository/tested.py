"""The app's own tests: run once, judged apart as tests and as property tests. pytest first proves itself.

A run in which no test ran is no green one. Property tests are those of Hypothesis; for each it says how many
cases it drew, so that one that drew none does not count.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.evidence import clipped
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.components import interpreter_of
from shipworthy.gauntlet.repository.declared import declared, outcome
from shipworthy.gauntlet.repository.source import package_of, python_files
from shipworthy.gauntlet.repository.tool import lay_settings, output_of, ran

TESTS_TIMEOUT_S = 540.0
_SETTINGS = ("pyproject.toml", "pytest.ini", ".pytest.ini", "setup.cfg", "tox.ini")
_HAS = "import importlib.util as u, sys; sys.stdout.write(' '.join(n for n in ('pytest', 'hypothesis') if u.find_spec(n)))"
_INSTALL = "Install it into the app's own environment: pip install pytest hypothesis."
_NONE_RAN = 5  # pytest's exit status when it collected nothing
_RAN = (0, 1, _NONE_RAN)
_NODE = "no test specified"  # what npm init writes where tests go
# In Hypothesis's statistics: the test's name, then how many cases held and how many did not.
_STATISTICS = re.compile(
    r"^(?P<test>\S+\.py\S*::\S.*):$|(?P<passing>\d+) passing(?: examples)?, (?P<failing>\d+) failing",
    re.MULTILINE,
)
_PLANTED = {
    "test_planted.py": "def test_that_fails():\n    assert 1 == 2\n\n\ndef test_that_holds():\n    assert 1 == 1\n",
    "test_planted_property.py": "from hypothesis import given, strategies\n\n\n@given(strategies.integers())\n"
    "def test_of_every_number(number):\n    assert number < 1000\n",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One test that ran: `said` is what it died of, empty where it passed."""

    name: str
    path: str
    line: int
    said: str = ""

    def is_called(self, name: str) -> bool:
        """Say whether pytest's own name ("tests/test_tax.py::TestTax::test_zero") means this test."""
        return name.partition("::")[0] == self.path and name.rpartition("::")[2] == self.name


@dataclass(frozen=True, kw_only=True)
class Tested:
    """What came of a run: every test, and of each property test how many cases were drawn."""

    cases: tuple[Case, ...]
    drawn: dict[str, int]
    has_hypothesis: bool

    @property
    def failed(self) -> list[Case]:
        return [case for case in self.cases if case.said]

    def is_property(self, case: Case) -> bool:
        """Say whether Hypothesis drew a test's cases, or tried to."""
        return any(case.is_called(name) for name in self.drawn)


async def tests_pass(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each failed test, or one that says how many passed; property tests have a check of their own."""
    if (own := await declared(exam, "tests")) is not None:
        return own
    folder = Path(exam.target.folder)
    found, script = [], package_of(folder).get("scripts", {}).get("test", "")
    if script and _NODE not in script:
        found.append(await outcome(exam, "npm test", {}))
    if _is_tested(folder) or not found:
        found += _told(exam, await _of_python(exam))
    return found


async def properties_hold(exam: Exam) -> Sequence[Finding]:
    """Return what the property tests among them say."""
    tested = await _of_python(exam)
    if not tested.has_hypothesis:
        raise Unmeasurable("Hypothesis is not installed where the app's tests run.", fix=_INSTALL)
    drawn = {name: cases for name, cases in tested.drawn.items() if cases}
    failed = [case for case in tested.failed if tested.is_property(case)]
    if failed:
        return [_failed(exam, case) for case in failed]
    if not drawn:
        raise Unmeasurable(
            "None of the app's tests draws its cases.",
            fix="Write one about amounts, dates or time zones: from hypothesis import given (see docs/how-to/delivery-checks.md).",
        )
    cases = Measure(name="cases drawn", unit="cases", estimate=sum(drawn.values()))
    title = f"{len(drawn)} property tests hold in {sum(drawn.values()):,} cases"
    shown = Evidence(
        kind="text", title="Which", text="\n".join(f"{n:6,}  {name}" for name, n in drawn.items())
    )
    return [exam.finding("hypothesis", Verdict.PASS, title, measures=(cases,), evidence=(shown,))]


async def _of_python(exam: Exam) -> Tested:
    return await exam.once("tests", lambda: _run(exam))


async def _run(exam: Exam) -> Tested:
    """Prove pytest on planted tests under the app's settings, then run the app's. Errors: Unmeasurable."""
    folder, interpreter = Path(exam.target.folder), interpreter_of(exam.target)
    if not _is_tested(folder):
        raise Unmeasurable(
            "The app has no tests.",
            fix="Write the first: tests/test_NAME.py, with a function test_WHAT_HOLDS.",
        )
    if interpreter is None:
        raise Unmeasurable(
            "The Python that the app runs with is not known.",
            fix="Make a .venv in its folder, or start it by one.",
        )
    has = (await output_of(interpreter, ["-c", _HAS], cwd=folder)).split()
    if "pytest" not in has:
        raise Unmeasurable("pytest is not installed where the app runs.", fix=_INSTALL)
    with tempfile.TemporaryDirectory(prefix="shipworthy-planted-") as scratch:
        await _prove(interpreter, folder, Path(scratch), has_hypothesis="hypothesis" in has)
    tested = await _pytest(interpreter, folder, [], has_hypothesis="hypothesis" in has)
    if not tested.cases:
        raise Unmeasurable("pytest found no test to run.", fix="See what it collects: pytest --collect-only.")
    return tested


def _is_tested(folder: Path) -> bool:
    return any(path.name.startswith("test_") or path.stem.endswith("_test") for path in python_files(folder))


async def _prove(interpreter: str, folder: Path, scratch: Path, *, has_hypothesis: bool) -> None:
    names = list(_PLANTED) if has_hypothesis else [next(iter(_PLANTED))]
    for name in names:
        (scratch / name).write_text(_PLANTED[name], encoding="utf-8")
    lay_settings(_SETTINGS, folder, scratch)
    tested = await _pytest(interpreter, scratch, names, has_hypothesis=has_hypothesis)
    failed = {case.name for case in tested.failed}
    wanted = {"test_that_fails", *(["test_of_every_number"] if has_hypothesis else [])}
    if failed != wanted or len(tested.cases) != len(wanted) + 1:
        raise Unmeasurable(
            f"Of {len(wanted)} planted failures under the app's settings, pytest told of {len(failed)}: "
            "its silence would mean nothing.",
            fix="Run it by hand on a failing test, and see which of the app's settings hides it.",
        )


async def _pytest(interpreter: str, folder: Path, names: list[str], *, has_hypothesis: bool) -> Tested:
    with tempfile.TemporaryDirectory(prefix="shipworthy-tests-") as scratch:
        report = Path(scratch) / "junit.xml"
        arguments = [
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
            "-o",
            "junit_family=xunit1",
        ]
        arguments += ["--hypothesis-show-statistics"] if has_hypothesis else []
        env = {
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": f"{scratch}/hypothesis",
        }
        ended = await ran(interpreter, [*arguments, *names], cwd=folder, env=env, timeout_s=TESTS_TIMEOUT_S)
        if ended.status not in _RAN or not report.is_file():
            said = clipped((ended.out or ended.err).strip()[-600:], 600)
            raise Unmeasurable(f"pytest ended with exit status {ended.status}: {said}")
        return Tested(cases=tuple(_cases(report)), drawn=_drawn(ended.out), has_hypothesis=has_hypothesis)


def _cases(report: Path) -> list[Case]:
    found = []
    # Written a moment ago by the pytest we started, for us.
    for node in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314
        if node.find("skipped") is not None:
            continue
        wrong = node.find("failure") if node.find("failure") is not None else node.find("error")
        said = "" if wrong is None else (wrong.text or wrong.get("message") or "It failed.").strip()
        path = node.get("file") or (node.get("classname") or "").replace(".", "/") + ".py"
        line = int(node.get("line") or 0) + 1
        found.append(Case(name=node.get("name") or "", path=path, line=line, said=said))
    return found


def _drawn(said: str) -> dict[str, int]:
    """Return how many cases each property test drew, as Hypothesis's own statistics tell it."""
    found: dict[str, int] = {}
    test = ""
    for match in _STATISTICS.finditer(said.partition("Hypothesis Statistics")[2]):
        if match["test"]:
            test = match["test"]
            found[test] = 0
        elif test:
            found[test] += int(match["passing"]) + int(match["failing"])
    return found


def _told(exam: Exam, tested: Tested) -> list[Finding]:
    mine = [case for case in tested.cases if not tested.is_property(case)]
    if not mine:
        raise Unmeasurable("All of the app's tests draw their cases: code.properties tells of them.")
    if failed := [case for case in mine if case.said]:
        return [_failed(exam, case) for case in failed]
    count = Measure(name="tests", unit="tests", estimate=len(mine))
    others = len(tested.cases) - len(mine)
    beside = f", beside {others} property tests (code.properties)" if others else ""
    return [exam.finding("pytest", Verdict.PASS, f"{len(mine)} tests pass{beside}", measures=(count,))]


def _failed(exam: Exam, case: Case) -> Finding:
    first = case.said.partition("\nE ")[2].partition("\n")[0].strip()
    return exam.finding(
        f"{case.path}::{case.name}",
        Verdict.FAIL,
        f"{case.name} fails",
        source=f"{case.path}:{case.line}",
        cause=first or case.said.partition("\n")[0],
        fix=f"Run it alone: pytest {case.path} -k {case.name.partition('[')[0]}",
        evidence=(Evidence(kind="log", title="It said", text=clipped(case.said)),),
    )
