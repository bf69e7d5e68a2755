"""The previous release is the newest tag before this one, and only this folder's files of it are laid out."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.repository.release import lay_out, previous_tag
from tests.gauntlet.repository.conftest import git, lay, names_in


async def test_the_newest_tag_before_this_release_and_its_files(tmp_path: Path) -> None:
    lay(tmp_path / "all", {"app/one.txt": "1", "other.txt": "x"})
    git(tmp_path / "all", "init", "-q")
    git(tmp_path / "all", "add", ".")
    git(tmp_path / "all", "commit", "-q", "-m", "one")
    app = tmp_path / "all" / "app"
    assert await previous_tag(app) is None
    git(app, "tag", "v1")
    assert await previous_tag(app) is None  # it is this release itself
    git(app, "commit", "-q", "--allow-empty", "-m", "two")
    assert await previous_tag(app) == "v1"
    await lay_out(app, "v1", tmp_path / "then")
    assert names_in(tmp_path / "then") == ["one.txt"]


async def test_no_repository_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(Unmeasurable, match="git"):
        await previous_tag(tmp_path)
