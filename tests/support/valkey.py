"""A Valkey of one test's own, as `up` would start it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from shipworthy.local.ports import free_port
from shipworthy.local.processes import Supervisor
from shipworthy.local.statedir import StateDir
from shipworthy.local.valkey import valkey_child, valkey_url

PASSWORD = "password-of-tests"


@asynccontextmanager
async def valkey_running(folder: Path, *, port: int = 0) -> AsyncIterator[str]:
    """Yield its address; it is ended with the block."""
    port = port or free_port()
    supervisor = Supervisor()
    try:
        await supervisor.start(valkey_child(StateDir(folder).ensure(), port=port, password=PASSWORD))
        yield valkey_url(port=port, password=PASSWORD)
    finally:
        await supervisor.stop()
