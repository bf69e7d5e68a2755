"""Moving an app to this version's scaffold: planned first, shown, then written so that a kill leaves it as it was.

Three texts meet in each file: as the scaffold wrote it (the record keeps it), as it is now, and as this version's
scaffold writes it for the same spec.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipworthy import __version__
from shipworthy.builder.merge import merge
from shipworthy.builder.plan import RECORD_FILE, record_text, scaffold, sha256_of
from shipworthy.builder.rooms.write import replaced
from shipworthy.builder.schema import SCHEMA_FILE
from shipworthy.builder.spec import SpecRefused, spec_from

JOURNAL = ".scaffold-upgrade"  # the files as they were, while an upgrade is being written


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one file. `text` None: it goes. `conflicts` are lines at which a person has to decide."""

    path: str
    before: str | None
    text: str | None
    conflicts: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """What an upgrade would do; `kept` are files that this version no longer has, but that were edited."""

    from_version: str
    changes: tuple[Change, ...]
    kept: tuple[str, ...]
    record: str

    @property
    def conflicts(self) -> list[str]:
        return [f"{change.path}:{line}" for change in self.changes for line in change.conflicts]


def plan_upgrade(home: Path, *, known_rooms: Sequence[str]) -> Upgrade:
    """Return what this version's scaffold changes in the app.

    Errors:  SpecRefused when the app has no record, or one that cannot be read.
    """
    record = _record(home)
    spec = spec_from(record["spec"], folder=record["folder"], known_rooms=known_rooms)
    files = scaffold(spec, folder=record["folder"])
    base, new = record["files"], {file.path: file.text for file in files}
    changes, kept = [], []
    for path in sorted({*base, *new}):
        yours = _text_of(home / path)
        if path == SCHEMA_FILE:
            was = yours if yours is not None and sha256_of(yours) == base.get(path) else ""
        else:
            was = base.get(path)
        if path not in new:
            if yours is not None and yours == was:
                changes.append(Change(path=path, before=yours, text=None))
            elif yours is not None:
                kept.append(path)
        elif yours is None:
            if path not in base:  # one that was deleted stays so
                changes.append(Change(path=path, before=None, text=new[path]))
        else:
            merged = merge(was or "", yours, new[path])
            if merged.text != yours:
                changes.append(Change(path=path, before=yours, text=merged.text, conflicts=merged.conflicts))
    return Upgrade(
        from_version=record["version"],
        changes=tuple(changes),
        kept=tuple(kept),
        record=record_text(spec, files, folder=record["folder"]),
    )


def write_upgrade(upgrade: Upgrade, home: Path) -> None:
    """Write what was planned: all of it, or nothing.

    What the files were is kept beside them until the last one is written; `undo_unfinished` brings it back after a kill.

    Errors:  SpecRefused when a file changed since it was read, or cannot be written; nothing is changed then.
    """
    changes = (
        *upgrade.changes,
        Change(path=RECORD_FILE, before=_text_of(home / RECORD_FILE), text=upgrade.record),
    )
    for change in changes:
        if _text_of(home / change.path) != change.before:
            raise SpecRefused(f"{change.path} was changed meanwhile; nothing was written. Look again")
    try:
        _note(changes, home)
        for change in changes:
            path = home / change.path
            if change.text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                replaced(path, change.text)
        _forget(home)
    except OSError as failed:
        undo_unfinished(home)
        raise SpecRefused(
            f"the upgrade cannot be written ({failed.strerror}); the app is as it was"
        ) from failed
    except BaseException:
        undo_unfinished(home)
        raise


def undo_unfinished(home: Path) -> bool:
    """Bring back the files of an upgrade that was killed half-way; say whether there was one."""
    journal = home / JOURNAL
    try:
        noted: Mapping[str, str | None] = json.loads((journal / "files.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        shutil.rmtree(journal, ignore_errors=True)  # killed before anything was changed
        return False
    for name, text in noted.items():
        path = home / name
        if text is None:
            path.unlink(missing_ok=True)
        else:
            replaced(path, text)
    _forget(home)
    return True


def _note(changes: Sequence[Change], home: Path) -> None:
    journal = home / JOURNAL
    journal.mkdir()
    replaced(journal / "files.json", json.dumps({change.path: change.before for change in changes}))


def _forget(home: Path) -> None:
    """The one step that ends an upgrade: without its list the journal means nothing."""
    (home / JOURNAL / "files.json").unlink(missing_ok=True)
    shutil.rmtree(home / JOURNAL, ignore_errors=True)


def _record(home: Path) -> dict[str, Any]:
    text = _text_of(home / RECORD_FILE)
    if text is None:
        raise SpecRefused(
            f"there is no {RECORD_FILE} here, so nobody knows what the scaffold wrote. Apps made before version "
            f"{__version__} have none: make a new one beside it, and compare"
        )
    try:
        record: dict[str, Any] = json.loads(text)
        if not {"version", "folder", "spec", "files"} <= record.keys():
            raise ValueError("something is missing in it")
        return record
    except (ValueError, AttributeError) as broken:
        raise SpecRefused(
            f"{RECORD_FILE} cannot be read ({broken}); take it from version control again"
        ) from broken


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as failed:
        raise SpecRefused(f"{path.name} cannot be read: {failed}") from failed
