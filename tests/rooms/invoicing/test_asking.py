"""Services of others: how long a silent one is left alone."""

from __future__ import annotations

from shipworthy.rooms.invoicing.asking import TRIES_MAX, pause_s


def test_the_pauses_grow_to_an_hour_and_no_further() -> None:
    assert [pause_s(tries) for tries in (1, 2, 3)] == [10, 20, 40]
    assert pause_s(TRIES_MAX) == 3600
