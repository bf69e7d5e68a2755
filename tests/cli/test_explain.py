"""`shipworthy explain`: one finding whole, the list of what is open, and the formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipworthy.cli.explain import command
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.document import write_json
from tests.support.results import failing_result


@pytest.fixture
def report(tmp_path: Path) -> Path:
    write_json(failing_result(), tmp_path / "report.json")
    return tmp_path


def explain(report: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--report", str(report)])


FAILED = [finding for finding in failing_result().findings if finding.verdict is Verdict.FAIL]


def test_a_finding_is_told_whole_with_its_command(report: Path) -> None:
    told = explain(report, FAILED[0].id)
    assert told.exit_code == 0, told.output
    assert FAILED[0].id in told.output
    assert "shipworthy gauntlet --only" in told.output
    assert "done when" in told.output


def test_without_an_id_what_is_open_is_listed(report: Path) -> None:
    listed = explain(report)
    assert listed.exit_code == 0
    assert listed.output.count("shipworthy explain '") >= len(FAILED)


def test_a_part_that_several_have_lists_them_and_an_unknown_one_names_the_nearest(report: Path) -> None:
    several = explain(report, ".")
    assert several.exit_code == 2
    assert "findings are called so" in several.output
    unknown = explain(report, FAILED[0].id + "x")
    assert unknown.exit_code == 2
    assert FAILED[0].id in unknown.output


def test_a_format_is_the_whole_report(report: Path) -> None:
    document = json.loads(explain(report, "--format", "sarif").output)
    assert len(document["runs"][0]["results"]) >= len(FAILED)
    assert explain(report, "x", "--format", "sarif").exit_code == 2


def test_no_report_says_what_to_do(tmp_path: Path) -> None:
    missing = explain(tmp_path)
    assert missing.exit_code == 1
    assert "Run shipworthy gauntlet first" in missing.output
    (tmp_path / "report.json").write_text("{")
    assert "cannot be read" in explain(tmp_path).output
