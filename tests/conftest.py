"""Fixtures every test may use. A cluster is real, and started only by the first test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from shipworthy.local.postgres import PostgresAddress
from tests.support.postgres import fresh_cluster

settings.register_profile("house", deadline=None, derandomize=True)  # no test depends on time or luck
settings.load_profile("house")


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresAddress]:
    """The address of this pytest process's own PostgreSQL; make databases in it, not tables."""
    with fresh_cluster() as address:
        yield address
