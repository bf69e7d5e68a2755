"""Runs are kept in the app's repository, and nothing else of it is touched. Covers: git."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.gauntlet.history.git import REF, NoHistory, Ref
from shipworthy.gauntlet.history.kept import keep, past
from shipworthy.gauntlet.history.record import record_of
from tests.support.repository import everything_of_theirs, git, repository
from tests.support.results import failing_result, passing_result, run_result

RUN = failing_result()


def run_number(number: int) -> object:
    return replace(
        passing_result(),
        run_id=f"20260801-10{number:04d}-aaaaaa",
        started_at=f"2026-08-01T10:{number:02d}:00+00:00",
    )


def test_a_run_is_kept_beside_a_dirty_tree_and_nothing_of_theirs_moves(tmp_path: Path) -> None:
    app = repository(tmp_path / "app")
    (app / "app.py").write_text("two = 2\n")
    (app / "new.py").write_text("three = 3\n")
    git(app, "add", "new.py")
    before = everything_of_theirs(app)
    keep(RUN, app)
    keep(replace(RUN, run_id="20260727-150000-000000", started_at="2026-07-27T15:00:00+00:00"), app)
    assert everything_of_theirs(app) == before
    first, second = past(app, RUN.target).runs
    assert first == record_of(RUN)
    assert second.run_id == "20260727-150000-000000"
    assert git(app, "log", "--format=%s", REF).splitlines()[-1].startswith("FAIL: Acme at 5d1c0be")
    assert past(app, "Another").runs == ()


def test_an_app_in_a_folder_of_a_repository_and_a_strange_name_stay_in_their_place(tmp_path: Path) -> None:
    app = repository(tmp_path / "app")
    (app / "backend").mkdir()
    run = replace(RUN, target="../../Café & Söhne; rm -rf /")
    keep(run, app / "backend")
    assert [r.target for r in past(app, run.target).runs] == [run.target]
    assert git(app, "ls-tree", "-r", "--name-only", REF).startswith("runs/caf-s-hne-rm-rf/2026-07/")


def test_many_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    app = repository(tmp_path / "app")
    with ThreadPoolExecutor(8) as at_once:
        list(at_once.map(lambda number: keep(run_number(number), app), range(16)))  # type: ignore[arg-type]
    assert len(past(app, "Acme").runs) == 16
    git(app, "fsck", "--strict")


def test_who_is_killed_on_the_way_leaves_a_history_that_goes_on(tmp_path: Path) -> None:
    app = repository(tmp_path / "app")
    forever = (
        "import sys\nfrom pathlib import Path\nfrom dataclasses import replace\n"
        "from tests.support.results import passing_result\nfrom shipworthy.gauntlet.history.kept import keep\n"
        "for n in range(10_000):\n"
        "    keep(replace(passing_result(), run_id=f'{n:06d}'), Path(sys.argv[1]))\n    print(n, flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", forever, str(app)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    seen = [writer.stdout.readline() for _ in range(3)]
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    keep(RUN, app)
    kept = past(app, "Acme")
    assert len(kept.runs) > len(seen)
    assert kept.unreadable == 0
    git(app, "fsck", "--strict")


def test_a_shallow_clone_keeps_its_own_runs_and_says_what_it_is(tmp_path: Path) -> None:
    app = repository(tmp_path / "app")
    keep(RUN, app)
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{app}", "clone")
    clone = tmp_path / "clone"
    assert past(clone, "Acme").runs == ()
    keep(run_number(1), clone)  # type: ignore[arg-type]
    found = past(clone, "Acme")
    assert len(found.runs) == 1
    assert found.is_shallow
    assert Ref(clone).unite("origin") == 1
    assert len(past(clone, "Acme").runs) == len(past(app, "Acme").runs) == 2


def test_two_histories_are_united_without_either_losing_a_run(tmp_path: Path) -> None:
    shared = tmp_path / "shared.git"
    git(tmp_path, "init", "--quiet", "--bare", str(shared))
    one, other = repository(tmp_path / "one"), repository(tmp_path / "other")
    for number, app in enumerate((one, other)):
        git(app, "remote", "add", "origin", str(shared))
        keep(run_number(number), app)  # type: ignore[arg-type]
    assert [Ref(one).unite("origin"), Ref(other).unite("origin"), Ref(one).unite("origin")] == [0, 1, 1]
    assert past(one, "Acme").runs == past(other, "Acme").runs
    with pytest.raises(NoHistory, match="nowhere could not be united with"):
        Ref(one).unite("nowhere")


def test_started_from_a_hook_it_does_not_take_the_hooks_index_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, elsewhere = repository(tmp_path / "app"), repository(tmp_path / "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(elsewhere / ".git" / "index"))
    keep(RUN, app)
    assert len(past(app, "Acme").runs) == 1
    monkeypatch.undo()
    assert git(elsewhere, "for-each-ref", "refs/shipworthy") == ""


def test_without_git_or_a_repository_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoHistory, match="is in no git repository; git init makes one"):
        keep(RUN, tmp_path)
    with pytest.raises(NoHistory, match="only whole runs are kept"):
        keep(run_result(findings=(), mode="partial"), tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoHistory, match="git is not installed"):
        past(tmp_path, "Acme")


def test_a_record_nobody_can_read_hides_no_other(tmp_path: Path) -> None:
    app = repository(tmp_path / "app")
    keep(RUN, app)
    for name, text in (
        ("newer", '{"schema": 99}'),
        ("broken", "{"),
        ("empty", "[]"),
        ("odd", '{"schema":1,"measures":{"a":1}}'),
    ):
        Ref(app).add(f"runs/acme/2026-08/{name}.json", text, message=name)
    found = past(app, "Acme")
    assert [record.run_id for record in found.runs] == [RUN.run_id]
    assert found.unreadable == 4
