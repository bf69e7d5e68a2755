"""Turns: in no second more than the bound, whatever is asked for; and a load gets its part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.gauntlet.politeness import LOAD_AT_ONCE, LOAD_PER_S_MAX, REQUESTS_PER_S_MAX, Turns, load_turns


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def busiest_second(moments_s: list[float]) -> int:
    return max(sum(start <= m < start + 1 - 1e-6 for m in moments_s) for start in moments_s)


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=120))
def test_no_second_holds_more_requests_than_the_bound(pauses_s: list[float]) -> None:
    clock = Clock()
    turns = Turns(clock_s=clock)
    moments_s = []
    for pause_s in pauses_s:
        clock.now_s += pause_s
        moments_s.append(clock.now_s + turns.claimed_s())
    assert busiest_second(moments_s) <= REQUESTS_PER_S_MAX


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=120))
def test_a_load_and_the_questions_beside_it_keep_to_the_bound_together(pauses_s: list[float]) -> None:
    clock = Clock()
    load, questions = Turns(LOAD_PER_S_MAX, at_once=LOAD_AT_ONCE, clock_s=clock), Turns(clock_s=clock)
    moments_s = []
    with questions.lent_to_load():
        for pause_s in pauses_s:
            clock.now_s += pause_s
            moments_s += [clock.now_s + turns.claimed_s() for turns in (load, questions)]
    assert busiest_second(moments_s) <= REQUESTS_PER_S_MAX


def test_after_the_load_questions_have_the_whole_rate_again() -> None:
    turns = Turns(clock_s=Clock())
    with turns.lent_to_load():
        assert [turns.claimed_s() for _ in range(2)] == [0.0, 1.0]
    turns.claimed_s()
    assert round(turns.claimed_s() - 2.0, 3) == round(1 / REQUESTS_PER_S_MAX, 3)
    assert load_turns().claimed_s() == 0.0
