"""What every test of the whole product shares: an app filled once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.product import Template, filled_template


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    with filled_template() as filled:
        yield filled
