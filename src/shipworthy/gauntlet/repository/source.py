"""What an app's folder holds: which languages, which settings for which tools, where its own programs are."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shipworthy.contract.target import Target
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.repository.components import interpreter_of

# Not the app's own words: what was installed, what it made while it ran, what is said of it.
NOT_SOURCE = frozenset({"node_modules", "venv", "report", "dist", "build", "__pycache__"})

# Where a copy of our own apps keeps what it made for itself on this machine.
KEPT_HERE = ".shipworthy"


def is_made_here(path: Path, folder: Path, *, report: Path | None) -> bool:
    """Say whether a file in an app's folder is of a run on this machine, and no part of the app: its state, or a report."""
    inside = path.relative_to(folder)
    if inside.parts[:1] in ((KEPT_HERE,), ("report",)):
        return True
    # A report that is to lie in the app's folder itself hides none of it.
    if report is None or folder.resolve() not in report.resolve().parents:
        return False
    return path.resolve().is_relative_to(report.resolve())


def files_of(folder: Path) -> Iterator[Path]:
    """Yield every file of the app's own, in a fixed order; hidden folders and what was installed are left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in NOT_SOURCE and (not name.startswith(".") or name == ".github")
        )
        yield from (Path(place) / name for name in sorted(names))


def python_files(folder: Path) -> list[Path]:
    return [path for path in files_of(folder) if path.suffix == ".py"]


def pyproject_of(folder: Path) -> dict[str, Any]:
    """Return what pyproject.toml says; nothing where there is none. Errors: Unmeasurable when it is broken."""
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as broken:
        raise Unmeasurable(f"pyproject.toml cannot be read: {broken}.", fix="Mend it.") from broken


def package_of(folder: Path) -> dict[str, Any]:
    """Return what package.json says; nothing where there is none. Errors: Unmeasurable when it is broken."""
    try:
        said = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as broken:
        raise Unmeasurable(f"package.json cannot be read: {broken}.", fix="Mend it.") from broken
    return said if isinstance(said, dict) else {}


def own_programs(target: Target) -> list[Path]:
    """Return where the app's own tools lie, to be preferred to the examiner's."""
    interpreter = interpreter_of(target)
    found = [Path(interpreter).parent] if interpreter else []
    return [*found, Path(target.folder) / "node_modules" / ".bin"]
