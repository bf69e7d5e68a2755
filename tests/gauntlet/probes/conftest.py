"""The shop, running, for the probes that do things to it; and checks by name."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.stages import ALL_CHECKS
from shipworthy.local.postgres import PostgresAddress
from tests.support.shop import Shop, shop_running


@pytest.fixture
async def shop(cluster: PostgresAddress) -> AsyncIterator[Shop]:
    async with shop_running(cluster) as running:
        yield running


def check_named(name: str) -> Check:
    return next(check for check in ALL_CHECKS if check.name == name)
