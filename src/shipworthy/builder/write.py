"""Writing a planned app: into a new or empty folder, all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shipworthy.builder.plan import PlannedFile
from shipworthy.builder.spec import SpecRefused


def write(files: Sequence[PlannedFile], folder: Path) -> None:
    """Write the files; a new `folder` appears whole, by a rename, or not at all.

    Errors:  SpecRefused when the folder holds something or its parent cannot be written.
    """
    try:
        if not folder.exists():
            _write_new(files, folder)
            return
        if not folder.is_dir():
            raise SpecRefused(f"{folder} is a file; nothing was written. Choose another name")
        if any(folder.iterdir()):
            raise SpecRefused(f"{folder} is not empty; nothing was written. Choose another name")
        _fill(files, folder)
    except OSError as failed:
        raise SpecRefused(
            f"{folder} cannot be written ({failed.strerror}). Choose a folder that is yours"
        ) from failed


def _write_new(files: Sequence[PlannedFile], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for file in files:
            _write_one(file, draft)
        draft.chmod(0o755)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _fill(files: Sequence[PlannedFile], folder: Path) -> None:
    """Write into an empty folder. It is not replaced: a shell may stand in it (`new .`)."""
    try:
        for file in files:
            _write_one(file, folder)
    except BaseException:
        for name in {Path(file.path).parts[0] for file in files}:
            with suppress(OSError):
                (folder / name).unlink(missing_ok=True)
            shutil.rmtree(folder / name, ignore_errors=True)
        raise


def _write_one(file: PlannedFile, folder: Path) -> None:
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.text, encoding="utf-8")
