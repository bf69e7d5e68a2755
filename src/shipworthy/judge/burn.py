"""Error budgets and burn rates, by arithmetic alone.

Owns the multi-window alert rule. Standard library only: the runtime imports this one file
of the judge, and must not pull numpy into production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_HOUR_S = 3600


@dataclass(frozen=True, kw_only=True)
class Count:
    """Events of one window: how many there were and how many broke the objective."""

    total: int
    bad: int


@dataclass(frozen=True, kw_only=True)
class BurnRule:
    """Alert when the budget burns `rate` times too fast over both windows.

    The long window says that it matters, the short one that it is still going on.
    """

    name: str
    rate: float
    long_s: int
    short_s: int


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What is left of an error budget.

    Units:   `allowed` and `spent` are events of the window; `left` is a share, below 0 when overspent.
    """

    allowed: float
    spent: int
    left: float


# Source: Google, The Site Reliability Workbook, chapter 5, table 5-8 ("Recommended parameters
# for a 99.9 % SLO"): 2 % of a 30-day budget in an hour, 5 % in six hours, 10 % in three days.
MULTI_WINDOW_RULES = (
    BurnRule(name="page-fast", rate=14.4, long_s=_HOUR_S, short_s=_HOUR_S // 12),
    BurnRule(name="page-slow", rate=6.0, long_s=6 * _HOUR_S, short_s=_HOUR_S // 2),
    BurnRule(name="ticket", rate=1.0, long_s=72 * _HOUR_S, short_s=6 * _HOUR_S),
)


def burn_rate(count: Count, *, objective: float) -> float:
    """Return how many times faster than allowed the budget burns; 1 spends it exactly in its window.

    Without events nothing burns: 0.

    Errors:  ValueError when the objective is not strictly between 0 and 1 (it leaves no budget).
    """
    allowed_share = _allowed_share(objective)
    return 0.0 if count.total == 0 else count.bad / count.total / allowed_share


def budget(count: Count, *, objective: float) -> Budget:
    """Return what the objective allowed in the window, what was spent, and the share left.

    Errors:  ValueError as `burn_rate`.
    """
    allowed = _allowed_share(objective) * count.total
    left = 1.0 if count.total == 0 else 1.0 - count.bad / allowed
    return Budget(allowed=allowed, spent=count.bad, left=left)


def firing(
    counts: Mapping[int, Count],
    *,
    objective: float,
    rules: Sequence[BurnRule] = MULTI_WINDOW_RULES,
) -> tuple[BurnRule, ...]:
    """Return the rules whose two windows both burn at their rate or faster, in the given order.

    `counts` maps a window's length in seconds to its events; a window that is missing counts
    as not burning, so a service younger than three days cannot raise the three-day ticket.
    """
    return tuple(
        rule
        for rule in rules
        if all(
            window_s in counts and burn_rate(counts[window_s], objective=objective) >= rule.rate
            for window_s in (rule.long_s, rule.short_s)
        )
    )


def _allowed_share(objective: float) -> float:
    if not 0.0 < objective < 1.0:
        raise ValueError(f"an objective of {objective} leaves no error budget; it must lie between 0 and 1")
    return 1.0 - objective
