"""Choosing parameters: the strongest that fits, never below OWASP's minimum."""

from __future__ import annotations

from dataclasses import replace

from shipworthy.rooms.auth.gate.calibration import CHOICES, Measured, chosen, measure

WEAK = Measured(
    memory_kib=19_456,
    passes=2,
    workers=1,
    hash_cpu_ms=20.0,
    hashes_per_s=50.0,
    logins_per_s=40.0,
    cores_for_goal=15,
)
MIDDLE = replace(WEAK, memory_kib=32_768, hash_cpu_ms=45.0, hashes_per_s=22.0, logins_per_s=17.6)
STRONG = replace(WEAK, memory_kib=65_536, hash_cpu_ms=90.0, hashes_per_s=11.0, logins_per_s=8.8)


def test_no_choice_is_below_the_minimum_of_owasp() -> None:
    assert CHOICES[0] == (19_456, 2)
    assert all(memory_kib >= 19_456 and passes >= 2 for memory_kib, passes in CHOICES)


def test_the_strongest_that_fits_is_chosen() -> None:
    choices = [WEAK, MIDDLE, STRONG]
    assert chosen(choices, logins_per_s=None) is MIDDLE
    assert chosen(choices, logins_per_s=8.0) is STRONG
    assert chosen(choices, logins_per_s=39.0) is WEAK
    assert chosen(choices, logins_per_s=500.0) is WEAK
    assert chosen([STRONG], logins_per_s=None) is STRONG


def test_time_that_others_had_is_told() -> None:
    assert WEAK.busy_share == 1.0
    assert replace(WEAK, hashes_per_s=25.0).busy_share == 0.5


def test_what_is_measured_is_this_host() -> None:
    cheap, dear = (measure(memory_kib, 1, cores_reserved=0, seconds=0.05) for memory_kib in (64, 4_096))
    assert 0 < cheap.hash_cpu_ms < dear.hash_cpu_ms
    assert cheap.hashes_per_s > 0
    assert cheap.logins_per_s < cheap.hashes_per_s
    assert cheap.cores_for_goal < dear.cores_for_goal
