"""Copies of our app with one protection taken out, each for the drill that must notice.

Unlike a mutant, a copy is a whole `up` of its own, database and all: a drill ends processes, and the
cluster that mutants share must not be among them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from shipworthy.contract.finding import RunResult
from shipworthy.gauntlet.adapters.shipworthy import describe
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages.drills import CHECKS
from tests.support.mutants import FOLDER, Mutant, load_mutants
from tests.support.product import patched_sources

UNPROTECTED = FOLDER.parent / "unprotected"
# The worker's drill has its unprotected copy among the mutants.
_OF_MUTANTS = ("worker_acknowledges_first",)


def load_unprotected() -> list[Mutant]:
    """Return one copy or more for each drill."""
    worker = [mutant for mutant in load_mutants() if mutant.name in _OF_MUTANTS]
    return [*worker, *load_mutants(UNPROTECTED)]


async def drilled_copy(home: Path, workshop: Path, mutant: Mutant) -> RunResult:
    """Put a copy of the app in `home` through the one drill its protection is for."""
    sources = patched_sources(workshop / mutant.name, mutant.file.patch)
    command = ("env", f"PYTHONPATH={sources}", sys.executable, "-m", "shipworthy")
    return await run(await describe(home, command=command), CHECKS, mode="full", only=mutant.file.checks[0])


async def drilled(home: Path) -> RunResult:
    """Put the app as it is through every drill."""
    return await run(await describe(home), CHECKS, mode="full")
