"""Whom an address stands for, and whether it is this machine."""

from __future__ import annotations

import pytest

from shipworthy.kernel.edge.networks import is_here, network_of


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2ff:3:4:5:6", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", "unknown"),
        ("unix", "unknown"),
    ],
)
def test_addresses_are_counted_by_network(client: str, network: str) -> None:
    assert network_of(client) == network


def test_a_network_may_be_as_small_as_one_address() -> None:
    assert network_of("10.0.0.1", 32, 64) != network_of("10.0.0.2", 32, 64)
    assert network_of("2001:db8:1:2::1", 32, 64) == network_of("2001:db8:1:2:ffff::9", 32, 64)


def test_this_machine_is_told_from_others() -> None:
    assert all(is_here(client) for client in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"))
    assert not any(is_here(client) for client in ("10.0.0.1", "::ffff:10.0.0.1", "", "localhost"))
