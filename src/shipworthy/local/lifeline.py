"""Lifelines: a child process ends when the process that started it ends, however it ends.

A lifeline is a tiny shell that blocks on a pipe only we hold open. When we die, killed or
not, the kernel closes the pipe, the shell wakes and signals the child.

Linux's PR_SET_PDEATHSIG was rejected: it fires when the *thread* that forked ends (a start
from a worker thread would kill its own database), needs code between fork and exec, reaches
only the direct child (a web server's own workers would stay) and does not exist elsewhere.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

# $1 target for kill (a pid, or -pgid), $2 signal name, $3 seconds until KILL (0: never).
# A line on the pipe means "it ended by itself, forget it"; end of file means we are gone.
_SCRIPT = """
read -r word && exit 0
kill -s "$2" -- "$1" 2>/dev/null || exit 0
[ "$3" = 0 ] && exit 0
sleep "$3"
kill -s KILL -- "$1" 2>/dev/null
exit 0
"""


class Lifeline:
    """Holds one child's life to ours until `release`.

    With `group` the whole process group that `pid` leads is signalled. `kill_after_s` 0 means
    that the child is asked once and never forced: right for a database, which must not be.
    """

    def __init__(
        self,
        pid: int,
        *,
        how: signal.Signals,
        group: bool = False,
        kill_after_s: int = 0,
        account: dict[str, Any] | None = None,
    ) -> None:
        target = f"-{pid}" if group else str(pid)
        name = how.name.removeprefix("SIG")
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "lifeline", target, name, str(kill_after_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal must not cut the lifeline
            **(account or {}),
        )

    def release(self) -> None:
        """Forget the child, which has ended or is ours to end. May be called twice."""
        pipe = self._shell.stdin
        assert pipe is not None
        if pipe.closed:
            return
        with suppress(BrokenPipeError):
            os.write(pipe.fileno(), b"\n")
        pipe.close()
        self._shell.wait()
