"""One door to a running instance, whatever kind of target it is."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from shipworthy.contract.target import Target
from shipworthy.gauntlet.adapters.command import started_by_command
from shipworthy.gauntlet.adapters.shipworthy import started_by_up
from shipworthy.gauntlet.adapters.url import running_already
from shipworthy.gauntlet.exam import Instance


def started(target: Target, scratch: Path) -> AbstractAsyncContextManager[Instance]:
    """Return a context that starts the target and stops what it started.

    Errors:  StartFailed on entering, with a sentence a person can act on.
    """
    if target.kind == "shipworthy":
        return started_by_up(target, scratch)
    if target.kind == "command":
        return started_by_command(target, scratch)
    return running_already(target)
