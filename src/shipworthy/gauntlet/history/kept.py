"""Keeping a run, and reading the runs that were kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from shipworthy.contract.finding import RunResult
from shipworthy.contract.strict import Undecodable
from shipworthy.gauntlet.history.git import NoHistory, Ref
from shipworthy.gauntlet.history.record import Record, read, record_of, written

RUNS_MAX = 200  # read at once: a year of working days


@dataclass(frozen=True, kw_only=True)
class Past:
    """The runs of a target, the newest last. `unreadable` were kept by a program that knew more, or are broken."""

    runs: tuple[Record, ...]
    unreadable: int = 0
    is_shallow: bool = False


def keep(result: RunResult, folder: Path) -> None:
    """Keep a run in the history of the repository that `folder` belongs to.

    Errors:  NoHistory, with the reason; a run of chosen checks is no run of the app, and is refused so.
    """
    if result.mode == "partial":
        raise NoHistory("only whole runs are kept, not chosen checks")
    record = record_of(result)
    path = f"{_folder_of(result.target)}/{record.started_at[:7]}/{record.run_id}.json"
    said = str(record.verdict) if record.valid else "INVALID RUN"
    of = f" at {record.commit}" if record.commit else ""
    Ref(folder).add(path, written(record), message=f"{said}: {result.target}{of}, {record.run_id}")


def past(folder: Path, target: str, *, runs_max: int = RUNS_MAX) -> Past:
    """Return the newest runs of a target. Errors: NoHistory without git."""
    ref = Ref(folder)
    paths = ref.files(_folder_of(target))
    runs, unreadable = [], 0
    for path, text in ref.texts(paths[-runs_max:]):
        try:
            runs.append(read(text, source=path))
        except (Undecodable, KeyError, TypeError, ValueError):
            unreadable += 1
    runs.sort(key=lambda record: record.started_at)
    return Past(runs=tuple(runs), unreadable=unreadable, is_shallow=ref.is_shallow())


def _folder_of(target: str) -> str:
    """Return a target's folder: its name, without what git or a file system would take for more."""
    return "runs/" + (re.sub(r"[^a-z0-9]+", "-", target.lower()).strip("-")[:80] or "app")
