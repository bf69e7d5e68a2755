"""A branch's files in a folder of their own, with nothing left behind in the repository.

Git's plumbing with an index of ours, not `git worktree`: that keeps an entry in the repository,
which would outlive us when we are killed, and a second checkout of one branch is refused.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from shipworthy.local.errors import (
    BranchMissing,
    CheckoutFailed,
    disk_full,
    file_errors_explained,
    tells_of_full_disk,
)
from shipworthy.local.statedir import BACKUPS_DIR_NAME, STATE_DIR_NAME

HERE = "."  # the folder as it is, changes that are not committed included
_GIT_TIMEOUT_S = 120.0
_NAME_CHARS_MAX = 40  # of a host's label, which may have 63
_NOT_COPIED = (".git", STATE_DIR_NAME, BACKUPS_DIR_NAME, "report", "__pycache__", ".venv", "node_modules")


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """Files that were laid out: the app's folder in them, and the commit they are of ("" of none)."""

    folder: Path
    commit: str


def name_of(branch: str) -> str:
    """Return the branch's name as a host can be called: "feature/New-Prices" is "feature-new-prices"."""
    if branch == HERE:
        return "here"
    words = re.sub(r"[^a-z0-9]+", "-", branch.lower())[:_NAME_CHARS_MAX].strip("-")
    return words or "preview"


def check_out(home: Path, branch: str, *, into: Path) -> Checkout:
    """Lay out the app of `home` as it is on `branch` (or HERE) in the new folder `into`.

    Errors:  BranchMissing, naming the nearest; CheckoutFailed; DiskFull, StateDirUnusable.
    """
    with file_errors_explained(into.parent):
        into.mkdir(parents=True)
        if branch == HERE:
            return Checkout(folder=_copied(home, into), commit="")
    commit = _commit_of(home, branch)
    prefix = _git(home, "rev-parse", "--show-prefix").strip("/")
    environment = {
        "GIT_DIR": _git(home, "rev-parse", "--absolute-git-dir"),
        "GIT_WORK_TREE": str(into),
        "GIT_INDEX_FILE": str(into.with_suffix(".index")),
    }
    try:
        _git(into, "read-tree", f"{commit}:{prefix}", environment=environment)
        _git(into, "checkout-index", "--all", "--force", environment=environment)
    finally:
        into.with_suffix(".index").unlink(missing_ok=True)
    return Checkout(folder=into, commit=commit)


def _commit_of(home: Path, branch: str) -> str:
    for name in (branch, f"origin/{branch}"):
        try:
            return _git(home, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except _GitRefused as refused:
            if "repository" in str(refused):  # there is none, or it is somebody else's
                raise CheckoutFailed(
                    f"Git cannot read a branch in {home}: {refused}. `shipworthy preview up .` shows the folder as it is."
                ) from refused
    known = _git(home, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes").split()
    near = get_close_matches(branch, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known[:12]) or 'none yet'}."
    raise BranchMissing(f"There is no branch, tag or commit {branch!r} in the repository of {home}. {hint}")


def _copied(home: Path, into: Path) -> Path:
    for relative in _files_of(home):
        source, goal = home / relative, into / relative
        if source.is_symlink() or source.is_file():  # what git knows may be deleted already
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, goal, follow_symlinks=False)
    return into


def _files_of(home: Path) -> list[Path]:
    """What git would take along; without a repository, everything but what is made by running."""
    try:
        listed = _git(home, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
        return [Path(name) for name in listed.split("\0") if name]
    except CheckoutFailed:
        found: list[Path] = []
        for folder, folders, files in os.walk(home):
            folders[:] = [name for name in folders if name not in _NOT_COPIED]
            found += [(Path(folder) / name).relative_to(home) for name in files]
        return found


class _GitRefused(CheckoutFailed):
    """The message is git's own."""


def _git(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env={**own, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as missing:
        raise CheckoutFailed(
            "Git is not installed, so no branch can be checked out. "
            "`shipworthy preview up .` shows the folder as it is."
        ) from missing
    except subprocess.TimeoutExpired as late:
        raise CheckoutFailed(f"git {arguments[0]} took longer than {_GIT_TIMEOUT_S:g} s.") from late
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape").strip("\n")
    if tells_of_full_disk(said):
        raise disk_full(folder)
    raise _GitRefused(said.removeprefix("fatal: ") or f"git {arguments[0]} refused")
