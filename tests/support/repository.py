"""Git repositories for tests: made, looked at, and never the one these tests stand in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_ME = {"NAME": "Ada", "EMAIL": "ada@example.test"}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder as somebody; return what it said."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = {f"GIT_{role}_{what}": said for role in ("AUTHOR", "COMMITTER") for what, said in _ME.items()}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**own, **who, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """Make a repository with one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "app.py").write_text("one = 1\n", encoding="utf-8")
    git(folder, "add", "app.py")
    git(folder, "commit", "--quiet", "-m", "One")
    return folder


def everything_of_theirs(folder: Path) -> tuple[str, ...]:
    """Return what belongs to the people of a repository: branches, index, work tree, where they stand."""
    return (
        git(folder, "for-each-ref", "refs/heads", "refs/tags", "refs/remotes"),
        git(folder, "symbolic-ref", "HEAD"),
        git(folder, "ls-files", "--stage"),
        git(folder, "status", "--porcelain"),
        git(folder, "stash", "list"),
    )
