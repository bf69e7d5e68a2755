"""Fixtures every test may use. A cluster is real, and started only by the first test that asks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from shipworthy.local.postgres import PostgresAddress
from tests.support.deeper import TIMES
from tests.support.postgres import fresh_cluster

# No test depends on time or luck; a proof asks for more, and draws anew.
settings.register_profile("house", deadline=None, derandomize=TIMES == 1, max_examples=100 * TIMES)
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Answers the examiner keeps go where the tests are, not into the home of whoever runs them."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresAddress]:
    """The address of this pytest process's own PostgreSQL; make databases in it, not tables."""
    with fresh_cluster() as address:
        yield address


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of the whole product on one worker: they share an app, and measure it.

    `--dist loadgroup` would read that from their marks, but with pytest 9.2 xdist 3.8 loses
    them in silence (pytest-xdist issue 1386); the folder says the same.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ProductTogether(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "product" if nodeid.startswith("tests/product/") else nodeid

    return ProductTogether(config, log) if config.getvalue("dist") == "loadgroup" else None
