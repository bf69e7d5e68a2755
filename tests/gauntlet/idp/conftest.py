"""A stub that knows one app."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shipworthy.gauntlet.idp.stub import Stub, stub_running
from tests.support.relying import APP, Visit


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with stub_running(clients=[APP]) as running:
        yield running


@pytest.fixture
async def visit(stub: Stub) -> AsyncIterator[Visit]:
    made = Visit(stub)
    yield made
    await made.session.close()
