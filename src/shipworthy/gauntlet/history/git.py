"""The history's place in git: a ref of its own, written object by object.

Neither a branch, nor the index, nor the work tree is touched, and no hook is run. A record is a file of its
own, so two histories are united by having the files of both. Whoever is killed on the way leaves objects
that git clears away.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

REF = "refs/shipworthy/history"
TRIES = 200  # of two who write at once one succeeds, so a try is lost to each neighbour at most
TIMEOUT_S = 60.0
_NO_COMMIT = "0" * 40
_OURS = {
    "GIT_AUTHOR_NAME": "Shipworthy gauntlet",
    "GIT_AUTHOR_EMAIL": "gauntlet@localhost",
    "GIT_COMMITTER_NAME": "Shipworthy gauntlet",
    "GIT_COMMITTER_EMAIL": "gauntlet@localhost",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
# Whoever starts us from a hook says where *their* command works.
_THEIRS = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
)


class NoHistory(Exception):
    """There is no history to be had here; the message says why, and what would give one."""


class Ref:
    """The ref of the repository a folder belongs to."""

    def __init__(self, folder: Path) -> None:
        """Errors: NoHistory without git, or outside a repository."""
        self._folder = folder
        try:
            self._git("rev-parse", "--git-dir")
        except _GitRefused as refused:
            if "not a git repository" in refused.said:
                raise NoHistory(f"{folder} is in no git repository; git init makes one") from None
            raise NoHistory(f"git refuses {folder}: {refused.said}") from None

    def add(self, path: str, text: str, *, message: str) -> None:
        """Add a file in a commit of its own. Errors: NoHistory when git does not write."""
        try:
            blob = self._git("hash-object", "-w", "--stdin", given=text)
            self._move(lambda old: self._tree(old, [f"100644 {blob}\t{path}"]), message)
        except _GitRefused as refused:
            raise NoHistory(f"git could not write it: {refused.said}") from None

    def files(self, folder: str) -> list[str]:
        """Return the paths below a folder, sorted."""
        if not self._head():
            return []
        said = self._git("ls-tree", "-r", "-z", "--name-only", REF, f"{folder}/")
        return sorted(path for path in said.split("\0") if path)

    def texts(self, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield files with what stands in them."""
        said = self._raw("cat-file", "--batch", given="".join(f"{REF}:{path}\n" for path in paths).encode())
        place = 0
        for path in paths:
            end = said.index(b"\n", place)
            size = said[place:end].rpartition(b" ")[2]
            if not size.isdigit():  # "missing": the ref has moved on meanwhile
                place = end + 1
                continue
            begin = end + 1
            place = begin + int(size) + 1
            yield path, said[begin : begin + int(size)].decode("utf-8", "replace")

    def unite(self, remote: str) -> int:
        """Fetch a remote's history, have the files of both, and push that; return how many came new.

        Errors:  NoHistory when the remote cannot be reached, or does not take it.
        """
        incoming = f"{REF}-incoming"
        before = set(self._all())
        try:
            theirs = self._git("ls-remote", remote, REF)
            if theirs:
                self._git("fetch", "--quiet", "--no-tags", remote, f"+{REF}:{incoming}")
                came = self._git("rev-parse", incoming)
                entries = self._git("ls-tree", "-r", "-z", incoming).split("\0")
                lines = [f"{e.split(' ')[0]} {e.split(' ')[2]}" for e in entries if e]
                if not self._contains(came):
                    self._move(lambda old: self._tree(old, lines), f"Unite with {remote}", beside=came)
                self._git("update-ref", "-d", incoming)
            self._git("push", "--quiet", remote, f"{REF}:{REF}")
        except _GitRefused as refused:
            raise NoHistory(f"{remote} could not be united with: {refused.said}") from None
        return len(set(self._all()) - before)

    def is_shallow(self) -> bool:
        return self._git("rev-parse", "--is-shallow-repository") == "true"

    def _all(self) -> list[str]:
        return self._git("ls-tree", "-r", "--name-only", REF).splitlines() if self._head() else []

    def _contains(self, commit: str) -> bool:
        head = self._head()
        try:
            return bool(head) and self._git("merge-base", commit, head) == commit
        except _GitRefused:
            return False

    def _head(self) -> str:
        try:
            return self._git("rev-parse", "--verify", "--quiet", f"{REF}^{{commit}}")
        except _GitRefused:
            return ""

    def _move(self, tree_on, message: str, *, beside: str = "") -> None:  # type: ignore[no-untyped-def]
        """Put a commit on the ref; whoever came between, it is put on theirs. Errors: _GitRefused."""
        last: _GitRefused | None = None
        for _ in range(TRIES):
            old = self._head()
            parents = [flag for parent in (old, beside) if parent for flag in ("-p", parent)]
            commit = self._git("commit-tree", tree_on(old), *parents, "-m", message)
            try:
                self._git("update-ref", "-m", message, REF, commit, old or _NO_COMMIT)
            except _GitRefused as refused:
                last = refused
                continue
            return
        assert last is not None
        raise last

    def _tree(self, old: str, entries: Iterable[str]) -> str:
        """Return the tree of a commit with entries ("mode blob<tab>path") added, made in an index of our own."""
        with tempfile.TemporaryDirectory() as scratch:
            env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if old:
                self._git("read-tree", old, env=env)
            self._git("update-index", "--index-info", given="".join(f"{e}\n" for e in entries), env=env)
            return self._git("write-tree", env=env)

    def _git(self, *arguments: str, given: str = "", env: dict[str, str] | None = None) -> str:
        return self._raw(*arguments, given=given.encode(), env=env).decode("utf-8", "replace").strip()

    def _raw(self, *arguments: str, given: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        """Errors: _GitRefused with what it said; NoHistory without git."""
        ours = {name: value for name, value in os.environ.items() if name not in _THEIRS}
        command = ["git", "-C", str(self._folder), "-c", "core.hooksPath=/dev/null", *arguments]
        try:
            done = subprocess.run(
                command,
                input=given,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
                env={**ours, **_OURS, **(env or {})},
            )
        except FileNotFoundError:
            raise NoHistory("git is not installed here") from None
        except subprocess.TimeoutExpired:
            raise _GitRefused(f"it took longer than {TIMEOUT_S:g} s") from None
        if done.returncode != 0:
            raise _GitRefused(
                done.stderr.decode("utf-8", "replace").strip().partition("\n")[0] or "nothing was said"
            )
        return done.stdout


class _GitRefused(Exception):
    def __init__(self, said: str) -> None:
        self.said = said
        super().__init__(said)
