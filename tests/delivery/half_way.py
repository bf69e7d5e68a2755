"""A deploy in a process of its own, to be killed: `python -m tests.delivery.half_way PLACE RELEASE`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from benchmarks.canary.version import JOURNEYS

from shipworthy.delivery.fleet import Place
from shipworthy.delivery.plan import Plan
from shipworthy.delivery.release import Release
from shipworthy.delivery.rollout import Rollout

if __name__ == "__main__":
    _, root, name = sys.argv
    plan = Plan(weights=(50, 100), stage_s=600.0)
    asyncio.run(
        Rollout(Place(Path(root)), Release(id=name, folder=Path(), python=""), plan, journeys=JOURNEYS).run()
    )
