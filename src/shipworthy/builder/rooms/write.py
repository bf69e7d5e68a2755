"""Writing a planned room into an app: its folder appears whole, and nothing that was there is overwritten."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shipworthy.builder.plan import PlannedFile
from shipworthy.builder.spec import SpecRefused
from shipworthy.builder.tidied import tidied

ROOMS = "rooms"
_PACKAGE = '"""The rooms of this app\'s own."""\n'


def write_room(files: Sequence[PlannedFile], home: Path, *, name: str, app_file: Path, settings: str) -> bool:
    """Write a room's files and then `settings`, which make it part of the app; return whether they were formatted.

    A run that is killed half-way leaves the app as it was: what is new lies beside it until the settings name it.

    Errors:  SpecRefused when something stands where a file would be written, or it cannot be written.
    """
    folder = home / ROOMS / name
    others = [file for file in files if not file.path.startswith(f"{ROOMS}/{name}/")]
    for path in (folder, *(home / file.path for file in others)):
        if path.exists():
            raise SpecRefused(
                f"{path.relative_to(home)} is there already; nothing was written. Move it away first"
            )
    made: list[Path] = []
    try:
        folder.parent.mkdir(exist_ok=True)
        if not (folder.parent / "__init__.py").exists():
            made.append(folder.parent / "__init__.py")
            made[-1].write_text(_PACKAGE, encoding="utf-8")
        draft = Path(tempfile.mkdtemp(prefix=f"new_{name}_", dir=folder.parent))
        made.append(draft)
        for file in files:
            if file not in others:
                _write(draft / Path(file.path).relative_to(ROOMS, name), file.text)
        draft.chmod(0o755)
        draft.rename(folder)
        made.append(folder)
        for file in others:
            made.append(home / file.path)
            _write(home / file.path, file.text)
        is_tidy = tidied([folder, *(home / file.path for file in others)], home=home)
        replaced(app_file, settings)
    except OSError as failed:
        _take_back(made)
        raise SpecRefused(f"{folder} cannot be written ({failed.strerror}); nothing was changed") from failed
    except BaseException:
        _take_back(made)
        raise
    return is_tidy


def replaced(path: Path, text: str) -> None:
    """Put a text in the place of another: whoever reads sees the one or the other, whole."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        draft.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _take_back(made: Sequence[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # it may never have come to be
                path.unlink()
