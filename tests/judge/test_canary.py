"""A dead canary is rolled back at once, a shared fault holds, and silence promotes nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pytest
from benchmarks.judge import r4, traffic

from shipworthy.contract.strict import decode, encode
from shipworthy.judge.canary import (
    CANARY,
    Action,
    CanaryState,
    Decision,
    Request,
    decide,
    observe,
    tick,
)


def canary(**said: object) -> Request:
    return Request(arm="canary", **said)  # type: ignore[arg-type]


def baseline(**said: object) -> Request:
    return Request(arm="baseline", **said)  # type: ignore[arg-type]


def after(*requests: Request, state: CanaryState | None = None) -> CanaryState:
    state = state or CanaryState()
    for request in requests:
        state = observe(state, request)
    return state


def seconds(
    count: int, *, each: Iterable[Request], state: CanaryState | None = None, until: Action | None = None
) -> tuple[CanaryState, Decision]:
    state, each = state or CanaryState(), tuple(each)
    for _ in range(count):
        state = tick(after(*each, state=state))
        if until and decide(state).action is until:
            break
    return state, decide(state)


def test_a_dead_release_is_rolled_back_after_nine_requests_and_not_after_eight() -> None:
    pairs = [r for _ in range(9) for r in (baseline(), canary(failed=True))]
    assert decide(after(*pairs[:-1])).action is Action.HOLD
    decision = decide(after(*pairs))
    assert decision.action is Action.ROLLBACK
    assert "9 of 9 canary requests failed, 0 of 9" in decision.reason


def test_a_release_that_dies_later_is_seen_in_tens_of_requests() -> None:
    state = after(*[r for _ in range(1_000) for r in (baseline(), canary())])
    needed = 0
    while decide(state).action is not Action.ROLLBACK:
        needed += 1
        state = after(baseline(), canary(failed=True), state=state)
    assert needed <= 40


def test_when_the_fresh_baseline_fails_too_it_holds_and_pages() -> None:
    both = [r for _ in range(40) for r in (baseline(failed=True), canary(failed=True))]
    decision = decide(after(*both))
    assert (decision.action, decision.page) == (Action.HOLD, True)
    assert "would not help" in decision.reason
    # A tenant whose sessions all fell to the canary proves nothing while everybody's fail on both.
    apart = [
        r for _ in range(40) for r in (baseline(failed=True, tenant="t1"), canary(failed=True, tenant="t18"))
    ]
    held = decide(after(*apart))
    assert (held.action, held.page) == (Action.HOLD, True)
    alone = [r for _ in range(40) for r in (baseline(), canary(failed=True))]
    assert decide(after(*alone)).action is Action.ROLLBACK


def test_after_a_shared_outage_a_dead_canary_is_still_rolled_back() -> None:
    both = [r for _ in range(200) for r in (baseline(failed=True), canary(failed=True))]
    alone = [r for _ in range(60) for r in (baseline(), canary(failed=True))]
    assert decide(after(*both, *alone)).action is Action.ROLLBACK


def test_without_a_baseline_the_bound_alone_decides() -> None:
    assert decide(after(*[canary(failed=True)] * 9)).action is Action.ROLLBACK


def test_one_session_that_fails_again_and_again_rolls_nothing_back() -> None:
    one = [r for _ in range(50) for r in (baseline(), canary(failed=True, session="s"))]
    assert decide(after(*one)).action is Action.HOLD
    three = [r for i in range(50) for r in (baseline(), canary(failed=True, session=f"s{i % 3}"))]
    assert decide(after(*three)).action is Action.ROLLBACK


def test_a_fault_of_one_tenant_is_seen_among_many_healthy_ones() -> None:
    """One request in fifty is of the broken tenant: 2 % of all, far below the bound for everyone."""
    state = CanaryState()
    for i in range(1_500):
        tenant = "broken" if i % 50 == 0 else f"t{i % 7}"
        state = after(baseline(tenant=tenant), canary(tenant=tenant, failed=tenant == "broken"), state=state)
    decision = decide(state)
    assert decision.action is Action.ROLLBACK
    assert decision.reason.startswith("tenant broken")


def test_a_tenant_that_fails_on_both_arms_holds_and_pages() -> None:
    state = CanaryState()
    for i in range(1_500):
        tenant = "broken" if i % 50 == 0 else f"t{i % 7}"
        failed = tenant == "broken"
        state = after(
            baseline(tenant=tenant, failed=failed), canary(tenant=tenant, failed=failed), state=state
        )
    assert decide(state) == Decision(action=Action.HOLD, reason=decide(state).reason, page=True)


def test_a_slower_canary_is_rolled_back_and_one_slow_like_the_baseline_is_not() -> None:
    slower = [canary(slow=True), canary(), canary(), *[baseline()] * 3]
    _, decision = seconds(300, each=slower, until=Action.ROLLBACK)
    assert decision.action is Action.ROLLBACK
    assert "beyond the objective" in decision.reason
    alike = [canary(slow=True), canary(), canary(), baseline(slow=True), *[baseline()] * 2]
    assert seconds(300, each=alike)[1].action is Action.PROMOTE


def test_a_canary_that_fails_three_in_a_hundred_is_rolled_back_and_one_in_whose_baseline_as_many_fail_is_not() -> (
    None
):
    """Far below the absolute bound: only the sessions of the fresh baseline tell."""

    def arms(baseline_fails: bool) -> Decision:
        state = CanaryState()
        for i in range(1_000):
            fails = i % 33 == 0
            state = after(
                baseline(failed=fails and baseline_fails, session=f"b{i}"),
                canary(failed=fails, session=f"c{i}"),
                state=state,
            )
            state = tick(state) if i % 5 == 4 else state
        return decide(state)

    assert arms(False).action is Action.ROLLBACK
    assert "sessions of the canary, in 0 of the fresh baseline" in arms(False).reason
    assert arms(True).action is Action.PROMOTE


def test_nobody_is_promoted_while_its_sessions_fail_more_even_if_that_may_be_chance() -> None:
    good, decision = seconds(300, each=[canary(), baseline()] * 2)
    assert decision.action is Action.PROMOTE
    for i in range(9):
        good = tick(after(canary(failed=True, session=f"{i}"), baseline(), state=good))
    decision = decide(good)
    assert (decision.action, "may still be chance" in decision.reason) == (Action.HOLD, True)


def test_failures_of_one_second_are_one_throw_however_many_there_are() -> None:
    def second(state: CanaryState, failing: int) -> CanaryState:
        arms = [
            r
            for i in range(failing)
            for r in (canary(failed=True, session=f"{state.complaints.throws} {i}"),)
        ]
        return tick(after(*arms, *[r for _ in range(200) for r in (baseline(), canary())], state=state))

    few, many = CanaryState(), CanaryState()
    for _ in range(5):
        few, many = second(few, 1), second(many, 8)
    assert few.complaints.throws == many.complaints.throws == 5
    assert few.complaints.capital == many.complaints.capital


def test_one_session_alone_is_one_complaint_however_often_it_fails() -> None:
    state = after(
        *[r for _ in range(300) for r in (baseline(), canary(), canary(failed=True, session="bot"))]
    )
    assert state.complaints.canary == 1
    assert decide(state).action is Action.HOLD


def test_a_journey_that_got_slow_is_seen_among_many_fast_ones_even_when_it_is_rare() -> None:
    """One request of a journey in ten seconds and arm, each in a second of its own."""

    def canaries(slow: bool) -> Decision:
        state = CanaryState()
        for second in range(600):
            requests = [canary(journey="page"), baseline(journey="page")] * 20
            if second % 10 == 0:
                requests.append(canary(journey="invoice", slow=slow))
            if second % 10 == 5:
                requests.append(baseline(journey="invoice"))
            state = tick(after(*requests, state=state))
        return decide(state)

    assert canaries(True).action is Action.ROLLBACK
    assert canaries(True).reason.startswith("invoice: ")
    assert canaries(False).action is Action.PROMOTE


def test_nothing_is_promoted_without_data_and_a_healthy_canary_is_with_it() -> None:
    assert decide(CanaryState()).action is Action.HOLD
    assert "no request yet" in decide(CanaryState()).reason
    silent, decision = seconds(1_000, each=[baseline()] * 5)
    assert decision.action is Action.HOLD
    _, decision = seconds(300, each=[canary(), baseline()] * 2, state=silent, until=Action.PROMOTE)
    assert decision.action is Action.PROMOTE


def test_a_canary_gone_silent_is_held_however_good_it_was() -> None:
    good, decision = seconds(300, each=[canary(), baseline()] * 2)
    assert decision.action is Action.PROMOTE
    _, decision = seconds(CANARY.silent_s_max + 1, each=[baseline()], state=good)
    assert decision.action is Action.HOLD
    assert "for 11 seconds" in decision.reason


def test_the_objective_alone_or_few_requests_promote_nobody() -> None:
    _, decision = seconds(100, each=[canary(), baseline()])
    assert decision.action is Action.HOLD
    assert "100 requests of 200" in decision.reason


def test_the_state_is_plain_data_and_goes_on_after_a_restart_as_if_nothing_had_happened() -> None:
    requests = [
        r for i in range(30) for r in (baseline(session=f"{i}"), canary(failed=i % 3 == 0, tenant="a"))
    ]
    state, _ = seconds(3, each=requests)
    back = decode(CanaryState, json.loads(json.dumps(encode(state))))
    assert back == state
    assert decide(tick(after(*requests, state=back))) == decide(tick(after(*requests, state=state)))


def test_another_arm_is_refused() -> None:
    with pytest.raises(ValueError, match="'stable'"):
        observe(CanaryState(), Request(arm="stable"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "noise", ["tenants", "at the bound", "dead", "30 % bad", "3 % errors", "15 % slow", "one tenant dead"]
)
def test_the_simulation_takes_the_products_own_decisions(noise: str) -> None:
    """One simulated canary of each kind, replayed request by request, is rolled back at the same one."""
    drawn = {**traffic.HEALTHY, **traffic.BROKEN}[noise]
    ours, theirs = drawn(np.random.default_rng(9), 3)
    errors, tenants, _, _ = r4.errors_told(ours, theirs)
    slow, _ = r4.objective_told(ours, theirs)
    sessions = r4.sessions_told(ours, theirs)
    expected = np.minimum(np.minimum(errors, tenants), np.minimum(sessions, slow))
    for run in range(3):
        assert replayed(ours, theirs, run) == expected[run]


def replayed(ours: traffic.Traffic, theirs: traffic.Traffic, run: int) -> float:
    state = CanaryState()
    many = ours.tenant.max() > 0
    for i in range(traffic.REQUESTS):
        for arm, name in ((ours, "canary"), (theirs, "baseline")):
            state = observe(
                state,
                Request(
                    arm=name,  # type: ignore[arg-type]
                    failed=bool(arm.failed[run, i]),
                    slow=bool(arm.slow[run, i]),
                    tenant=f"t{arm.tenant[run, i]}" if many else "",
                    session=f"{i // traffic.SESSION}" if many else "",
                ),
            )
        if (i + 1) % traffic.PER_SECOND == 0:
            state = tick(state)
        if decide(state).action is Action.ROLLBACK:
            return i + 1
    return np.inf
