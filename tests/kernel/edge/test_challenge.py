"""A challenge is good once, for a while, at its price; everything else is not."""

from __future__ import annotations

import pytest

from shipworthy.kernel.edge.challenge import TTL_S, Challenge, Challenges, Solved, solve, zero_bits

BITS = 8


def test_a_solution_is_taken_once_and_only_at_its_price() -> None:
    challenges = Challenges(signing_key=b"a")
    solution = solve(challenges.make(bits=BITS, now_s=1_000.0))
    assert not challenges.solved(solution, bits=BITS + 1, now_s=1_001.0)
    assert challenges.solved(solution, bits=BITS, now_s=1_001.0)
    assert not challenges.solved(solution, bits=BITS, now_s=1_001.0)


@pytest.mark.parametrize("late_s", [TTL_S + 1, -61])
def test_a_solution_is_good_for_a_while_only(late_s: float) -> None:
    challenges = Challenges(signing_key=b"a")
    solution = solve(challenges.make(bits=BITS, now_s=1_000.0))
    assert not challenges.solved(solution, bits=BITS, now_s=1_000.0 + late_s)
    assert challenges.solved(solution, bits=BITS, now_s=1_000.0 + TTL_S)


def test_what_is_not_ours_or_not_solved_is_not_taken() -> None:
    challenges, others = Challenges(signing_key=b"a"), Challenges(signing_key=b"b")
    made = challenges.make(bits=BITS, now_s=0.0)
    unsolved = next(f"{made.text}.{n}" for n in range(99) if f"{made.text}.{n}" != solve(made))
    easier = Challenge(made.text, 1)
    for solution in (
        "", ".", "x", f"{made.text}.", f"{made.text}.-1", f"{made.text}.\u0661", f"{made.text}.1 ", "." * 5_000, "ü.1", unsolved,
        solve(others.make(bits=BITS, now_s=0.0)), solve(Challenge("A" * len(made.text), 1)), solve(Challenge(made.text[:-1], 1)),
    ):  # fmt: skip
        assert not challenges.solved(solution, bits=1, now_s=1.0), solution
    assert challenges.solved(solve(made), bits=1, now_s=1.0)
    assert easier.bits == 1


def test_what_was_spent_is_remembered_no_longer_than_it_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    challenges = Challenges(signing_key=b"a")
    for at_s in (0.0, 1.0, 2 * TTL_S):
        assert challenges.solved(solve(challenges.make(bits=1, now_s=at_s)), bits=1, now_s=at_s)
    assert len(challenges._spent) == 1
    monkeypatch.setattr("shipworthy.kernel.edge.challenge._SPENT_MAX", 5)
    for _ in range(20):
        assert challenges.solved(solve(challenges.make(bits=1, now_s=5_000.0)), bits=1, now_s=5_000.0)
    assert len(challenges._spent) == 5


def test_a_solution_says_whether_its_challenge_was_a_refusal() -> None:
    challenges = Challenges(signing_key=b"a")
    for is_refusal in (True, False):
        made = challenges.make(bits=BITS, now_s=0.0, is_refusal=is_refusal)
        assert made.bits == BITS
        assert challenges.solved(solve(made), bits=BITS, now_s=1.0) == Solved(is_refusal)


def test_zero_bits_are_counted_from_the_front() -> None:
    assert [zero_bits(bytes(d)) for d in ([0x80, 0], [0x01, 0], [0, 0x40], [0, 0])] == [0, 7, 9, 16]
