"""The stages in the order of a run. A new check is listed in its stage's file, nowhere else."""

from __future__ import annotations

from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.stages import (
    browser,
    budgets,
    build,
    canary,
    code,
    contract,
    drills,
    exposure,
    integrity,
    isolation,
    load,
    migrations,
    plans,
    preview,
)

# Deterministic questions first: they are quick, and a failed one explains much of what follows.
ALL_CHECKS: tuple[Check, ...] = (
    *code.CHECKS,
    *build.CHECKS,
    *preview.CHECKS,  # on an instance of its own, before there is another
    *canary.CHECKS,  # the same
    *plans.CHECKS,
    *isolation.CHECKS,
    *integrity.CHECKS,
    *exposure.CHECKS,  # after what counts rows: its requests leave work in the queue
    *contract.CHECKS,
    *budgets.CHECKS,
    *browser.CHECKS,
    *load.CHECKS,
    *migrations.CHECKS,
    *drills.CHECKS,
)
