"""A run is void where the generator was late or busy, never where the answers were slow."""

from __future__ import annotations

import pytest

from shipworthy.judge.validity import BlockAudit, is_run_valid, void_blocks, void_together, why_void


def audit(*, lag_ms_p99: float = 0.5, cpu_share: float = 0.1, dropped: int = 0) -> BlockAudit:
    return BlockAudit(lag_ms_p99=lag_ms_p99, cpu_share=cpu_share, dropped=dropped)


def test_a_late_block_is_void_and_a_punctual_one_is_not() -> None:
    assert void_blocks([audit(lag_ms_p99=5.1), audit(lag_ms_p99=5.0)], threshold_ms=40.0) == (True, False)


def test_a_slow_objective_allows_a_tenth_of_its_threshold() -> None:
    late = [audit(lag_ms_p99=15.0)]
    assert void_blocks(late, threshold_ms=200.0) == (False,)
    assert void_blocks(late, threshold_ms=100.0) == (True,)


def test_a_generator_at_the_end_of_its_core_voids_the_block() -> None:
    assert void_blocks([audit(cpu_share=0.81), audit(cpu_share=0.80)], threshold_ms=200.0) == (True, False)


def test_drops_count_as_exceedances_and_void_nothing() -> None:
    assert void_blocks([audit(dropped=500)], threshold_ms=200.0) == (False,)


def test_a_run_survives_a_fifth_of_void_blocks_and_not_more() -> None:
    assert is_run_valid([True] * 2 + [False] * 8)
    assert not is_run_valid([True] * 3 + [False] * 7)
    assert not is_run_valid([])


def test_the_reason_names_the_generator_and_is_silent_when_all_is_well() -> None:
    assert why_void([audit()], threshold_ms=200.0) == ""
    said = why_void([audit(lag_ms_p99=80.0), audit()], threshold_ms=200.0)
    assert "1 of 2 blocks are void" in said
    assert "80.0 ms" in said


def test_a_block_void_in_one_arm_is_void_in_both() -> None:
    assert void_together([True, False, False], [False, False, True]) == (True, False, True)
    with pytest.raises(ValueError, match="shorter"):
        void_together([True, False], [True])
