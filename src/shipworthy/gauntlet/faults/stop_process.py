"""The fault process.stop: a process of the instance, and all it started, hangs (SIGSTOP) for a time.

A hung process keeps its sockets: whoever talks to it waits, which is worse than a dead one.
"""

from __future__ import annotations

import signal

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.lease import Lease, confirm
from shipworthy.gauntlet.faults.process_tree import named_process, with_children
from shipworthy.gauntlet.faults.undo import Undo

NAME = "process.stop"


async def stop_process(exam: Exam, name: str, *, lease_s: float) -> list[int]:
    """Stop the process `name` and all it has started; return their pids, its own first.

    They go on when the check ends, at the latest when the lease does. To end it before, heal
    with `exam.heal()`.
    Errors:  Undecided when there is no such process or it may not be stopped.
    """
    leases: list[Lease] = []
    pids = []
    for process in with_children(named_process(exam, name)):
        undo = Undo(kind="continue", pid=process.pid, began=process.began)
        leases.append(await exam.lease(f"{name} was stopped", undo, lease_s=lease_s))
        try:
            was_there = process.send(signal.SIGSTOP)
        except PermissionError:
            raise Undecided(f"{name} (pid {process.pid}) belongs to another user.") from None
        if was_there:
            pids.append(process.pid)
    if not pids:
        raise Undecided(f"{name} had ended before it could be stopped.")
    await confirm(leases)
    return pids
