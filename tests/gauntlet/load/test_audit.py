"""The engine's account of itself: lag by block, CPU between boundaries, drops."""

from __future__ import annotations

import time

import pytest

from shipworthy.gauntlet.load.audit import Audit

MS = 1_000_000
START_NS = 10**15


def audit(blocks: int = 3) -> Audit:
    return Audit(blocks=blocks, block_ns=100 * MS, measure_from_ns=START_NS)


def test_lag_is_kept_per_block_of_the_intended_time_and_warm_up_is_left_out() -> None:
    made = audit()
    made.sent(intended_ns=START_NS - 1, now_ns=START_NS + 900 * MS)
    made.sent(intended_ns=START_NS, now_ns=START_NS + 2 * MS)
    made.sent(intended_ns=START_NS + 100 * MS, now_ns=START_NS + 140 * MS)
    made.finish()
    found = made.blocks()
    assert [b.sent for b in found] == [1, 1, 0]
    assert [b.lag_ms_p99 for b in found] == [pytest.approx(2, rel=0.01), pytest.approx(40, rel=0.01), 0.0]


def test_drops_are_counted_in_their_block() -> None:
    made = audit()
    made.dropped(intended_ns=START_NS + 250 * MS)
    made.dropped(intended_ns=START_NS - 1)
    made.finish()
    assert [b.dropped for b in made.blocks()] == [0, 0, 1]


def test_the_lag_over_all_blocks_is_that_of_all_sends() -> None:
    made = audit()
    for lag_ms in range(100):
        made.sent(intended_ns=START_NS + lag_ms * MS, now_ns=START_NS + 2 * lag_ms * MS)
    assert made.lag_ms_p99 == pytest.approx(98, rel=0.01)


def test_the_lag_lately_is_that_of_what_was_sent_since_the_last_call() -> None:
    made = audit()
    made.sent(intended_ns=START_NS, now_ns=START_NS + 50 * MS)
    assert made.lag_ms_p99_lately() == 50
    made.sent(intended_ns=START_NS, now_ns=START_NS + 2 * MS)
    assert (made.lag_ms_p99_lately(), made.lag_ms_p99_lately()) == (2, 0)


def test_work_between_two_boundaries_is_the_cpu_of_that_block() -> None:
    made = audit()
    made.mark(now_ns=START_NS)
    made.mark(now_ns=START_NS + 99 * MS)  # no boundary passed: no mark
    until_s = time.thread_time() + 0.05
    while time.thread_time() < until_s:
        pass
    made.mark(now_ns=START_NS + 100 * MS)
    made.finish()
    assert made.cpu_s >= 0.05
    assert 0.0 < made.blocks()[0].cpu_share <= 1.05


def test_blocks_whose_boundaries_were_noticed_together_share_one_figure() -> None:
    made = audit()
    made.mark(now_ns=START_NS)
    time.sleep(0.002)  # some wall time, so that there is a share at all
    made.mark(now_ns=START_NS + 300 * MS)
    assert len({b.cpu_share for b in made.blocks()}) == 1
    assert made.blocks()[0].cpu_share <= 1.05


def test_a_load_that_ended_before_its_last_boundary_was_noticed_has_all_its_blocks() -> None:
    made = audit(blocks=3)
    made.mark(now_ns=START_NS)
    made.finish()
    assert len(made.blocks()) == 3


def test_the_machines_pressure_is_a_share_or_unknown() -> None:
    made = audit(blocks=1)
    made.mark(now_ns=START_NS)
    made.mark(now_ns=START_NS + 100 * MS)
    (block,) = made.blocks()
    for share in (block.pressure_share, block.steal_share):
        assert share is None or share >= 0.0
