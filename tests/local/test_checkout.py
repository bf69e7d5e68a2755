"""A branch's files, laid out without a trace in the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shipworthy.local.checkout import HERE, check_out, name_of
from shipworthy.local.errors import BranchMissing, CheckoutFailed


def git(folder: Path, *arguments: str) -> str:
    own = ("-c", "user.name=A", "-c", "user.email=a@sample.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *own, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An app in a folder of a repository, with a branch that changes it."""
    repository = tmp_path / "repository"
    app = repository / "apps" / "shop"
    app.mkdir(parents=True)
    git(repository, "init", "-q", "-b", "main")
    (repository / "README").write_text("all apps")
    (app / "app.toml").write_text("first")
    (app / ".gitignore").write_text("made/\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "first")
    git(repository, "checkout", "-q", "-b", "feature/prices")
    (app / "app.toml").write_text("second")
    git(repository, "commit", "-q", "-a", "-m", "second")
    git(repository, "checkout", "-q", "main")
    return app


def test_a_branch_is_laid_out_and_the_repository_is_as_it_was(home: Path, tmp_path: Path) -> None:
    def traces() -> list[str]:
        return [
            git(home, *words) for words in (("status", "--short"), ("worktree", "list"), ("branch", "-a"))
        ]

    before = traces()
    found = check_out(home, "feature/prices", into=tmp_path / "out")
    assert found.commit == git(home, "rev-parse", "feature/prices")
    assert sorted(path.name for path in found.folder.iterdir()) == [".gitignore", "app.toml"]
    assert (found.folder / "app.toml").read_text() == "second"
    assert (home / "app.toml").read_text() == "first"
    assert traces() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "repository"]


def test_the_folder_as_it_is_comes_with_what_is_not_committed_and_without_what_is_ignored(
    home: Path, tmp_path: Path
) -> None:
    (home / "app.toml").write_text("not committed")
    (home / "new.txt").write_text("new")
    (home / "made").mkdir()
    (home / "made" / "big").write_text("ignored")
    found = check_out(home, HERE, into=tmp_path / "out")
    assert (found.commit, (found.folder / "app.toml").read_text()) == ("", "not committed")
    assert sorted(path.name for path in found.folder.iterdir()) == [".gitignore", "app.toml", "new.txt"]


def test_a_folder_without_a_repository_is_taken_as_it_is_and_has_no_branches(tmp_path: Path) -> None:
    home = tmp_path / "app"
    (home / ".shipworthy").mkdir(parents=True)
    (home / ".shipworthy" / "secrets.json").write_text("{}")
    (home / "app.toml").write_text("here")
    assert [p.name for p in check_out(home, HERE, into=tmp_path / "out").folder.iterdir()] == ["app.toml"]
    with pytest.raises(CheckoutFailed, match=r"not a git repository(.|\n)*preview up \."):
        check_out(home, "main", into=tmp_path / "other")


@pytest.mark.parametrize("branch", ["feature/price", "--upload-pack=x", "main..feature/prices", ""])
def test_a_branch_that_is_not_there_is_named_with_the_nearest(
    home: Path, tmp_path: Path, branch: str
) -> None:
    near = (
        r"Did you mean 'feature/prices'\?" if branch == "feature/price" else "There are: feature/prices, main"
    )
    with pytest.raises(BranchMissing, match=f"no branch, tag or commit {branch!r}.*({near}|Did you mean)"):
        check_out(home, branch, into=tmp_path / "out")


@pytest.mark.parametrize(
    ("branch", "name"),
    [
        (HERE, "here"),
        ("feature/New-Prices_2", "feature-new-prices-2"),
        ("日本", "preview"),
        ("-x-", "x"),
        ("a" * 80, "a" * 40),
    ],
)
def test_a_branch_has_a_name_that_a_host_can_have(branch: str, name: str) -> None:
    assert name_of(branch) == name
