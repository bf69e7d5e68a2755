"""How the objectives stand: percentiles, what is left of the error budget, how fast it burns.

The multi-window rule is the judge's (judge/burn.py): without Prometheus the same alerts fire as the generated
rules say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipworthy.contract.manifest import Slo
from shipworthy.judge.burn import MULTI_WINDOW_RULES, budget, burn_rate, firing
from shipworthy.kernel.objectives.history import KEPT_S, History

LATENCY_S = 3600  # the window percentiles are of
WINDOWS_S = tuple(sorted({w for rule in MULTI_WINDOW_RULES for w in (rule.short_s, rule.long_s)}))
# Fewer requests than these say nothing: one slow request at night is all of them.
REQUESTS_MIN = 20


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How one objective stands.

    Units:   percentiles in milliseconds over the last hour, None without requests; `budget_left` is a share of 30
             days' budget, below 0 when overspent; `burn` is how many times faster than allowed, by window in seconds.
    """

    objective: str
    title: str
    quantile: float
    threshold_ms: float
    requests: int  # of the last hour
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    budget_left: float
    budget_requests: int  # of 30 days
    burn: dict[int, float]
    alerts: tuple[str, ...]  # the rules that fire


def read_objectives(history: History, slos: Sequence[Slo], *, now_s: float) -> list[Reading]:
    """Return how each objective stands, in the order they are declared."""
    return [_reading(history, slo, now_s) for slo in slos]


def _reading(history: History, slo: Slo, now_s: float) -> Reading:
    counts = {w: history.count(slo.name, since_s=now_s - w) for w in WINDOWS_S}
    telling = {w: count for w, count in counts.items() if count.total >= REQUESTS_MIN}
    month = history.count(slo.name, since_s=now_s - KEPT_S)
    taken = history.taken(slo.name, since_s=now_s - LATENCY_S)
    return Reading(
        objective=slo.name,
        title=slo.title or slo.name,
        quantile=slo.quantile,
        threshold_ms=slo.threshold_ms,
        requests=sum(taken.values()),
        p50_ms=percentile_ms(taken, 0.50),
        p95_ms=percentile_ms(taken, 0.95),
        p99_ms=percentile_ms(taken, 0.99),
        budget_left=round(budget(month, objective=slo.quantile).left, 4),
        budget_requests=month.total,
        burn={w: round(burn_rate(count, objective=slo.quantile), 2) for w, count in counts.items()},
        alerts=tuple(rule.name for rule in firing(telling, objective=slo.quantile)),
    )


def percentile_ms(taken: Mapping[float, int], quantile: float) -> float | None:
    """Return within what time this share of requests was answered: the edge of the histogram that holds it.

    The upper edge, so it is never better than the truth. Units: milliseconds; infinite beyond the last edge.
    """
    wanted, passed = sum(taken.values()) * quantile, 0
    for edge_s, count in sorted(taken.items()):
        passed += count
        if count and passed >= wanted:
            return round(1000 * edge_s, 1)
    return None
