"""Releases: an app's folder as it was when it was brought out, named by its content.

A release is never changed: a process of it that is started again next week runs the same files.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipworthy import __version__
from shipworthy.local.errors import file_errors_explained

# What is not the app: its state, its history, what is made anew anywhere, and the flags, which are set while it runs.
LEFT_OUT = frozenset(
    {
        ".git",
        ".venv",
        ".shipworthy",
        ".shipworthy-backups",
        "node_modules",
        "__pycache__",
        "report",
        "flags.json",
    }
)
_ID_CHARS = 12


@dataclass(frozen=True, kw_only=True)
class Release:
    """One version of the app: where its files lie and which Python runs them."""

    id: str
    folder: Path
    python: str


def take(home: Path, *, into: Path, python: str = sys.executable) -> Release:
    """Return the release that `home` is now, copying it into `into` unless it lies there already.

    Errors:  LocalServiceError (no room, no permission).
    """
    name = identity(home, python=python)
    release = Release(id=name, folder=into / name, python=python)
    if (release.folder / _NOTE).is_file():
        return release
    with file_errors_explained(into):
        into.mkdir(mode=0o711, parents=True, exist_ok=True)
        draft = into / f".{name}-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(home, draft, ignore=_left_out, symlinks=True)
        (draft / _NOTE).write_text(json.dumps({"python": python, "runtime": __version__}), encoding="utf-8")
        shutil.rmtree(release.folder, ignore_errors=True)  # a copy that was broken off
        draft.rename(release.folder)
    return release


def found(name: str, *, into: Path) -> Release | None:
    """Return a release that was taken before; None when it does not lie there whole."""
    try:
        note = json.loads((into / name / _NOTE).read_text(encoding="utf-8"))
        return Release(id=name, folder=into / name, python=str(note["python"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget_all_but(keep: set[str], *, into: Path) -> None:
    """Remove the releases that nothing runs and nothing goes back to."""
    for folder in into.iterdir() if into.is_dir() else ():
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


_NOTE = ".release.json"


def _left_out(_folder: str, names: list[str]) -> set[str]:
    return set(names) & LEFT_OUT


def identity(home: Path, *, python: str = sys.executable) -> str:
    """Return the name that `home` has as a release, whether it was taken or not."""
    digest = hashlib.sha256(f"{python}\0{__version__}".encode())
    for path in _files(home):
        digest.update(f"\0{path.relative_to(home)}\0".encode())
        digest.update(os.readlink(path).encode() if path.is_symlink() else path.read_bytes())
    return digest.hexdigest()[:_ID_CHARS]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in LEFT_OUT or path.name == _NOTE:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file() or path.is_symlink():
            yield path
