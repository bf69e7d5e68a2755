"""Fixtures every test may use. A cluster is real, and started only by the first test that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shipworthy.local.postgres import PostgresAddress
from tests.support.postgres import fresh_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresAddress]:
    """The address of this pytest process's own PostgreSQL; make databases in it, not tables."""
    with fresh_cluster() as address:
        yield address
