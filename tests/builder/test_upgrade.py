"""An app that was edited, moved to another scaffold: merged, shown, and written whole or not at all."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from shipworthy.builder.plan import RECORD_FILE, plan
from shipworthy.builder.spec import Spec, SpecRefused, make_spec
from shipworthy.builder.upgrade import JOURNAL, Upgrade, plan_upgrade, undo_unfinished, write_upgrade
from shipworthy.builder.write import write

KNOWN = ["auth", "invoicing", "site"]


def spec() -> Spec:
    return make_spec(folder="shop", name=None, rooms=("site",), known_rooms=KNOWN, locale="en", port=8000)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write(plan(spec(), folder="shop"), tmp_path / "shop")
    return tmp_path / "shop"


def as_of_before(home: Path, path: str, text: str) -> None:
    """Let the app look as if an older scaffold had written this file so."""
    record = json.loads((home / RECORD_FILE).read_text())
    record["files"][path], record["version"] = text, "0.0.1"
    (home / RECORD_FILE).write_text(json.dumps(record))
    (home / path).write_text(text)


def tree(home: Path) -> dict[str, str]:
    return {str(p.relative_to(home)): p.read_text() for p in sorted(home.rglob("*")) if p.is_file()}


def planned(home: Path) -> Upgrade:
    return plan_upgrade(home, known_rooms=KNOWN)


def test_a_fresh_app_has_nothing_to_change(home: Path) -> None:
    assert planned(home).changes == ()


def test_an_edit_stays_and_the_new_lines_come(home: Path) -> None:
    now = (home / "README.md").read_text()
    as_of_before(home, "README.md", now.replace("Hosted CI", "Old CI"))
    (home / "README.md").write_text((home / "README.md").read_text() + "\nMine.\n")
    upgrade = planned(home)
    assert [change.path for change in upgrade.changes] == ["README.md"]
    write_upgrade(upgrade, home)
    assert (home / "README.md").read_text() == f"{now}\nMine.\n"
    assert not (home / JOURNAL).exists()
    assert planned(home).changes == ()


def test_lines_that_both_changed_are_named_and_none_is_lost(home: Path) -> None:
    now = (home / "AGENTS.md").read_text()
    first = now.splitlines()[0]
    as_of_before(home, "AGENTS.md", now.replace(first, "# Before"))
    (home / "AGENTS.md").write_text(now.replace(first, "# Mine"))
    upgrade = planned(home)
    assert upgrade.conflicts == ["AGENTS.md:1"]
    write_upgrade(upgrade, home)
    text = (home / "AGENTS.md").read_text()
    assert "# Mine" in text
    assert first in text


def test_a_file_that_is_no_longer_written_goes_unless_it_was_edited(home: Path) -> None:
    as_of_before(home, "old.txt", "old\n")
    write_upgrade(planned(home), home)
    assert not (home / "old.txt").exists()
    as_of_before(home, "old.txt", "old\n")
    (home / "old.txt").write_text("mine\n")
    upgrade = planned(home)
    assert upgrade.kept == ("old.txt",)
    write_upgrade(upgrade, home)
    assert (home / "old.txt").read_text() == "mine\n"


def test_a_file_that_was_deleted_stays_deleted(home: Path) -> None:
    (home / "Dockerfile").unlink()
    assert planned(home).changes == ()


def test_a_file_that_changed_after_it_was_shown_is_not_overwritten(home: Path) -> None:
    as_of_before(home, "README.md", "before\n")
    upgrade = planned(home)
    (home / "README.md").write_text("meanwhile\n")
    with pytest.raises(SpecRefused, match=r"README.md was changed meanwhile"):
        write_upgrade(upgrade, home)
    assert (home / "README.md").read_text() == "meanwhile\n"


@pytest.mark.parametrize("renames_done", [1, 2, 3])
def test_a_kill_half_way_leaves_the_tree_as_it_was(home: Path, renames_done: int) -> None:
    for path in ("README.md", "AGENTS.md", ".gitignore"):
        as_of_before(home, path, "before\n")
    before, upgrade = tree(home), planned(home)
    if (child := os.fork()) == 0:
        done = 0

        def killed(source: Path, target: Path) -> None:
            nonlocal done
            os.rename(source, target)
            done += 1
            if done > renames_done:  # the first one notes how things were
                os.kill(os.getpid(), signal.SIGKILL)

        Path.rename = killed  # type: ignore[method-assign, assignment]
        write_upgrade(upgrade, home)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert undo_unfinished(home)
    assert tree(home) == before
    assert not undo_unfinished(home)
    assert len(planned(home).changes) == 3


def test_a_failure_half_way_leaves_the_tree_as_it_was(home: Path) -> None:
    as_of_before(home, "README.md", "before\n")
    upgrade = planned(home)
    impossible = replace(upgrade.changes[0], path="zz.txt", before=None, text="\ud800")  # no UTF-8 says it
    before = tree(home)
    with pytest.raises(UnicodeEncodeError):
        write_upgrade(replace(upgrade, changes=(*upgrade.changes, impossible)), home)
    assert tree(home) == before


@pytest.mark.parametrize("text", ["", "[]", '{"version": "1"}'])
def test_an_app_without_a_record_is_refused(home: Path, text: str) -> None:
    (home / RECORD_FILE).write_text(text)
    with pytest.raises(SpecRefused, match="cannot be read"):
        planned(home)
    (home / RECORD_FILE).unlink()
    with pytest.raises(SpecRefused, match=r"there is no .scaffold.json"):
        planned(home)
