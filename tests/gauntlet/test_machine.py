"""Facts of machine and code: real ones, or none."""

from __future__ import annotations

import subprocess
from pathlib import Path

from shipworthy.gauntlet.machine import commit_of, core_share, machine_facts


def test_the_machine_is_described_and_nothing_is_empty() -> None:
    facts = machine_facts()
    assert {"cores", "python", "system", "load"} <= set(facts)
    assert all(facts.values())
    assert int(facts["cores"]) >= 1


def test_a_commit_is_named_and_marked_when_there_are_changes(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t.test"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    clean = commit_of(tmp_path)
    assert len(clean) == 12
    (tmp_path / "new.txt").write_text("x")
    assert commit_of(tmp_path) == f"{clean}+"


def test_a_loop_gets_some_share_of_a_core_and_never_more_than_one() -> None:
    assert 0.0 < core_share(0.01) <= 1.0
