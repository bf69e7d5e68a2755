"""What a toxic asks for, as numbers: pure."""

from __future__ import annotations

from math import inf, nan

import pytest

from shipworthy.gauntlet.proxy.toxic import Toxic, held_for_s, rate_bytes_per_s, slice_bytes


def test_delays_add_up_and_jitter_never_delivers_before_the_sending() -> None:
    toxics = [
        Toxic(kind="latency", latency_ms=100, jitter_ms=100),
        Toxic(kind="slow_close", delay_ms=50),
        Toxic(kind="latency", latency_ms=10),
    ]
    assert held_for_s(toxics, roll=-1, is_end=False) == pytest.approx(0.010)
    assert held_for_s(toxics, roll=1, is_end=True) == pytest.approx(0.260)
    assert held_for_s([*toxics, Toxic(kind="timeout")], roll=0, is_end=False) == inf
    assert held_for_s([], roll=1, is_end=True) == 0


def test_the_narrowest_bandwidth_holds_and_something_always_passes() -> None:
    toxics = [Toxic(kind="bandwidth", kb_per_s=100), Toxic(kind="bandwidth", kb_per_s=0.001)]
    assert rate_bytes_per_s(toxics) == 1
    assert slice_bytes(1) == 1
    assert rate_bytes_per_s([]) == inf
    assert slice_bytes(inf) > 10**9


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "latency", "latency_ms": -1},
        {"kind": "latency", "latency_ms": nan},
        {"kind": "latency", "latency_ms": 1, "jitter_ms": 2},
        {"kind": "timeout", "timeout_ms": inf},
        {"kind": "bandwidth"},
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="toxic|kb_per_s|jitter_ms"):
        Toxic(**facts)  # type: ignore[arg-type]


def test_a_direction_is_one_or_both() -> None:
    assert Toxic(kind="timeout").lies_in("upstream")
    assert Toxic(kind="timeout", stream="upstream").lies_in("upstream")
    assert not Toxic(kind="timeout", stream="upstream").lies_in("downstream")
