"""`shipworthy history`: what was kept is shown; what was not says why. Covers: accept, compare."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipworthy.cli.main import group
from shipworthy.gauntlet.history.kept import keep
from shipworthy.gauntlet.report.document import write_json
from shipworthy.gauntlet.snapshot import LOCK_FILE, read_lock
from shipworthy.local.ports import free_port
from tests.support.repository import repository
from tests.support.results import passing_result, run_result

TARGET = '[target]\nname = "Acme"\nurl = "http://127.0.0.1:{port}"\n'
SNAPSHOT = {"plan list": ("invoice by invoice_idx",), "route GET /": ("page_get",)}


def shipworthy(*arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "app")
    monkeypatch.chdir(folder)
    (folder / "gauntlet.toml").write_text(TARGET.replace("{port}", str(free_port())))
    return folder


def test_whole_runs_are_kept_by_themselves_and_shown(app: Path, tmp_path: Path) -> None:
    run = shipworthy("gauntlet", "--target", "gauntlet.toml", "--report", str(tmp_path / "out"))
    assert "1 run kept in this repository" in run.output, run.output
    quiet = shipworthy(
        "gauntlet", "--target", "gauntlet.toml", "--no-history", "--report", str(tmp_path / "out")
    )
    assert "kept in this repository" not in quiet.output
    shown = shipworthy("history", "--target", "gauntlet.toml")
    assert shown.exit_code == 0, shown.output
    assert "when (UTC)" in shown.output
    kept = shipworthy("history", "--target", "gauntlet.toml", "--json").output.splitlines()
    assert [json.loads(line)["target"] for line in kept] == ["Acme"]


def test_without_a_repository_the_run_counts_all_the_same_and_says_it_was_not_kept(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "gauntlet.toml").write_text((app / "gauntlet.toml").read_text())
    monkeypatch.chdir(bare)
    run = shipworthy("gauntlet", "--target", "gauntlet.toml", "--report", "out")
    assert "This run was not kept" in run.output
    assert "git init makes one" in run.output
    assert (bare / "out" / "report.html").is_file()
    shown = shipworthy("history", "--target", "gauntlet.toml")
    assert shown.exit_code != 0
    assert "there is no history" in shown.output


def test_an_app_without_runs_says_so_and_those_of_others_are_not_its_own(app: Path) -> None:
    keep(replace(passing_result(), target="Other"), app)
    shown = shipworthy("history", "--target", "gauntlet.toml")
    assert "No run of Acme was kept yet" in shown.output


def test_what_was_seen_is_accepted_once_and_what_differs_wants_a_reason(app: Path) -> None:
    report = app / "report"
    report.mkdir()
    write_json(run_result(findings=(), snapshot=SNAPSHOT), report / "report.json")

    def accept(*arguments: str) -> Result:
        return shipworthy("gauntlet", "accept", "--target", "gauntlet.toml", *arguments)

    assert "2 plans and routes" in accept("--show").output
    assert not (app / LOCK_FILE).exists()
    first = accept()
    assert first.exit_code == 0, first.output
    assert "Accepted 2" in first.output
    assert "as it was accepted" in accept().output
    changed = {"plan list": ("invoice by other_idx",), "route GET /new": ("page_get",)}
    write_json(run_result(findings=(), snapshot=changed), report / "report.json")
    refused = accept()
    assert refused.exit_code == 2
    assert "+ invoice by other_idx" in refused.output
    assert "say --why" in refused.output
    assert accept("plan other").exit_code == 2
    assert accept("--why", "the list is by customer now").exit_code == 0
    lock = read_lock(app)
    assert set(lock.entries) == set(changed)
    assert lock.reasons[-1].why == "the list is by customer now"


def test_nothing_is_accepted_of_a_run_that_does_not_count_or_saw_nothing(app: Path) -> None:
    report = app / "report"
    report.mkdir()
    for result in (run_result(findings=(), snapshot=SNAPSHOT, valid=False), run_result(findings=())):
        write_json(result, report / "report.json")
        assert shipworthy("gauntlet", "accept", "--target", "gauntlet.toml").exit_code == 2
    assert not (app / LOCK_FILE).exists()


def test_a_commit_that_is_not_there_names_the_nearest(app: Path) -> None:
    nowhere = shipworthy("gauntlet", "compare", "mian", ".", "--target", "gauntlet.toml")
    assert "Did you mean 'main'?" in str(nowhere.exception)
