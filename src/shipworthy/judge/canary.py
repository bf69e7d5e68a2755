"""R4: may the new version take more traffic? A decision that may be asked for at any moment.

State in, observation in, state out; `decide` reads it. Five tests share the error budget: hard
errors of everyone and of each tenant against an absolute bound, the sessions that failed against
those of the fresh baseline, and requests beyond the objective against its, of everyone and of each
journey. Independence is false in practice (one client retries twenty times, tenants differ), so a
session has a bounded say and no failure is held against the canary that the fresh baseline shows
too. Without data nothing is concluded.

Canary and fresh baseline must get sessions with the same probability: that, not independence, is
what makes the comparison of sessions exact.

Owns the rule and its state, which is plain data. Knows no clock: the caller says when a
second has passed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from shipworthy.judge.sequential import bet_size, complaint_step, failure_step, gain_step, split_step

EVERYONE = ""  # the group all requests belong to; tenants and journeys have their own beside it
GROUPS_MAX = 1_000  # tenants with a test of their own; the rest still count for everyone
JOURNEYS_MAX = 100  # journeys with a test of their own
SESSIONS_MAX = 10_000  # remembered by what they complained of; later ones are not bounded in their say


class Action(StrEnum):
    """What the controller is to do with the canary's weight."""

    HOLD = "hold"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


@dataclass(frozen=True, kw_only=True)
class CanaryRule:
    """The bounds, and how the probability of a false rollback is shared out.

    0.002 each for everyone's errors, all tenants' together and the sessions that failed, 0.0015 each for
    the objective of everyone and of all journeys together: below one in a hundred for the whole canary,
    however long it runs.
    """

    name: str = "R4 canary"
    errors_healthy: float = 0.05
    errors_bad: float = 0.10
    errors_alpha: float = 0.002
    tenants_alpha: float = 0.002
    # A session's failures, or slow requests, beyond the third are the same story told again.
    says_per_session: int = 3
    # The canary's failures are its own when they weigh four times its share of the requests...
    own_odds: float = 4.0
    own_alpha: float = 0.05  # ...and this much by luck; it only ever stops a rollback
    own_floor: float = 0.1  # so that one outage of both arms does not excuse the canary for ever
    baseline_requests_min: int = 5  # below, there is nothing to compare with and the bound alone decides
    # A canary in which three sessions fail for each one of the baseline, however few they are...
    worse_odds: float = 3.0
    worse_alpha: float = 0.002
    # Two points of requests beyond the objective more than the baseline has are not worth a rollback.
    slow_margin: float = 0.02
    slow_alpha: float = 0.0015
    journeys_alpha: float = 0.0015
    promote_margin: float = 0.05
    promote_alpha: float = 0.05
    promote_requests_min: int = 200
    silent_s_max: int = 10
    # A bet of half the capital survives any single second; a full one would not.
    bet_max: float = 0.5
    # No second gains less than 1 - 0.95 on the way to a promotion, so that bet may be larger.
    promote_bet_max: float = 0.9


CANARY = CanaryRule()


@dataclass(frozen=True, kw_only=True)
class Request:
    """One answered, or failed, request of one of the two arms.

    `failed` is a hard error (5xx, refused, timed out); `slow` says it was beyond the
    objective's threshold, as every failed one is. Without a session it counts on its own.
    `journey` names the objective it was held to, where there are several.
    """

    arm: Literal["canary", "baseline"]
    failed: bool = False
    slow: bool = False
    tenant: str = ""
    session: str = ""
    journey: str = ""


@dataclass(frozen=True, kw_only=True)
class Second:
    """The requests since the last second in which both arms had one, by arm, and how many were slow."""

    canary: int = 0
    canary_slow: int = 0
    baseline: int = 0
    baseline_slow: int = 0


@dataclass(frozen=True, kw_only=True)
class Group:
    """The error tests of everyone or of one tenant; `rank` is the tenant's order of appearance."""

    rank: int = 0
    canary: int = 0
    canary_failed: int = 0
    baseline: int = 0
    baseline_failed: int = 0
    bad: float = 0.0  # capital on "the canary fails too often"
    fine: float = 0.0  # capital on "it does not"
    own: float = 1.0  # capital on "the failures are the canary's own"


@dataclass(frozen=True, kw_only=True)
class Complaints:
    """The sessions that failed for the first time, by arm.

    A second in which one arm had more of them is one throw of a fair coin while the arms are alike,
    however many failed at once: failures of one second may have one cause.
    """

    canary: int = 0
    baseline: int = 0
    canary_now: int = 0  # of these, in the running second
    baseline_now: int = 0
    throws: int = 0
    capital: float = 0.0  # on "the canary's are more"


@dataclass(frozen=True, kw_only=True)
class Bet:
    """One betting test on the seconds' differences."""

    capital: float = 1.0
    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / max(self.count, 1)

    def after(self, gain: float, *, bet_max: float) -> Bet:
        """Return the bet after one more gain, sized by the earlier ones only."""
        bet = bet_size(float(self.count), self.total, self.squares, bet_max=bet_max)
        return Bet(
            capital=float(gain_step(self.capital, gain=gain, bet=bet)),
            count=self.count + 1,
            total=self.total + gain,
            squares=self.squares + gain**2,
        )


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The tests of everyone's objective or of one journey's; `rank` is the journey's order of appearance."""

    rank: int = 0
    second: Second = Second()
    slower: Bet = Bet()
    no_slower: Bet = Bet()


@dataclass(frozen=True, kw_only=True)
class CanaryState:
    """Everything the rule remembers; starts empty with each deploy."""

    groups: dict[str, Group] = field(default_factory=dict)
    says_of: dict[str, int] = field(default_factory=dict)  # by arm, session and complaint
    complaints: Complaints = Complaints()
    objectives: dict[str, Objective] = field(default_factory=dict)
    asked: int = 0  # requests of the canary in the running second
    silent_s: int = 0


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do and why; `page` asks for a person, because the fault is not the canary's alone."""

    action: Action
    reason: str
    page: bool = False


def observe(state: CanaryState, request: Request, *, rule: CanaryRule = CANARY) -> CanaryState:
    """Return the state after one more request.

    Errors:  ValueError for an arm that is neither canary nor baseline.
    """
    if request.arm not in ("canary", "baseline"):
        raise ValueError(f"a request belongs to the canary or the baseline, not to {request.arm!r}")
    state, failures = _heard(state, request, "failed", complains=request.failed)
    state, slows = _heard(state, request, "slow", complains=request.slow or request.failed)
    if request.arm == "canary":
        state = replace(state, asked=state.asked + 1)
    if slows <= rule.says_per_session:
        state = replace(state, objectives=_objectives(state.objectives, request))
    if failures == 1:
        state = replace(state, complaints=_complained(state.complaints, request))
    return (
        replace(state, groups=_grouped(state.groups, request, rule))
        if failures <= rule.says_per_session
        else state
    )


def tick(state: CanaryState, *, rule: CanaryRule = CANARY) -> CanaryState:
    """Return the state after a second has passed. It goes on until both arms had a request that counts."""
    silent_s = 0 if state.asked else state.silent_s + 1
    objectives = {name: _second_passed(objective, rule) for name, objective in state.objectives.items()}
    complaints = _thrown(state.complaints, rule)
    return replace(state, asked=0, silent_s=silent_s, objectives=objectives, complaints=complaints)


def decide(state: CanaryState, *, rule: CanaryRule = CANARY) -> Decision:
    """Return what the state allows: rollback before hold, hold before promote.

    Fails closed: no data, too little data and a baseline that fails as well all hold.
    """
    shared = ""
    for name, group in state.groups.items():
        if group.bad < 1.0 / _alpha(group, rule):
            continue
        who = f"tenant {name}" if name else "all tenants"
        said = f"{who}: {group.canary_failed} of {group.canary} canary requests failed, "
        said += f"{group.baseline_failed} of {group.baseline} of the fresh baseline"
        # A tenant that the baseline never saw says nothing of whose fault it is where the baseline fails, too.
        is_unseen = group.baseline < rule.baseline_requests_min
        if is_own(group, rule) and not (shared and is_unseen):
            return Decision(action=Action.ROLLBACK, reason=f"{said}.")
        shared = shared or f"{said}: the baseline is not clearly better, so a rollback would not help."
    told = state.complaints
    everyone = state.groups.get(EVERYONE, Group())
    if told.capital >= 1.0 / rule.worse_alpha and everyone.baseline >= rule.baseline_requests_min:
        return Decision(
            action=Action.ROLLBACK,
            reason=f"failures in {told.canary} sessions of the canary, in {told.baseline} of the fresh baseline.",
        )
    for name, objective in state.objectives.items():
        if objective.slower.capital < 1.0 / _slow_alpha(objective, rule):
            continue
        return Decision(
            action=Action.ROLLBACK,
            reason=f"{name or 'all journeys'}: {objective.slower.mean + rule.slow_margin:.1%} of requests more "
            f"than on the fresh baseline are beyond the objective, over {objective.slower.count} seconds.",
        )
    if shared:
        return Decision(action=Action.HOLD, reason=shared, page=True)
    return _unless_promoted(state, rule)


def is_own(group: Group, rule: CanaryRule) -> bool:
    """True when the failures are clearly the canary's own, or there is no baseline to share them."""
    return group.baseline < rule.baseline_requests_min or group.own >= 1.0 / rule.own_alpha


def _unless_promoted(state: CanaryState, rule: CanaryRule) -> Decision:
    everyone, objective = state.groups.get(EVERYONE, Group()), state.objectives.get(EVERYONE, Objective())
    waits = {
        "the canary has had no request yet": everyone.canary == 0,
        f"no request reached the canary for {state.silent_s} seconds": state.silent_s > rule.silent_s_max,
        f"the canary has had {everyone.canary} requests of {rule.promote_requests_min}": everyone.canary
        < rule.promote_requests_min,
        "more of its sessions fail than of the fresh baseline's, which may still be chance": state.complaints.capital
        >= 1.0 / rule.promote_alpha,
        "its errors are not yet shown to be few": everyone.fine < 1.0 / rule.promote_alpha,
        "it is not yet shown to keep the objective as the baseline does": objective.no_slower.capital
        < 1.0 / rule.promote_alpha,
    }
    waiting = next((why for why, waits_for in waits.items() if waits_for), None)
    if waiting:
        return Decision(action=Action.HOLD, reason=f"{waiting}.")
    return Decision(
        action=Action.PROMOTE,
        reason=f"{everyone.canary_failed} of {everyone.canary} canary requests failed, "
        f"and over {objective.no_slower.count} seconds it kept the objective as the baseline does.",
    )


def _heard(
    state: CanaryState, request: Request, complaint: str, *, complains: bool
) -> tuple[CanaryState, int]:
    """Return the state that remembers the complaint, and which one of its session it is; 0 is none.

    Where too many sessions complained to remember them all, another's is taken for its second.
    """
    if not complains or not request.session:
        return state, int(complains)
    key = f"{request.arm} {complaint} {request.session}"
    says = state.says_of.get(key, 0)
    if not says and len(state.says_of) >= SESSIONS_MAX:
        return state, 2
    return replace(state, says_of={**state.says_of, key: says + 1}), says + 1


def _complained(told: Complaints, request: Request) -> Complaints:
    if request.arm == "canary":
        return replace(told, canary=told.canary + 1, canary_now=told.canary_now + 1)
    return replace(told, baseline=told.baseline + 1, baseline_now=told.baseline_now + 1)


def _thrown(told: Complaints, rule: CanaryRule) -> Complaints:
    after = replace(told, canary_now=0, baseline_now=0)
    if told.canary_now == told.baseline_now:
        return after
    of_canary, position = float(told.canary_now > told.baseline_now), told.throws + 1
    capital = complaint_step(
        told.capital, position=float(position), of_canary=of_canary, odds=rule.worse_odds
    )
    return replace(after, throws=position, capital=float(capital))


def _objectives(objectives: dict[str, Objective], request: Request) -> dict[str, Objective]:
    after = dict(objectives)
    for name in dict.fromkeys((EVERYONE, request.journey)):
        if name in after or len(after) <= JOURNEYS_MAX:
            objective = after.get(name, Objective(rank=len(after)))
            after[name] = replace(objective, second=_within(objective.second, request))
    return after


def _second_passed(objective: Objective, rule: CanaryRule) -> Objective:
    second = objective.second
    if not second.canary or not second.baseline:
        return objective
    difference = second.canary_slow / second.canary - second.baseline_slow / second.baseline
    return replace(
        objective,
        second=Second(),
        slower=objective.slower.after(difference - rule.slow_margin, bet_max=rule.bet_max),
        no_slower=objective.no_slower.after(rule.promote_margin - difference, bet_max=rule.promote_bet_max),
    )


def _slow_alpha(objective: Objective, rule: CanaryRule) -> float:
    return (
        rule.journeys_alpha / (objective.rank * (objective.rank + 1)) if objective.rank else rule.slow_alpha
    )


def _within(second: Second, request: Request) -> Second:
    slow = int(request.slow or request.failed)
    if request.arm == "canary":
        return replace(second, canary=second.canary + 1, canary_slow=second.canary_slow + slow)
    return replace(second, baseline=second.baseline + 1, baseline_slow=second.baseline_slow + slow)


def _grouped(groups: dict[str, Group], request: Request, rule: CanaryRule) -> dict[str, Group]:
    after = dict(groups)
    for name in dict.fromkeys((EVERYONE, request.tenant)):
        if name in after or len(after) <= GROUPS_MAX:
            after[name] = _after(after.get(name, Group(rank=len(after))), request, rule)
    return after


def _alpha(group: Group, rule: CanaryRule) -> float:
    # The tenants share one alpha as 1/(j (j + 1)), which adds up to one however many come.
    return rule.tenants_alpha / (group.rank * (group.rank + 1)) if group.rank else rule.errors_alpha


def _after(group: Group, request: Request, rule: CanaryRule) -> Group:
    of_canary, failed = request.arm == "canary", float(request.failed)
    if request.failed:
        share = (group.canary + 1.0) / (group.canary + group.baseline + 2.0)
        own = split_step(group.own, share=share, of_canary=float(of_canary), odds=rule.own_odds)
        group = replace(group, own=float(max(own, rule.own_floor)))
    if not of_canary:
        return replace(
            group,
            baseline=group.baseline + 1,
            baseline_failed=group.baseline_failed + request.failed,
        )
    position = group.canary + 1.0
    healthy, bad = rule.errors_healthy, rule.errors_bad
    return replace(
        group,
        canary=group.canary + 1,
        canary_failed=group.canary_failed + request.failed,
        bad=float(failure_step(group.bad, position=position, failed=failed, healthy=healthy, bad=bad)),
        fine=float(failure_step(group.fine, position=position, failed=failed, healthy=bad, bad=healthy)),
    )
