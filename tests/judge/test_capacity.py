"""The capacity arithmetic: bounds that add up, and refusals of what cannot be meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.judge.capacity import Cost, capacity, cores_needed, needs

HASH = Cost(name="password", cpu_ms=25.0, share=0.1)
TOKEN = Cost(name="refresh", cpu_ms=1.0, share=0.9)


def test_the_hash_decides_what_a_mix_can_hold() -> None:
    found = capacity([HASH, TOKEN], cores=2)
    assert found.cpu_ms == pytest.approx(3.4)
    assert found.rate_max_per_s == pytest.approx(2000 / 3.4)
    assert (found.dearest, found.dearest_share) == ("password", pytest.approx(2.5 / 3.4))


def test_five_hundred_password_logins_a_second_need_many_cores() -> None:
    assert cores_needed(500, cpu_ms=25.0, utilisation_max=1.0) == 13  # the anchor's figure
    assert cores_needed(500, cpu_ms=25.0) == 16
    assert cores_needed(1, cpu_ms=0.001) == 1


@given(
    st.lists(st.tuples(st.floats(0.01, 1000), st.floats(0.01, 1)), min_size=1, max_size=6),
    st.integers(1, 64),
)
def test_at_the_bound_every_core_is_busy_whatever_the_shares_add_up_to(
    parts: list[tuple[float, float]], cores: int
) -> None:
    costs = [Cost(name=str(n), cpu_ms=ms, share=share) for n, (ms, share) in enumerate(parts)]
    found = capacity(costs, cores=cores)
    assert found.rate_max_per_s * found.cpu_ms / 1000 == pytest.approx(cores)
    assert min(c.cpu_ms for c in costs) <= found.cpu_ms * (1 + 1e-9)
    assert cores_needed(found.rate_max_per_s, cpu_ms=found.cpu_ms, utilisation_max=1.0) == cores
    assert 0 < found.dearest_share <= 1 + 1e-9


def test_what_cannot_be_meant_is_refused() -> None:
    for costs, cores in (([], 2), ([HASH], 0), ([Cost(name="free", cpu_ms=0.0, share=1.0)], 2)):
        with pytest.raises(ValueError, match="capacity needs|costs any CPU"):
            capacity(costs, cores=cores)
    for rate, ms, most in ((0, 1, 0.8), (1, 0, 0.8), (1, 1, 0), (1, 1, 1.1)):
        with pytest.raises(ValueError, match="above 0"):
            cores_needed(rate, cpu_ms=ms, utilisation_max=most)


MEASURED = {
    "cpu_ms": {"login": {"web": 30.0, "database": 2.0}, "page": {"web": 0.4, "database": 0.0}},
    "idle_cores": {"web": 0.01, "database": 0.02, "worker": 0.01},
    "memory_bytes": {"web": 100, "database": 50, "worker": 80},
}


def test_a_goal_takes_its_rates_times_what_one_costs() -> None:
    found = needs(
        {"login": 20, "page": 500},
        **MEASURED,
        connections_per_web=10,
        connections_beside=8,
        rows={"invoice": 1_000_000},
        bytes_per_row={"invoice": 812.5},
    )
    assert found.cores == pytest.approx({"web": 0.81, "database": 0.06, "worker": 0.01})
    assert found.cores_in_all == 2  # 0.88 busy of 1.1
    assert found.web_processes == 2  # 0.81 of one core would be above four fifths
    assert found.memory_bytes == 330
    assert found.connections == 28
    assert found.storage_bytes == 812_500_000


def test_nobody_asking_takes_one_web_process_and_one_core() -> None:
    found = needs({}, **MEASURED)
    assert (found.cores_in_all, found.web_processes, found.connections, found.storage_bytes) == (1, 1, 0, 0)


@given(st.floats(0, 1e4), st.floats(0, 1e4))
def test_more_load_never_takes_less(one: float, more: float) -> None:
    low, high = sorted((one, more))
    fewer, greater = needs({"login": low}, **MEASURED), needs({"login": high}, **MEASURED)
    assert fewer.cores_in_all <= greater.cores_in_all
    assert fewer.web_processes <= greater.web_processes


def test_what_was_not_measured_or_cannot_be_meant_is_refused() -> None:
    with pytest.raises(KeyError):
        needs({"refund": 1}, **MEASURED)
    with pytest.raises(KeyError):
        needs({}, **MEASURED, rows={"refund": 1})
    with pytest.raises(ValueError, match="negative"):
        needs({"login": -1}, **MEASURED)
