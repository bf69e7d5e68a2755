"""`shipworthy gauntlet`: its plan, its refusals, its exit codes and the report it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shipworthy.local.ports import free_port

STRANGER = '[target]\nname = "Away"\nurl = "http://127.0.0.1:{port}"\n\n[[slo]]\nname = "page"\nquantile = 0.95\nthreshold_ms = 150\n'


def gauntlet(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shipworthy", "gauntlet", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    path = tmp_path / "gauntlet.toml"
    path.write_text(STRANGER.replace("{port}", str(free_port())))
    return path


def test_the_plan_is_the_whole_list_with_what_cannot_be_measured(stranger: Path) -> None:
    shown = gauntlet("--target", str(stranger), "--plan", cwd=stranger.parent)
    assert shown.returncode == 0, shown.stderr
    assert "plans.index_used" in shown.stdout
    assert "not measured" in shown.stdout
    assert "drill.worker_killed" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "nowhere.toml"), "there is no file nowhere.toml"),
        (("--target", "gauntlet.toml", "--stage", "plan"), "did you mean 'plans'?"),
        (("--target", "gauntlet.toml", "--only", "plans.index_usd"), "did you mean 'plans.index_used'?"),
        ((), "there is no app.toml"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_2(
    stranger: Path, arguments: tuple[str, ...], said: str
) -> None:
    refused = gauntlet(*arguments, cwd=stranger.parent)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_wrong_key_names_its_line_and_the_nearest_name(stranger: Path) -> None:
    stranger.write_text(stranger.read_text().replace("threshold_ms", "treshold_ms"))
    refused = gauntlet("--target", str(stranger), cwd=stranger.parent)
    assert refused.returncode == 2
    assert "gauntlet.toml:8" in refused.stderr
    assert "threshold_ms" in refused.stderr


def test_a_target_that_does_not_answer_is_an_invalid_run_with_a_report(stranger: Path) -> None:
    journey = '[[journey]]\nname = "page"\nslo = "page"\nrate_per_s = 9\nlogin = false\nsteps = [{ method = "GET", path = "/" }]\n'
    stranger.write_text(stranger.read_text() + journey)
    run = gauntlet("--target", str(stranger), "--report", "out", "--json", cwd=stranger.parent)
    assert run.returncode == 4, run.stderr
    document = json.loads(run.stdout)
    assert document["exit_code"] == 4
    assert (stranger.parent / "out" / "report.html").stat().st_size > 1_000
    assert json.loads((stranger.parent / "out" / "report.json").read_text())["verdict"]
