"""Writing a planned app: into a new or empty folder, all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from shipworthy.builder.plan import PlannedFile
from shipworthy.builder.spec import SpecRefused


def write(files: Sequence[PlannedFile], folder: Path) -> None:
    """Write the files; `folder` appears whole, by a rename, or not at all.

    Errors:  SpecRefused when the folder holds something or its parent cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SpecRefused(f"{folder} is not empty; nothing was written. Choose another name")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for file in files:
                (draft / file.path).write_text(file.text, encoding="utf-8")
            draft.chmod(0o755)
            if folder.exists():
                folder.rmdir()
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as failed:
        raise SpecRefused(
            f"{folder} cannot be written ({failed.strerror}). Choose a folder that is yours"
        ) from failed
