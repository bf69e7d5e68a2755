"""Copying a room of ours into an app, where it is the app's own from then on.

Its migrations are copied byte by byte, so a database that has them runs none again. Its imports, and those of the
app's tests and other rooms, are led to the copy.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shipworthy.builder.rooms.write import ROOMS, replaced
from shipworthy.builder.spec import SpecRefused
from shipworthy.builder.tidied import tidied

_NOT_OURS = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True, kw_only=True)
class Ejected:
    """What was written: the room's files, those of the app that were led to it, and whether all are formatted."""

    files: tuple[str, ...]
    led: tuple[str, ...]
    is_tidy: bool


def eject(name: str, *, source: Path, home: Path) -> Ejected:
    """Copy the room in `source` to the app in `home`; its folder appears whole, or not at all.

    Errors:  SpecRefused when the app has a room of this name, or it cannot be written.
    """
    folder = home / ROOMS / name
    if folder.exists():
        raise SpecRefused(f"{ROOMS}/{name} is there already; nothing was written")
    try:
        folder.parent.mkdir(exist_ok=True)
        package = folder.parent / "__init__.py"
        if not package.exists():
            package.write_text('"""The rooms of this app\'s own."""\n', encoding="utf-8")
        _copy(name, source, folder)
        led = _lead(name, home)
    except OSError as failed:
        raise SpecRefused(
            f"{folder} cannot be written ({failed.strerror}). Choose a folder that is yours"
        ) from failed
    is_tidy = tidied([folder, *(home / path for path in led)], home=home)
    files = sorted(path.relative_to(home).as_posix() for path in folder.rglob("*") if path.is_file())
    return Ejected(files=tuple(files), led=tuple(led), is_tidy=is_tidy)


def led_to_the_copy(text: str, name: str) -> str:
    """Return code whose imports of our room are of the app's own."""
    return re.sub(rf"\bshipworthy\.rooms\.{name}\b", f"{ROOMS}.{name}", text)


def _copy(name: str, source: Path, folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=f"new_{name}_", dir=folder.parent))
    try:
        shutil.copytree(source, draft, ignore=_NOT_OURS, dirs_exist_ok=True)
        for path in draft.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            path.write_text(led_to_the_copy(text, name), encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _lead(name: str, home: Path) -> list[str]:
    """Lead the app's own code to the copy; return the paths of what was changed."""
    led = []
    for place in ("tests", ROOMS):
        for path in sorted((home / place).rglob("*.py")):
            if (home / ROOMS / name) in path.parents:
                continue
            text = path.read_text(encoding="utf-8")
            if (changed := led_to_the_copy(text, name)) != text:
                replaced(path, changed)
                led.append(path.relative_to(home).as_posix())
    return led
