"""The result document: read back whole, versioned, honest about how the run ended."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.contract.finding import Measure
from shipworthy.contract.strict import Undecodable
from shipworthy.contract.verdict import ExitCode
from shipworthy.gauntlet.report.document import exit_code_of, read_json, write_json
from tests.support.results import every_result, finding, run_result


@pytest.mark.parametrize("name", sorted(every_result()))
def test_a_written_run_is_read_back_whole(name: str, tmp_path: Path) -> None:
    result = every_result()[name]
    write_json(result, tmp_path / "result.json")
    assert read_json(tmp_path / "result.json") == result
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize(
    ("name", "verdict", "code"),
    [
        ("full", "PASS", 0),
        ("fail", "FAIL", 1),
        ("inconclusive", "INCONCLUSIVE", 3),
        ("nothing", "NOT MEASURED", 3),
        ("invalid", "PASS", 4),
    ],
)
def test_the_file_starts_with_version_verdict_exit_code_and_coverage(
    name: str, verdict: str, code: int, tmp_path: Path
) -> None:
    write_json(every_result()[name], tmp_path / "result.json")
    document = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert list(document)[:4] == ["schema", "verdict", "exit_code", "coverage"]
    assert (document["schema"], document["verdict"], document["exit_code"]) == (1, verdict, code)
    assert document["coverage"] == every_result()[name].coverage
    assert document["coverage_of_subjects"] == every_result()[name].coverage_of_subjects


def test_an_invalid_run_ends_as_invalid_whatever_it_found() -> None:
    for name in ("full", "fail"):
        assert exit_code_of(replace(every_result()[name], valid=False)) is ExitCode.INVALID_RUN


def test_a_file_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    for content, found in (('{"schema": 2}', "found 2"), ("{}", "found None"), ("[]", "found None")):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(Undecodable, match=f"not a result of version 1 \\({found}\\)"):
            read_json(path)


def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(every_result()["fail"], path)
    text = path.read_text(encoding="utf-8")
    line = next(n for n, row in enumerate(text.split("\n"), 1) if '"duration_s"' in row)
    path.write_text(text.replace('"duration_s": 161.4', '"duration_s": "long"'), encoding="utf-8")
    with pytest.raises(Undecodable, match=rf"result\.json:{line}: duration_s must be a number, not 'long'"):
        read_json(path)


def test_a_number_json_cannot_say_leaves_the_former_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(run_result(findings=()), path)
    endless = finding("a.b", "c", "t", measures=(Measure(name="m", unit="ms", estimate=float("inf")),))
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(run_result(findings=(endless,)), path)
    assert read_json(path).findings == ()


def test_half_a_character_out_of_a_broken_answer_can_be_written(tmp_path: Path) -> None:
    broken = finding("a.b", "c", "half \ud83d of a ship")
    write_json(run_result(findings=(broken,)), tmp_path / "result.json")
    assert read_json(tmp_path / "result.json").findings[0].title == "half ? of a ship"
