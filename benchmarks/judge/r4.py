"""How often does R4 roll a healthy canary back, and how soon a broken one? 2,000 requests each.

Canary and fresh baseline get a request each in turn, five a second. All runs advance
together, through the very steps (sequential.py) that `observe` and `tick` take one by one;
tests/judge/test_canary.py holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.judge.noise import BAD_BLOCKS, PHI, SEED, Array, Flags, Indices, stretches, trace
from benchmarks.report import show_table
from shipworthy.judge.canary import CANARY
from shipworthy.judge.sequential import bet_size, failure_step, gain_step, split_step

REQUESTS = 2_000
PER_SECOND = 5
TENANTS = 20
ERRORS = 0.01  # of a healthy service
SLOW = 0.04  # beyond the objective, of a budget of 0.05: hard to tell from too many
CLUSTERS = (3, 6, 20)
SESSION = 10  # requests a session sends in a row: its tenant stays the same
_LAPS = 4  # a cluster's next failure comes after so many requests of its arm, on average


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """One arm's requests, (runs, requests): hard failures, slow ones, tenants.

    `told` and `slow_told` are False for what a session has no say with any more.
    """

    failed: Flags
    told: Flags
    slow: Flags
    slow_told: Flags
    tenant: Indices


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
    by_objective: float
    requests_median: float | None
    requests_p95: float | None


Pairs = tuple[Traffic, Traffic]


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
    }


def show(cells: list[CanaryCell]) -> None:
    """Print one table: the healthy ones first, then the broken ones."""
    show_table(
        f"{CANARY.name}, {REQUESTS} requests an arm (shares of runs; requests are the canary's until rollback)",
        (
            "noise",
            "rolled back",
            "promoted",
            "by errors",
            "by a tenant",
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
    slow, no_slower = objective_told(canary, baseline)
    at = np.minimum(np.minimum(errors, tenants), slow)
    back = at <= REQUESTS
    return CanaryCell(
        noise=name,
        rolled_back=float(back.mean()),
        promoted=float((np.maximum(fine, no_slower) < np.minimum(at, REQUESTS + 1)).mean()),
        paged=float((paged & ~back).mean()),
        by_errors=float((errors <= REQUESTS).mean()),
        by_tenant=float((tenants <= REQUESTS).mean()),
        by_objective=float((slow <= REQUESTS).mean()),
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


def objective_told(canary: Traffic, baseline: Traffic) -> tuple[Array, Array]:
    """Return the request at which the objective rolls back, and at which it is shown kept; infinite is never."""
    slower, no_slower = _Bets(len(canary.slow)), _Bets(len(canary.slow))
    for begin in range(0, REQUESTS, PER_SECOND):
        difference = _slow_share(canary, begin) - _slow_share(baseline, begin)
        end = begin + PER_SECOND
        slower.after(difference - CANARY.slow_margin, bound=1 / CANARY.slow_alpha, now=end)
        no_slower.after(CANARY.promote_margin - difference, bound=1 / CANARY.promote_alpha, now=end)
    return slower.at, no_slower.at


class _Bets:
    """One betting test of all runs at once; `at` is when it first reached its bound."""

    def __init__(self, runs: int) -> None:
        self.capital, self.count, self.total, self.squares, self.at = (
            np.full(runs, begin) for begin in (1.0, 0.0, 0.0, 0.0, np.inf)
        )

    def after(self, gain: Array, *, bound: float, now: int) -> None:
        told = np.isfinite(gain)
        gain = np.where(told, gain, 0.0)
        bet = bet_size(self.count, self.total, self.squares, bet_max=CANARY.bet_max)
        self.capital = gain_step(self.capital, gain=gain, bet=bet)
        self.count, self.total, self.squares = self.count + told, self.total + gain, self.squares + gain**2
        self.at = np.where(self.capital >= bound, np.minimum(self.at, now), self.at)


def _slow_share(arm: Traffic, begin: int) -> Array:
    """Return each run's share of one second; not a number when no request of it counts."""
    now = slice(begin, begin + PER_SECOND)
    slow = (arm.slow[:, now] & arm.slow_told[:, now]).sum(axis=1)
    counted = (arm.slow_told[:, now] | ~arm.slow[:, now]).sum(axis=1)
    return np.where(counted > 0, slow / np.maximum(counted, 1), np.nan)


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


def independent(
    rng: np.random.Generator, runs: int, *, errors: float = ERRORS, slow: float = SLOW
) -> Traffic:
    """Every request on its own, one tenant."""
    shape = (runs, REQUESTS)
    failed = rng.random(shape, dtype=np.float32) < errors
    return _traffic(failed, slow=rng.random(shape, dtype=np.float32) < slow)


def overdispersed(rng: np.random.Generator, runs: int) -> Traffic:
    """Each second has its own share of failures and of slow requests, of its own in each arm."""
    return _traffic(_uneven(rng, runs, ERRORS), slow=_uneven(rng, runs, SLOW))


def bursty(rng: np.random.Generator, runs: int) -> Pairs:
    """One second in ten is bad in both arms: eight times the failures and the slow requests of the others."""
    bad = np.repeat(rng.random((runs, REQUESTS // PER_SECOND)) < BAD_BLOCKS, PER_SECOND, axis=1)
    times = np.where(bad, 8.0, 1.0) / (1 + 7 * BAD_BLOCKS)

    def arm() -> Traffic:
        failed = rng.random(bad.shape) < ERRORS * times
        return _traffic(failed, slow=rng.random(bad.shape) < SLOW * times)

    return arm(), arm()


def clustered(rng: np.random.Generator, runs: int, mean: int) -> Traffic:
    """Failures come as one session that fails `mean` times on average; so do the slow requests."""
    failed, told = _clusters(rng, runs, mean, ERRORS)
    slow, slow_told = _clusters(rng, runs, mean, SLOW)
    return _traffic(failed, slow=slow, told=told, slow_told=slow_told)


def outage(rng: np.random.Generator, runs: int) -> Pairs:
    """A dependency of both arms is gone for thirty requests, once."""
    begin = rng.integers(0, REQUESTS - 30, (runs, 1))
    gone = (np.arange(REQUESTS) >= begin) & (np.arange(REQUESTS) < begin + 30)

    def arm() -> Traffic:
        failed = (rng.random(gone.shape) < ERRORS) | (gone & (rng.random(gone.shape) < 0.7))
        return _traffic(failed, slow=rng.random(gone.shape) < SLOW)

    return arm(), arm()


def uneven_tenants(rng: np.random.Generator, runs: int) -> Pairs:
    """Twenty tenants of lognormal size, and lognormal shares of failing and of slow requests (sd 1).

    Sessions are sticky, ten requests long, so the arms see different mixtures of tenants.
    """
    size, failing, slowness = (np.exp(rng.standard_normal((runs, TENANTS))) for _ in range(3))
    size /= size.sum(axis=1, keepdims=True)
    edges = size.cumsum(axis=1)
    fail_share, slow_share = (
        np.minimum(mean * x / (x * size).sum(axis=1, keepdims=True), 1.0)
        for mean, x in ((ERRORS, failing), (SLOW, slowness))
    )

    def arm() -> Traffic:
        luck = rng.random((runs, REQUESTS // SESSION))
        session = np.minimum((luck[:, :, None] > edges[:, None, :]).sum(axis=2), TENANTS - 1)
        tenant = np.repeat(session, SESSION, axis=1)
        failed = rng.random(tenant.shape) < np.take_along_axis(fail_share, tenant, axis=1)
        slow = failed | (rng.random(tenant.shape) < np.take_along_axis(slow_share, tenant, axis=1))
        return Traffic(failed=failed, told=_first(failed), slow=slow, slow_told=_first(slow), tenant=tenant)

    return arm(), arm()


def one_tenant_dead(rng: np.random.Generator, runs: int) -> Pairs:
    """The canary fails everything of the first of twenty tenants, and nothing else more than usual."""
    canary, baseline = uneven_tenants(rng, runs)
    failed, slow = canary.failed | (canary.tenant == 0), canary.slow | (canary.tenant == 0)
    return replace(canary, failed=failed, told=_first(failed), slow=slow, slow_told=_first(slow)), baseline


def recorded(rng: np.random.Generator, runs: int) -> Pairs:
    """Slow is what was beyond the trace's own 96th percentile; failures are independent."""
    arms = trace()
    threshold = np.quantile(np.concatenate([np.array(s) for arm in arms for s in arm]), 1 - SLOW)
    shares = np.array([[np.mean([us > threshold for us in s] or [False]) for s in arm] for arm in arms])
    seconds = stretches(rng, (runs, REQUESTS // PER_SECOND), step=1, seconds=shares.shape[1])
    swapped = rng.random((runs, 1)) < 0.5

    def arm(first: int) -> Traffic:
        share = np.where(swapped, shares[first].take(seconds), shares[1 - first].take(seconds))
        slow = rng.random((runs, REQUESTS)) < np.repeat(share, PER_SECOND, axis=1)
        return _traffic(rng.random((runs, REQUESTS)) < ERRORS, slow=slow)

    return arm(0), arm(1)


def _both(draw: Callable[[np.random.Generator, int], Traffic]) -> Callable[[np.random.Generator, int], Pairs]:
    return lambda rng, runs: (draw(rng, runs), draw(rng, runs))


HEALTHY: dict[str, Callable[[np.random.Generator, int], Pairs]] = {
    "quiet": _both(independent),
    "overdispersed": _both(overdispersed),
    "bursty": bursty,
    **{f"clustered {m}": _both(partial(clustered, mean=m)) for m in CLUSTERS},
    "tenants": uneven_tenants,
    "shared outage": outage,
    "recorded": recorded,
    # Errors exactly at the healthy bound, and no more beyond the objective than the baseline has.
    "at the bound": lambda rng, runs: (
        independent(rng, runs, errors=CANARY.errors_healthy, slow=0.0),
        independent(rng, runs),
    ),
}
BROKEN: dict[str, Callable[[np.random.Generator, int], Pairs]] = {
    "dead": lambda rng, runs: (independent(rng, runs, errors=1.0), independent(rng, runs)),
    "30 % bad": lambda rng, runs: (independent(rng, runs, errors=0.30), independent(rng, runs)),
    "15 % slow": lambda rng, runs: (independent(rng, runs, slow=0.15), independent(rng, runs)),
    "one tenant dead": one_tenant_dead,
}
# Exactly where a promotion becomes a mistake.
UNFIT: dict[str, Callable[[np.random.Generator, int], Pairs]] = {
    "10 % errors": lambda rng, runs: (independent(rng, runs, errors=0.10), independent(rng, runs)),
    "5 points slower": lambda rng, runs: (independent(rng, runs, slow=SLOW + 0.05), independent(rng, runs)),
}


def _traffic(
    failed: Flags, *, slow: Flags, told: Flags | None = None, slow_told: Flags | None = None
) -> Traffic:
    """Return one tenant's traffic; what failed was slow too; without sessions every request has its say."""
    told, slow_told = failed if told is None else told, slow if slow_told is None else slow_told
    return Traffic(
        failed=failed,
        told=told,
        slow=slow | failed,
        slow_told=slow_told | told,
        tenant=np.zeros((len(failed), REQUESTS), dtype=np.int64),
    )


def _first(complaints: Flags) -> Flags:
    """Say which complaints are still heard, of sessions of `SESSION` requests in a row."""
    heard = complaints.reshape(len(complaints), -1, SESSION).cumsum(axis=2) <= CANARY.says_per_session
    return np.asarray(heard.reshape(complaints.shape) & complaints)


def _uneven(rng: np.random.Generator, runs: int, share: float) -> Flags:
    correlation = min((PHI - 1) / (PER_SECOND - 1), 0.9)
    weight = 1 / correlation - 1
    shares = rng.beta(share * weight, (1 - share) * weight, (runs, REQUESTS // PER_SECOND))
    return np.asarray(rng.random((runs, REQUESTS)) < np.repeat(shares, PER_SECOND, axis=1))


def _clusters(rng: np.random.Generator, runs: int, mean: int, share: float) -> tuple[Flags, Flags]:
    """Return which requests fail, and which of those their session still has a say with."""
    run, begin = np.nonzero(rng.random((runs, REQUESTS)) < share / mean)
    sizes = rng.geometric(1.0 / mean, len(run))
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    nth = np.arange(sizes.sum()) - first
    gaps = np.where(nth == 0, 0, rng.geometric(1.0 / _LAPS, len(nth)))
    laps = np.cumsum(gaps)
    at = np.repeat(begin, sizes) + laps - laps[first]
    inside = at < REQUESTS
    failed, told = np.zeros((runs, REQUESTS), dtype=bool), np.zeros((runs, REQUESTS), dtype=bool)
    rows = np.repeat(run, sizes)
    failed[rows[inside], at[inside]] = True
    has_say = inside & (nth < CANARY.says_per_session)
    told[rows[has_say], at[has_say]] = True
    return failed, told
