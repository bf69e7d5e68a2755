"""One load generator process: a plan in on standard input, progress and the result out as JSON lines."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

import uvloop

from shipworthy.contract.strict import decode, encode
from shipworthy.gauntlet.load.duet import DuetResult, offer_duet
from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.plan import LoadPlan, PlanRefused
from shipworthy.gauntlet.load.result import LoadResult, Progress

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Read the plan, offer the load, write the result; end at once when the parent does."""
    parser = argparse.ArgumentParser(prog="python -m shipworthy.gauntlet.load", description=__doc__)
    parser.add_argument("--cpu", type=int, help="run on this core only")
    parser.add_argument(
        "--with-parent", action="store_true", help="end when standard input or the parent does"
    )
    arguments = parser.parse_args()
    if arguments.with_parent:
        _die_with(os.getppid())
    if arguments.cpu is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.cpu})
    _raise_file_limit()
    plan = decode(LoadPlan, json.loads(sys.stdin.readline()))
    try:
        result = uvloop.run(_offered(plan, with_parent=arguments.with_parent))
    except PlanRefused as refusal:
        _write({"refused": str(refusal)})
    else:
        _write({"duet" if isinstance(result, DuetResult) else "result": encode(result)})


async def _offered(plan: LoadPlan, *, with_parent: bool) -> LoadResult | DuetResult:
    if with_parent:
        # Nothing is ever written after the plan: a readable input is a closed one. Works where
        # there is no death signal, and for a parent that died before the signal was set.
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), os._exit, 3)

    def tell(progress: Progress) -> None:
        _write({"progress": encode(progress)})

    if plan.head_url is not None:
        return await offer_duet(plan, on_second=tell)
    return await offer(plan, on_second=tell)


def _write(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _die_with(parent: int) -> None:
    """Ask the kernel (Linux) to end this process when its parent ends, however it ends."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except AttributeError:
        return  # no prctl here: the closed input will tell
    if os.getppid() != parent:
        sys.exit(3)


def _raise_file_limit() -> None:
    """Allow as many sockets as this user may have; a stalled server leaves thousands open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 65_536
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
