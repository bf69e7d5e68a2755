"""Judging by counts: where a rollout is somebody else's, each version only says how many requests there were.

Sessions and tenants are not in a count, so R4's bound on what one client may say is kept another way: the failures
of one version in one look are one story, however many they are. Slow requests are compared by share, as ever.
Both versions should get alike many requests; where the old one gets more, a bad version takes longer to be seen,
and a healthy one is not taken back more often: the sessions' throw of a coin then leans towards it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from shipworthy.judge.canary import (
    CANARY,
    CanaryRule,
    CanaryState,
    Decision,
    Request,
    decide,
    observe,
    tick,
)

Arm = Literal["baseline", "canary"]
ARMS: tuple[Arm, ...] = ("baseline", "canary")  # the baseline first: whose fault it is is asked of both
LOOK_REQUESTS_MAX = 5_000  # of a version in one look; beyond, the shares are kept


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One version's requests of one journey since the last look; `failed` and `slow` are different requests."""

    journey: str
    requests: int
    failed: int = 0
    slow: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.failed + self.slow <= self.requests or min(self.failed, self.slow) < 0:
            raise ValueError(
                f"{self.journey or 'other'}: {self.failed} failed and {self.slow} slow of {self.requests} requests cannot be"
            )


@dataclass(kw_only=True)
class CountedHearing:
    """Hears look after look, a second apart; `decision` may be asked for after each."""

    rule: CanaryRule = CANARY
    state: CanaryState = field(default_factory=CanaryState)
    looks: int = 0
    requests: dict[Arm, int] = field(default_factory=lambda: dict.fromkeys(ARMS, 0))

    def hear(self, look: Mapping[Arm, Iterable[Counted]]) -> Decision:
        """Take one look at both versions and return what the judge says now."""
        self.looks += 1
        for arm in ARMS:
            for counted in look.get(arm, ()):
                self.requests[arm] += counted.requests
                for request in _requests(arm, counted, look=self.looks):
                    self.state = observe(self.state, request, rule=self.rule)
        self.state = tick(self.state, rule=self.rule)
        return self.decision

    @property
    def decision(self) -> Decision:
        return decide(self.state, rule=self.rule)


def _requests(arm: Arm, counted: Counted, *, look: int) -> Iterator[Request]:
    """Yield a count as requests, the bad ones spread among the others: nobody knows their order."""
    total = min(counted.requests, LOOK_REQUESTS_MAX)
    share = total / counted.requests if counted.requests else 0.0
    failed, bad = round(counted.failed * share), round((counted.failed + counted.slow) * share)
    met = 0
    for place in range(total):
        is_bad = _falls(place, bad, total)
        is_failed = is_bad and _falls(met, failed, bad)
        met += is_bad
        yield Request(
            arm=arm,
            failed=is_failed,
            slow=is_bad and not is_failed,
            session=f"look {look}" if is_failed else "",
            journey=counted.journey,
        )


def _falls(place: int, count: int, total: int) -> bool:
    """Say whether one of `count` things that are spread evenly over `total` places falls on this one."""
    return (place + 1) * count // total > place * count // total


def looks_of(lines: Iterable[Mapping[str, object]]) -> Iterator[dict[Arm, list[Counted]]]:
    """Yield the looks that lines tell of, in order: {"look": 0, "arm": "canary", "journey": "login", "requests": 9, ...}.

    Errors:  ValueError naming what is wrong with a line.
    """
    look: dict[Arm, list[Counted]] = {}
    number: int | None = None
    for line in lines:
        told, arm, counted = _counted(line)
        if number is not None and told < number:
            raise ValueError(f"look {told} comes after look {number}: they must rise")
        if number is not None and told != number:
            yield look
            look = {}
        number = told
        look.setdefault(arm, []).append(counted)
    if look:
        yield look


def _counted(line: Mapping[str, object]) -> tuple[int, Arm, Counted]:
    known = {"look", "arm", "journey", "requests", "failed", "slow"}
    if unknown := sorted(set(line) - known):
        raise ValueError(f"{unknown[0]!r} is not known; known: {', '.join(sorted(known))}")
    arm, numbers = (
        line.get("arm"),
        {name: line.get(name, 0) for name in ("look", "requests", "failed", "slow")},
    )
    if arm not in ARMS:
        raise ValueError(f"arm must be canary or baseline, not {arm!r}")
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} must be a whole number and not below 0, not {value!r}")
    whole = cast(dict[str, int], numbers)
    counted = Counted(
        journey=str(line.get("journey", "")),
        requests=whole["requests"],
        failed=whole["failed"],
        slow=whole["slow"],
    )
    return whole["look"], arm, counted
