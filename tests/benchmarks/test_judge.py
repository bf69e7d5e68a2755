"""The simulations put the truth where they say, and the naive rules are what their authors wrote."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.judge import r2, r4, traffic
from benchmarks.judge.__main__ import document
from benchmarks.judge.naive import mann_whitney_alarms, window_alarms
from benchmarks.judge.noise import NOISES, bad_runs, stretches

from shipworthy.judge.error_rates import fingerprint


@pytest.mark.parametrize("noise", NOISES)
def test_every_noise_has_its_mean_on_the_truth(noise: str) -> None:
    shares = NOISES[noise](np.random.default_rng(1), 0.05, 80, (2_000, 48))
    assert shares.shape == (2_000, 48)
    assert shares.min() >= 0.0
    assert shares.max() <= 1.0
    # A recorded trace has one past: its middle weighs more in the stretches than its ends.
    assert shares.mean() == pytest.approx(0.05, rel=0.15 if noise == "recorded" else 0.05)


def test_bad_blocks_are_one_in_ten_and_come_in_runs_of_five() -> None:
    bad = bad_runs(np.random.default_rng(1), (2_000, 200))
    begins = (bad[:, 1:] & ~bad[:, :-1]).sum()
    assert bad.mean() == pytest.approx(0.10, abs=0.01)
    assert bad.sum() / begins == pytest.approx(5.0, rel=0.1)


def test_stretches_stay_inside_the_trace_and_in_order() -> None:
    seconds = stretches(np.random.default_rng(1), (500, 24), step=10, seconds=150)
    assert seconds.shape == (500, 24)
    assert seconds.min() >= 0
    assert seconds.max() < 150
    assert (np.diff(seconds[:, :10], axis=1) == 10).all()


@pytest.mark.parametrize("weather", r2.WEATHERS)
def test_a_duet_of_identical_versions_has_no_mean_difference(weather: str) -> None:
    base, head = r2.WEATHERS[weather](np.random.default_rng(1), (2_000, 24))
    assert (head - base).mean() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("kind", traffic.HEALTHY)
def test_a_healthy_canary_fails_no_more_than_its_baseline(kind: str) -> None:
    ours, theirs = traffic.HEALTHY[kind](np.random.default_rng(1), 300)
    assert ours.slow.mean() == pytest.approx(theirs.slow.mean(), abs=0.01)
    assert (ours.told <= ours.failed).all()
    assert (ours.failed <= ours.slow).all()
    if kind != "at the bound":
        assert ours.failed.mean() == pytest.approx(theirs.failed.mean(), abs=0.004)


def test_a_cluster_has_its_mean_size_and_only_three_failures_are_heard() -> None:
    ours, _ = traffic.HEALTHY["clustered 20"](np.random.default_rng(1), 500)
    # Clusters that reach beyond the last request are cut.
    assert ours.failed.mean() == pytest.approx(traffic.ERRORS, rel=0.15)
    assert 0.1 < ours.told.sum() / ours.failed.sum() < 0.2


def test_the_window_rule_compares_two_times_and_not_two_versions() -> None:
    base = np.zeros((1, 24))
    slow_end = base.copy()
    slow_end[0, -1] = 0.2
    assert window_alarms(base, slow_end).tolist() == [True]
    assert window_alarms(base, base).tolist() == [False]


def test_mann_whitney_calls_a_sure_shift_high_however_small() -> None:
    """Its margin is a quarter of the shift itself: the weakness measured beside ours."""
    rng = np.random.default_rng(1)
    base = 0.001 * rng.standard_normal((40, 24))
    assert mann_whitney_alarms(base, base[::-1]).mean() < 0.1
    assert mann_whitney_alarms(base, base[::-1] + 0.005).all()
    assert not mann_whitney_alarms(base, base[::-1] - 0.5).any()


def test_a_smaller_simulation_yields_every_promised_key_and_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "REQUESTS", 200)
    duets, canaries = list(r2.simulated(runs=40)), list(r4.simulated(runs=20))
    assert {"r2_false_alarm", "r2_power_20pct", "r2_minutes_for_10pct"} <= set(r2.figures(duets))
    assert {"naive_window_wrong", "mann_whitney_wrong"} <= set(r2.figures(duets))
    kinds = ("quiet", "clustered", "tenants")
    assert {f"r4_false_rollback_{kind}" for kind in kinds} <= set(r4.figures(canaries))
    written = json.loads(json.dumps(document([*r2.gates(duets), *r4.gates(canaries)], runs=40)))
    assert written["rules"] == fingerprint()
    assert [gate["rule"] for gate in written["gates"]] == ["R2 duet, p95", "R4 canary"]
