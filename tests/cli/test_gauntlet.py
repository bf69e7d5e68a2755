"""`shipworthy gauntlet`: its plan, its refusals, its exit codes and the report it leaves."""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shipworthy.local.ports import free_port

STRANGER = '[target]\nname = "Away"\nurl = "http://127.0.0.1:{port}"\n\n[[slo]]\nname = "page"\nquantile = 0.95\nthreshold_ms = 150\n'


def gauntlet(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shipworthy", "gauntlet", *arguments],
        cwd=cwd,
        env={**os.environ, "SHIPWORTHY_EXAMINER_KEY": "of tests"},
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
        (("--home", "/"), "there is no app.toml and no gauntlet.toml in /"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_2(
    stranger: Path, arguments: tuple[str, ...], said: str
) -> None:
    refused = gauntlet(*arguments, cwd=stranger.parent)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_in_a_strangers_folder_its_file_is_found(stranger: Path) -> None:
    shown = gauntlet("--plan", cwd=stranger.parent)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == gauntlet("--target", str(stranger), "--plan", cwd=stranger.parent).stdout


def test_a_wrong_key_names_its_line_and_the_nearest_name(stranger: Path) -> None:
    stranger.write_text(stranger.read_text().replace("threshold_ms", "treshold_ms"))
    refused = gauntlet("--target", str(stranger), cwd=stranger.parent)
    assert refused.returncode == 2
    assert "gauntlet.toml:8" in refused.stderr
    assert "threshold_ms" in refused.stderr


def test_another_machine_is_refused_with_the_whole_line_that_its_owner_would_serve(stranger: Path) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        where = f'url = "http://shop.sample.example:{server.server_port}"\naddress = "127.0.0.1"'
        stranger.write_text(f'[target]\nname = "Shop"\n{where}\n')
        refused = gauntlet("--target", str(stranger), cwd=stranger.parent)
    finally:
        server.shutdown()
        server.server_close()
    assert refused.returncode == 2
    assert re.search(rf"shipworthy-gauntlet host=shop.sample.example:{server.server_port} until=\S+ token=[0-9a-f]{{64}}\n", refused.stderr)  # fmt: skip
    assert not (stranger.parent / "report").exists()


def test_a_target_that_does_not_answer_is_an_invalid_run_with_a_report(stranger: Path) -> None:
    journey = '[[journey]]\nname = "page"\nslo = "page"\nrate_per_s = 9\nlogin = false\nsteps = [{ method = "GET", path = "/" }]\n'
    stranger.write_text(stranger.read_text() + journey)
    run = gauntlet("--target", str(stranger), "--report", "out", "--json", cwd=stranger.parent)
    assert run.returncode == 4, run.stderr
    document = json.loads(run.stdout)
    assert document["exit_code"] == 4
    assert (stranger.parent / "out" / "report.html").stat().st_size > 1_000
    assert json.loads((stranger.parent / "out" / "report.json").read_text())["verdict"]
