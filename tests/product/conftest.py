"""What every test of the whole product shares: apps filled once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.product import Templates


@pytest.fixture(scope="session")
def templates() -> Iterator[Templates]:
    with ExitStack() as kept:
        yield Templates(kept)
