"""Lists of passwords are suspect, by network and in the whole house; people who forget theirs are not. Covers: traps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.edge.suspicion import BITS, MARK_S, Suspicion
from shipworthy.kernel.edge.traps import TRAP_PATH, is_trap

HERE, THERE = "203.0.113.0/24", "198.51.100.0/24"


def account(n: int) -> bytes:
    return n.to_bytes(4, "big")


def test_one_account_is_a_person_and_many_accounts_are_a_list() -> None:
    seen = Suspicion()
    for second in range(30):
        seen.failed(HERE, account(1), second * 60.0)
    assert seen.level(HERE, 1_800.0, is_known=False) == 0
    levels = []
    for n in range(40):
        seen.failed(THERE, account(n), 2_000.0 + n * 30)
        levels.append(seen.level(THERE, 2_000.0 + n * 30, is_known=False))
    assert levels[6] == 0 and levels[10] == 1 and levels[-1] == 2
    assert seen.level(HERE, 3_300.0, is_known=False) == 0


def test_an_office_of_three_hundred_that_sometimes_fails_is_not_asked() -> None:
    seen, now_s = Suspicion(), 0.0
    for n in range(2_000):
        now_s += 0.5
        if n % 33 == 0:
            seen.failed(HERE, account(n % 300), now_s)
        seen.succeeded(HERE, now_s)
        assert seen.level(HERE, now_s, is_known=False) == 0


def test_an_attack_from_everywhere_is_seen_and_ends_and_known_networks_are_not_asked_for_it() -> None:
    seen, now_s = Suspicion(), 0.0
    for n in range(2_000):
        now_s += 0.01
        (seen.succeeded if n % 10 < 4 else seen.failed)(
            *((f"n{n}", now_s) if n % 10 < 4 else (f"n{n}", account(n), now_s))
        )
    assert seen.is_under_attack(now_s)
    assert seen.level("fresh", now_s, is_known=False) == 1
    assert seen.level("fresh", now_s, is_known=True) == 0
    for _ in range(200):
        now_s += 1.0
        seen.succeeded("n1", now_s)
    assert not seen.is_under_attack(now_s)


def test_an_attack_that_is_held_off_is_not_over_and_who_solves_is_no_part_of_it() -> None:
    seen, now_s = Suspicion(), 0.0
    for n in range(
        60_000
    ):  # two minutes: 150/s bring no solution, 70/s of people are refused once and come back
        now_s += 1 / 500
        if n % 10 < 3:
            (seen.challenged if seen.is_under_attack(now_s) else seen.failed)(f"n{n}", account(n), now_s)
        elif n % 10 == 3:
            if seen.is_under_attack(now_s):
                seen.challenged(f"p{n}", account(n), now_s)
                seen.solved(f"p{n}", now_s)
            seen.succeeded(f"p{n}", now_s)
        assert n < 500 or seen.is_under_attack(now_s)
    for n in range(6_000):  # it ends, and people alone do not keep it alive
        now_s += 1 / 50
        if seen.is_under_attack(now_s):
            seen.challenged(f"q{n}", account(n), now_s)
            seen.solved(f"q{n}", now_s)
        seen.succeeded(f"q{n}", now_s)
    assert not seen.is_under_attack(now_s)


def test_a_trap_is_remembered_for_a_day_and_adds_to_an_attack() -> None:
    seen = Suspicion()
    seen.mark(HERE, 0.0)
    assert [seen.level(HERE, at_s, is_known=True) for at_s in (0.0, MARK_S - 1, MARK_S + 1)] == [1, 1, 0]


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipworthy.kernel.edge.suspicion.NETWORKS_MAX", 10)
    seen = Suspicion()
    for n in range(100):
        seen.failed(f"n{n}", account(n), float(n))
    assert len(seen._networks) == 10
    for n in range(1_000):
        seen.failed("one", account(n), 100.0)
    assert len(seen._networks["one"].accounts) == 64


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-100, 1e5), st.booleans()), max_size=50))
def test_no_order_of_times_breaks_it_and_no_level_is_without_a_price(
    tries: list[tuple[int, float, bool]],
) -> None:
    seen = Suspicion()
    for n, at_s, is_right in tries:
        if is_right:
            seen.succeeded(str(n), at_s)
        else:
            seen.failed(str(n), account(n), at_s)
        assert 0 <= seen.level(str(n), at_s, is_known=False) < len(BITS)


@pytest.mark.parametrize(
    "path", ["/.env", "/.env.local", "/.git/config", f"{TRAP_PATH}x", "/phpmyadmin/index.php", "/id_rsa"]
)
def test_what_nobody_asks_for_who_means_well_is_a_trap(path: str) -> None:
    assert is_trap(path)


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/invoices/1", "/.well-known/security.txt", "/-/healthz", "/environment", "/robots.txt"],
)
def test_what_people_ask_for_is_none(path: str) -> None:
    assert not is_trap(path)
