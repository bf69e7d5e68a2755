"""What is counted stays bounded; that it reaches the database, and waits while that is away: test_book, test_taking."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from shipworthy.kernel.db.tx import Tx
from shipworthy.rooms.site.tally import Tally

TENANT = uuid.uuid4()


class Small(Tally[tuple[uuid.UUID, str]]):
    keys_max = 2

    def group_of(self, thing: tuple[uuid.UUID, str]) -> tuple[uuid.UUID, ...]:
        return thing[:1]  # type: ignore[return-value]

    async def write(self, tx: Tx, group: tuple[uuid.UUID, ...], counts: Mapping[Any, int]) -> None:
        raise AssertionError("nothing is written here")


def test_no_more_things_are_kept_than_may_be_and_those_go_on() -> None:
    tally = Small(None)  # type: ignore[arg-type]
    tally.count((TENANT, name) for name in "abcab")
    assert tally._counts == {(TENANT, "a"): 2, (TENANT, "b"): 2}
