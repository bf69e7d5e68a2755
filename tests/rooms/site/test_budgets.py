"""One network may send so much a minute to one site, and is not kept out for good."""

from __future__ import annotations

import pytest

from shipworthy.rooms.site import budgets as budgets_module
from shipworthy.rooms.site.budgets import Budgets, network_of


def test_a_network_has_its_budget_at_each_site_and_gets_it_back_with_time() -> None:
    now = [0.0]
    budgets = Budgets(per_minute=3, clock=lambda: now[0])
    assert [budgets.takes(b"a", "10.0.0.1") for _ in range(5)] == [True] * 3 + [False] * 2
    assert budgets.takes(b"b", "10.0.0.1") and budgets.takes(b"a", "10.0.0.2")
    now[0] = 20.0
    assert [budgets.takes(b"a", "10.0.0.1") for _ in range(2)] == [True, False]
    now[0] = 3600.0
    assert [budgets.takes(b"a", "10.0.0.1") for _ in range(4)] == [True] * 3 + [False]


def test_a_network_is_an_address_or_the_first_half_of_a_long_one() -> None:
    assert (
        network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
    )
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") != network_of("10.0.0.2")
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("") == ""


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets_module, "_BUCKETS_MAX", 10)
    budgets = Budgets(per_minute=1, clock=lambda: 0.0)
    for n in range(100):
        budgets.takes(b"a", f"10.0.0.{n}")
    assert len(budgets._buckets) == 10
