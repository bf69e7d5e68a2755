"""The line: who gets a place, who is next, and who is too late. Time is a number here."""

from __future__ import annotations

from collections import Counter

import pytest

from shipworthy.rooms.auth.gate.line import Caller, Line, Place, Standing

KNOWN, NETWORK, UNKNOWN = Standing


def line(*, workers: int = 1, waiting_max: int = 100, wait_s_max: float = 0.15, hash_s: float = 0.02) -> Line:
    made = Line(workers=workers, waiting_max=waiting_max, wait_s_max=wait_s_max)
    made.hash_s = hash_s
    return made


def fill(of: Line, caller: Caller, *, count: int = 1_000, now_s: float = 0.0) -> int:
    """Enter until there is no place, at most `count` times; return how many got one."""
    for entered in range(count):
        place = of.enter(caller, now_s)
        if place is None:
            return entered
        of.make_ready(place, caller)
    return count


def served(of: Line, count: int) -> list[Place]:
    """Let one worker serve, one after the other."""
    places = []
    for _ in range(count):
        place = of.next()
        assert place is not None
        of.done(None)
        places.append(place)
    return places


@pytest.mark.parametrize(
    ("workers", "hash_s", "places"),
    [
        (1, 0.02, 6),  # behind one that runs: 0.15 s hold seven hashes of 20 ms
        (1, 0.049, 2),
        (4, 0.02, 26),
        (1, 1.0, 1),  # however slow: one waits
    ],
)
def test_as_many_get_a_place_as_can_be_served_in_time(workers: int, hash_s: float, places: int) -> None:
    assert fill(line(workers=workers, hash_s=hash_s), Caller(UNKNOWN, "a")) == places


def test_the_wait_is_judged_by_how_long_hashes_take_now() -> None:
    slow = line()
    for _ in range(30):
        place = slow.enter(Caller(UNKNOWN, "a"), 0.0)
        assert place
        slow.make_ready(place, None)
        slow.next()
        slow.done(0.049)  # a neighbour takes the core
    assert slow.hash_s == pytest.approx(0.049, rel=0.01)
    assert fill(slow, Caller(UNKNOWN, "a")) == 2


def test_a_class_has_a_bound_however_short_the_wait() -> None:
    short = line(waiting_max=5, hash_s=0.000_001)
    assert fill(short, Caller(UNKNOWN, "a")) == 5
    assert fill(short, Caller(KNOWN, "b")) == 5
    assert short.waiting == 10


def test_classes_that_wait_share_by_weight_and_alone_each_has_all() -> None:
    busy = line(wait_s_max=100.0)
    for standing in Standing:
        assert fill(busy, Caller(standing, "a"), count=80) == 80
    first = Counter(place.caller.standing for place in served(busy, 80))
    assert first == {KNOWN: 40, NETWORK: 20, UNKNOWN: 20}
    alone = line(wait_s_max=100.0)
    fill(alone, Caller(UNKNOWN, "a"), count=70)
    assert {place.caller.standing for place in served(alone, 70)} == {UNKNOWN}
    assert alone.next() is None


def test_a_flood_of_strangers_keeps_known_browsers_from_few_of_their_places() -> None:
    flooded = line()
    assert fill(flooded, Caller(UNKNOWN, "a")) == 6
    assert fill(flooded, Caller(KNOWN, "b")) == 4  # of the six they would have alone
    assert flooded.enter(Caller(UNKNOWN, "a"), 0.0) is None


def test_flows_take_turns_so_that_a_flood_waits_behind_itself() -> None:
    mixed = line(wait_s_max=100.0)
    fill(mixed, Caller(UNKNOWN, "flood"), count=20)
    for name in ("ada", "ben"):
        fill(mixed, Caller(UNKNOWN, name), count=1)
    assert [place.caller.flow for place in served(mixed, 4)] == ["flood", "ada", "ben", "flood"]


def test_a_network_that_floods_takes_no_place_from_another() -> None:
    flooded = line()
    fill(flooded, Caller(UNKNOWN, "flood"))
    assert not flooded.has_place(Caller(UNKNOWN, "flood"))
    assert flooded.has_place(Caller(UNKNOWN, "ada"))


def test_within_a_flow_the_first_comes_first() -> None:
    plain = line()
    for n in range(3):
        place = plain.enter(Caller(KNOWN, "a"), float(n))
        assert place
        plain.make_ready(place, n)
    assert [place.work for place in served(plain, 3)] == [0, 1, 2]


def test_a_place_given_up_is_free_again_and_one_not_ready_is_passed_over() -> None:
    plain = line()
    looking = plain.enter(Caller(KNOWN, "a"), 0.0)
    ready = plain.enter(Caller(KNOWN, "a"), 0.0)
    assert looking
    assert ready
    plain.make_ready(ready, "ready")
    assert plain.waiting == 2
    assert plain.next() is ready
    assert plain.next() is None
    plain.give_up(looking)
    plain.done(0.02)
    assert (plain.waiting, plain.running, plain.is_idle) == (0, 0, True)


def test_late_is_who_waited_too_long_while_others_wait() -> None:
    plain = line()
    fill(plain, Caller(KNOWN, "a"), count=2)
    place = plain.next()
    assert place
    assert not plain.is_late(place, 0.15)
    assert plain.is_late(place, 0.16)
    (last,) = served(plain, 1)
    assert not plain.is_late(last, 99.0)  # nobody else waits: better late than never
