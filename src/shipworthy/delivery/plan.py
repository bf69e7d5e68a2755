"""How a version is brought out, how far it is, what a person sees of it, and how it ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from shipworthy.delivery.access import Seen
from shipworthy.judge.canary import CANARY, CanaryRule, Decision

WEIGHTS = (1, 5, 25, 50, 100)
Ending = Literal["promoted", "rolled back", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a version is brought out.

    Each weight lasts at least `stage_s` and until the canary has had `stage_requests_min` requests more;
    the last one comes only when the judge promotes. After `patience_s` at one weight it is given up.
    """

    weights: tuple[int, ...] = WEIGHTS
    stage_s: float = 30.0
    stage_requests_min: int = 50
    patience_s: float = 1_800.0
    start_timeout_s: float = 120.0
    page_again_s: float = 15.0  # until whoever is called has heard
    probes: tuple[str, ...] = ()
    rule: CanaryRule = CANARY


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The deploy that is under way, for the next one when this one is killed."""

    deploy: str
    release: str
    salt: str
    step: str


@dataclass(kw_only=True)
class View:
    """What a person sees of a running rollout; rewritten every second."""

    step: str = ""
    weights: tuple[int, ...] = ()
    weight: int = 0
    stage_s: float = 0.0
    decision: Decision | None = None
    waits: str = ""
    arms: dict[str, Counter[str]] = field(default_factory=dict)  # arm -> requests, failed, slow
    journeys: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)

    def seen(self, one: Seen, *, slow: bool) -> None:
        for counts in (
            self.arms.setdefault(one.arm, Counter()),
            self.journeys.setdefault(one.journey, {}).setdefault(one.arm, Counter()),
        ):
            counts.update(requests=1, failed=int(one.failed), slow=int(slow or one.failed))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it ended: the version serves, was taken back, or was not decided upon and taken back."""

    decision: Ending
    reason: str
    page: bool
    record: Path
    weight_zero_s: float | None = None
    canary_requests: int = 0
    judged_requests: int = 0  # of the canary, until it was decided
