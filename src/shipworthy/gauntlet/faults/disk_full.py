"""The fault disk.full: a process of the instance, and all it started, can write no more files.

The disk itself is never filled: it is ours, too. The processes get a limit of 0 bytes for files
(RLIMIT_FSIZE) instead, so that every write to one fails, logs included, while sockets and pipes
go on. They see EFBIG ("File too large") where a full disk says ENOSPC. Linux only, because no
other system lets one process limit another.
"""

from __future__ import annotations

import resource

from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.faults.lease import Lease, confirm
from shipworthy.gauntlet.faults.process_tree import named_process, with_children
from shipworthy.gauntlet.faults.undo import Undo, minds_file_limit, set_file_limit
from shipworthy.gauntlet.processid import ProcessId

NAME = "disk.full"


async def fill_disk(exam: Exam, name: str, *, lease_s: float) -> list[int]:
    """Let the process `name` and all it has started write no file; return their pids.

    Given back when the check ends, at the latest when the lease does.
    Errors:  Undecided where that cannot be done, or would do something else.
    """
    if not hasattr(resource, "prlimit"):
        raise Undecided("Only Linux lets one process limit the files of another.")
    if name == "database":
        # It overwrites logs that are there already: that fails with a limit and not with a full disk.
        raise Undecided("A limit on files ends the database, which a full disk would not do.")
    leases: list[Lease] = []
    pids = []
    for process in with_children(named_process(exam, name)):
        if not minds_file_limit(process.pid):
            raise Undecided(
                f"{name} (pid {process.pid}) would be ended by SIGXFSZ instead of being told of a full disk.",
                fix="Have it ignore SIGXFSZ, as Python, the JVM and Go do.",
            )
        leases.append(await _limited(exam, name, process, lease_s))
        pids.append(process.pid)
    await confirm(leases)
    return pids


async def _limited(exam: Exam, name: str, process: ProcessId, lease_s: float) -> Lease:
    try:
        before, _ = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        undo = Undo(kind="file_limit", pid=process.pid, began=process.began, soft_bytes=before)
        lease = await exam.lease(f"{name} (pid {process.pid}) had no disk", undo, lease_s=lease_s)
        set_file_limit(process.pid, 0)
    except ProcessLookupError:
        raise Undecided(f"{name} (pid {process.pid}) ended meanwhile.") from None
    except PermissionError:
        raise Undecided(f"{name} (pid {process.pid}) belongs to another user.") from None
    return lease
