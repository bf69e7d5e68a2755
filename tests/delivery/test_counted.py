"""Counts are judged as requests are: a dead version is seen within seconds, one client's burst is one story."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.delivery.counted import ARMS, Arm, Counted, CountedHearing, _requests, looks_of
from shipworthy.judge.canary import Action, Decision

HEALTHY = Counted(journey="page", requests=20)
LOOKS_MAX = 600


def heard(
    canary: Counted, baseline: Counted = HEALTHY, *, looks: int = LOOKS_MAX
) -> tuple[Decision, CountedHearing]:
    """Tell the same look again and again until it is decided."""
    hearing = CountedHearing()
    for _ in range(looks):
        decision = hearing.hear({"canary": [canary], "baseline": [baseline]})
        if decision.action is not Action.HOLD:
            break
    return decision, hearing


def test_a_dead_version_goes_back_within_seconds_and_a_healthy_one_comes() -> None:
    dead, hearing = heard(Counted(journey="page", requests=20, failed=20))
    assert (dead.action, hearing.looks <= 10) == (Action.ROLLBACK, True)
    good, hearing = heard(HEALTHY)
    assert (good.action, 30 <= hearing.looks <= 120) == (Action.PROMOTE, True)


@pytest.mark.parametrize(
    "bad", [Counted(journey="page", requests=20, slow=5), Counted(journey="page", requests=20, failed=3)]
)
def test_a_slower_one_and_one_with_errors_go_back(bad: Counted) -> None:
    assert heard(bad)[0].action is Action.ROLLBACK


def test_a_burst_of_one_look_is_one_story() -> None:
    hearing = CountedHearing()
    for look in range(60):
        burst = 200 if look == 30 else 0
        decision = hearing.hear(
            {"canary": [Counted(journey="page", requests=20 + burst, failed=burst)], "baseline": [HEALTHY]}
        )
        assert decision.action is not Action.ROLLBACK


def test_when_both_fail_it_holds_and_asks_for_a_person() -> None:
    both = Counted(journey="page", requests=20, failed=20)
    decision, _ = heard(both, both, looks=60)
    assert (decision.action, decision.page) == (Action.HOLD, True)


def test_without_data_nothing_is_decided() -> None:
    hearing = CountedHearing()
    for look in ({}, {"canary": []}, {"baseline": [HEALTHY]}):
        assert hearing.hear(look).action is Action.HOLD  # type: ignore[arg-type]


def test_a_healthy_version_beside_a_larger_old_one_is_not_taken_back() -> None:
    luck = random.Random(7)
    for _ in range(6):
        hearing = CountedHearing()
        for _ in range(120):
            counts: dict[Arm, list[Counted]] = {}
            for arm, requests in (("canary", 4), ("baseline", 96)):
                failed = sum(luck.random() < 0.01 for _ in range(requests))
                slow = sum(luck.random() < 0.04 for _ in range(requests - failed))
                counts[arm] = [Counted(journey="page", requests=requests, failed=failed, slow=slow)]  # type: ignore[index]
            assert hearing.hear(counts).action is not Action.ROLLBACK


@given(st.integers(0, 300), st.data())
def test_a_count_becomes_as_many_requests_of_each_kind(total: int, data: st.DataObject) -> None:
    failed = data.draw(st.integers(0, total))
    slow = data.draw(st.integers(0, total - failed))
    counted = Counted(journey="j", requests=total, failed=failed, slow=slow)
    requests = list(_requests("canary", counted, look=1))
    assert (len(requests), sum(r.failed for r in requests), sum(r.slow for r in requests)) == (
        total,
        failed,
        slow,
    )


def test_lines_become_looks_in_order_and_what_is_wrong_is_named() -> None:
    lines = [
        {"look": 0, "arm": "canary", "journey": "a", "requests": 3},
        {"look": 0, "arm": "baseline", "journey": "a", "requests": 4, "failed": 1},
        {"look": 2, "arm": "canary", "requests": 1, "slow": 1},
    ]
    first, second = looks_of(lines)
    assert {arm: first[arm][0].requests for arm in ARMS} == {"canary": 3, "baseline": 4}
    assert second == {"canary": [Counted(journey="", requests=1, slow=1)]}
    for wrong, words in (
        ({"look": 0, "arm": "new"}, "canary or baseline"),
        ({"look": 0, "arm": "canary", "requests": -1}, "not below 0"),
        ({"look": 0, "arm": "canary", "requests": True}, "whole number"),
        ({"look": 0, "arm": "canary", "requests": 1, "failed": 2}, "cannot be"),
        ({"look": 0, "arm": "canary", "request": 1}, "'request' is not known"),
        ({"look": -1, "arm": "canary", "requests": 1}, "look must be"),
    ):
        with pytest.raises(ValueError, match=words):
            list(looks_of([wrong]))
    with pytest.raises(ValueError, match="must rise"):
        list(looks_of([lines[2], lines[0]]))
