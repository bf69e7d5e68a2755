"""A process of the instance with all it has started: what a fault on "the database" means."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.kill_process import pid_of
from shipworthy.gauntlet.processid import ProcessId, children_of, process_id


def named_process(exam: Exam, name: str) -> ProcessId:
    """Return the process that the handle gives this name.

    Errors:  Undecided when there is none.
    """
    pid = pid_of(exam, name)
    found = process_id(pid) if pid is not None else None
    if found is None:
        raise Undecided(f"The instance names no running process {name!r}.")
    return found


def with_children(process: ProcessId) -> Iterator[ProcessId]:
    """Yield a process, then its children and theirs; children are looked for after it was yielded.

    Whoever stops each as it comes stops all: one that is stopped starts no more.
    """
    yield process
    for pid in children_of(process.pid):
        child = process_id(pid)
        if child is not None:
            yield from with_children(child)
