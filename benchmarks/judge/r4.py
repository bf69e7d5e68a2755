"""How often does R4 roll a healthy canary back, and how soon a broken one? 2,000 requests each.

All runs advance together, through the very steps (sequential.py) that `observe` and `tick`
take one by one; tests/judge/test_canary.py holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.judge import traffic
from benchmarks.judge.noise import SEED, Array, Flags, Indices
from benchmarks.judge.traffic import BROKEN, CLUSTERS, HEALTHY, PER_SECOND, UNFIT, Traffic
from benchmarks.report import show_table
from shipworthy.judge.canary import CANARY
from shipworthy.judge.sequential import (
    bet_size,
    complaint_step,
    failure_step,
    gain_step,
    split_step,
)


@dataclass(frozen=True, kw_only=True)
class CanaryCell:
    """Shares of the simulated canaries, and how many of its requests a rollback took.

    `promoted` had at some moment shown few errors and at some moment kept the objective, and
    was not rolled back before: at least as often as the rule promotes, which asks for both at once.
    """

    noise: str
    rolled_back: float
    promoted: float
    paged: float
    by_errors: float
    by_tenant: float
    by_sessions: float
    by_objective: float
    requests_median: float | None
    requests_p95: float | None


def simulated(*, runs: int) -> Iterable[CanaryCell]:
    """Simulate healthy canaries under every kind of noise, then broken ones."""
    for place, (name, drawn) in enumerate({**HEALTHY, **BROKEN, **UNFIT}.items()):
        rng = np.random.default_rng([SEED, 4, place])
        yield played(name, *drawn(rng, runs))


def figures(cells: list[CanaryCell]) -> dict[str, float | None]:
    """Return the promised keys; clustered is the worst of the cluster sizes."""
    by = {c.noise: c for c in cells}
    return {
        "r4_false_rollback_quiet": by["quiet"].rolled_back,
        "r4_false_rollback_clustered": max(by[f"clustered {m}"].rolled_back for m in CLUSTERS),
        "r4_false_rollback_tenants": by["tenants"].rolled_back,
        "r4_false_rollback_overdispersed": by["overdispersed"].rolled_back,
        "r4_false_rollback_bursty": by["bursty"].rolled_back,
        "r4_false_rollback_outage": by["shared outage"].rolled_back,
        "r4_false_rollback_recorded": by["recorded"].rolled_back,
        "r4_outage_requests_median": by["dead"].requests_median,
        "r4_outage_requests_p95": by["dead"].requests_p95,
        "r4_bad30_requests_median": by["30 % bad"].requests_median,
        "r4_bad30_requests_p95": by["30 % bad"].requests_p95,
        "r4_bad3_requests_median": by["3 % errors"].requests_median,
    }


def show(cells: list[CanaryCell]) -> None:
    """Print one table: the healthy ones first, then the broken ones."""
    show_table(
        f"{CANARY.name}, {traffic.REQUESTS} requests an arm (shares of runs; requests are the canary's until rollback)",
        (
            "noise",
            "rolled back",
            "promoted",
            "by errors",
            "by a tenant",
            "by sessions",
            "by objective",
            "held, paged",
            "requests median",
            "p95",
        ),
        (
            (
                c.noise,
                c.rolled_back,
                c.promoted,
                c.by_errors,
                c.by_tenant,
                c.by_sessions,
                c.by_objective,
                c.paged,
                *("-" if x is None else x for x in (c.requests_median, c.requests_p95)),
            )
            for c in cells
        ),
    )


def gates(cells: list[CanaryCell]) -> list[dict[str, Any]]:
    """Return the table the product prints: a false FAIL is a healthy canary rolled back, a false PASS a bad one promoted."""
    return [
        {
            "rule": CANARY.name,
            "false_pass": {c.noise: c.promoted for c in cells if c.noise in UNFIT},
            "false_fail": {c.noise: c.rolled_back for c in cells if c.noise in HEALTHY},
        }
    ]


def played(name: str, canary: Traffic, baseline: Traffic) -> CanaryCell:
    """Run every canary to its rollback or its end."""
    errors, tenants, fine, paged = errors_told(canary, baseline)
    sessions = sessions_told(canary, baseline)
    slow, no_slower = objective_told(canary, baseline)
    at = np.minimum(np.minimum(errors, tenants), np.minimum(sessions, slow))
    back = at <= traffic.REQUESTS
    return CanaryCell(
        noise=name,
        rolled_back=float(back.mean()),
        promoted=float((np.maximum(fine, no_slower) < np.minimum(at, traffic.REQUESTS + 1)).mean()),
        paged=float((paged & ~back).mean()),
        by_errors=float((errors <= traffic.REQUESTS).mean()),
        by_tenant=float((tenants <= traffic.REQUESTS).mean()),
        by_sessions=float((sessions <= traffic.REQUESTS).mean()),
        by_objective=float((slow <= traffic.REQUESTS).mean()),
        requests_median=float(np.median(at[back])) if back.mean() > 0.5 else None,
        requests_p95=float(np.quantile(np.where(back, at, np.inf), 0.95, method="higher"))
        if back.mean() > 0.96
        else None,
    )


def errors_told(canary: Traffic, baseline: Traffic) -> tuple[Array, Array, Array, Flags]:
    """Return the request at which everyone's errors roll back, a tenant's do, and errors are shown to be few.

    Infinite is never. The last says which runs were held and a person paged.
    """
    runs, requests = canary.failed.shape
    groups = _Groups(runs, tenants=int(canary.tenant.max()) + 1)
    first, fine = np.full((2, runs), np.inf), np.full(runs, np.inf)
    paged = np.zeros(runs, dtype=bool)
    for i in range(requests):
        for arm, of_canary in ((canary, True), (baseline, False)):
            # A session that has had its say is as if it had not asked.
            counts = arm.told[:, i] | ~arm.failed[:, i]
            for group in groups.of(arm.tenant[:, i]):
                groups.after(group, of_canary=of_canary, failed=arm.failed[:, i], counts=counts)
        for place, group in enumerate(groups.of(canary.tenant[:, i])):
            breached, own = groups.breached(group)
            first[place] = np.where(breached & own, np.minimum(first[place], i + 1), first[place])
            paged |= breached & ~own
        shown = (groups.fine >= 1 / CANARY.promote_alpha) & (
            groups.canary[:, 0] >= CANARY.promote_requests_min
        )
        fine = np.where(shown, np.minimum(fine, i + 1), fine)
    return first[0], first[1], fine, paged


def sessions_told(canary: Traffic, baseline: Traffic) -> Array:
    """Return the request at which the sessions that failed roll back; infinite is never."""
    runs, requests = canary.failed.shape
    capital, position, at = np.zeros(runs), np.zeros(runs), np.full(runs, np.inf)
    for begin in range(0, requests, PER_SECOND):
        now = slice(begin, begin + PER_SECOND)
        more = canary.first[:, now].sum(axis=1) - baseline.first[:, now].sum(axis=1, dtype=np.int64)
        position = position + (more != 0)
        of_canary: Array = (more > 0).astype(np.float64)
        stepped = complaint_step(capital, position=position, of_canary=of_canary, odds=CANARY.worse_odds)
        capital = np.where(more != 0, stepped, capital)
        end = begin + PER_SECOND
        told = (capital >= 1 / CANARY.worse_alpha) & (end >= CANARY.baseline_requests_min)
        at = np.where(told, np.minimum(at, end), at)
    return at


def objective_told(canary: Traffic, baseline: Traffic) -> tuple[Array, Array]:
    """Return the request at which the objective rolls back, and at which it is shown kept; infinite is never."""
    runs = len(canary.slow)
    slower, no_slower = _Bets(runs, CANARY.bet_max), _Bets(runs, CANARY.promote_bet_max)
    since = np.zeros((4, runs))  # of both arms: slow, counted
    for begin in range(0, traffic.REQUESTS, PER_SECOND):
        since += np.array([*_slow_and_counted(canary, begin), *_slow_and_counted(baseline, begin)])
        of_canary, of_baseline = (since[i] / np.maximum(since[i + 1], 1) for i in (0, 2))
        told = (since[1] > 0) & (since[3] > 0)
        difference = np.where(told, of_canary - of_baseline, np.nan)
        end = begin + PER_SECOND
        slower.after(difference - CANARY.slow_margin, bound=1 / CANARY.slow_alpha, now=end)
        no_slower.after(CANARY.promote_margin - difference, bound=1 / CANARY.promote_alpha, now=end)
        since[:, told] = 0
    return slower.at, no_slower.at


class _Bets:
    """One betting test of all runs at once; `at` is when it first reached its bound."""

    def __init__(self, runs: int, bet_max: float) -> None:
        self.bet_max = bet_max
        self.capital, self.count, self.total, self.squares, self.at = (
            np.full(runs, begin) for begin in (1.0, 0.0, 0.0, 0.0, np.inf)
        )

    def after(self, gain: Array, *, bound: float, now: int) -> None:
        told = np.isfinite(gain)
        gain = np.where(told, gain, 0.0)
        bet = bet_size(self.count, self.total, self.squares, bet_max=self.bet_max)
        self.capital = gain_step(self.capital, gain=gain, bet=bet)
        self.count, self.total, self.squares = self.count + told, self.total + gain, self.squares + gain**2
        self.at = np.where(self.capital >= bound, np.minimum(self.at, now), self.at)


def _slow_and_counted(arm: Traffic, begin: int) -> tuple[Array, Array]:
    """Return each run's slow requests of one second, and all that count."""
    now = slice(begin, begin + PER_SECOND)
    slow: Array = (arm.slow[:, now] & arm.slow_told[:, now]).sum(axis=1).astype(np.float64)
    counted: Array = (arm.slow_told[:, now] | ~arm.slow[:, now]).sum(axis=1).astype(np.float64)
    return slow, counted


class _Groups:
    """The error tests of all runs at once: column 0 is everyone, column 1 + t tenant t."""

    def __init__(self, runs: int, *, tenants: int) -> None:
        shape = (runs, 1 + tenants)
        self.rows = np.arange(runs)
        self.canary: Array = np.zeros(shape)
        self.baseline: Array = np.zeros(shape)
        self.rank: Array = np.zeros(shape)
        self.bad, self.own, self.fine = np.zeros(shape), np.ones(shape), np.zeros(runs)
        self.seen = np.zeros(runs)
        self.has_tenants = tenants > 1

    def of(self, tenant: Indices) -> Iterable[Indices]:
        yield np.zeros_like(tenant)
        if self.has_tenants:
            yield 1 + tenant

    def after(self, group: Indices, *, of_canary: bool, failed: Flags, counts: Flags) -> None:
        rows = self.rows[counts]
        at = (rows, group[counts])
        failures: Array = failed[counts].astype(np.float64)
        if group.any():
            new = self.rank[at] == 0
            self.seen[rows] += new
            self.rank[at] = np.where(new, self.seen[rows], self.rank[at])
        share = (self.canary[at] + 1.0) / (self.canary[at] + self.baseline[at] + 2.0)
        own = split_step(
            self.own[at], share=share, of_canary=np.full(len(rows), float(of_canary)), odds=CANARY.own_odds
        )
        self.own[at] = np.where(failures > 0, np.maximum(own, CANARY.own_floor), self.own[at])
        if not of_canary:
            self.baseline[at] += 1
            return
        self.canary[at] += 1
        position: Array = self.canary[at]
        healthy, bad = CANARY.errors_healthy, CANARY.errors_bad
        self.bad[at] = failure_step(
            self.bad[at], position=position, failed=failures, healthy=healthy, bad=bad
        )
        if not group.any():
            self.fine[rows] = failure_step(
                self.fine[rows], position=position, failed=failures, healthy=bad, bad=healthy
            )

    def breached(self, group: Indices) -> tuple[Flags, Flags]:
        at = (self.rows, group)
        rank = self.rank[at]
        alpha = np.where(
            rank > 0, CANARY.tenants_alpha / np.maximum(rank * (rank + 1), 1), CANARY.errors_alpha
        )
        own = (self.baseline[at] < CANARY.baseline_requests_min) | (self.own[at] >= 1 / CANARY.own_alpha)
        return self.bad[at] >= 1 / alpha, own
