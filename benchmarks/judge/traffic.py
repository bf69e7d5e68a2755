"""The traffic of a canary and its fresh baseline: healthy under every kind of noise, broken, and unfit.

Canary and baseline get a request each in turn, five a second. Failures and slow requests are
drawn with a known truth; a session's complaints are marked as heard or not, as `observe` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks.judge.noise import BAD_BLOCKS, PHI, Flags, Indices, stretches, trace
from shipworthy.judge.canary import CANARY

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

    `told` and `slow_told` are False for what a session has no say with any more; `first` says which
    failures are the first of their session.
    """

    failed: Flags
    told: Flags
    first: Flags
    slow: Flags
    slow_told: Flags
    tenant: Indices


Pairs = tuple[Traffic, Traffic]
Draw = Callable[[np.random.Generator, int], Pairs]


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
    failed, told, first = _clusters(rng, runs, mean, ERRORS)
    slow, slow_told, _ = _clusters(rng, runs, mean, SLOW)
    return _traffic(failed, slow=slow, told=told, first=first, slow_told=slow_told)


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
        return Traffic(
            failed=failed,
            told=_heard(failed),
            first=_heard(failed, says=1),
            slow=slow,
            slow_told=_heard(slow),
            tenant=tenant,
        )

    return arm(), arm()


def one_tenant_dead(rng: np.random.Generator, runs: int) -> Pairs:
    """The canary fails everything of the first of twenty tenants, and nothing else more than usual."""
    canary, baseline = uneven_tenants(rng, runs)
    failed, slow = canary.failed | (canary.tenant == 0), canary.slow | (canary.tenant == 0)
    broken = replace(
        canary,
        failed=failed,
        told=_heard(failed),
        first=_heard(failed, says=1),
        slow=slow,
        slow_told=_heard(slow),
    )
    return broken, baseline


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


def _both(draw: Callable[[np.random.Generator, int], Traffic]) -> Draw:
    return lambda rng, runs: (draw(rng, runs), draw(rng, runs))


HEALTHY: dict[str, Draw] = {
    "quiet": _both(independent),
    "overdispersed": _both(overdispersed),
    "bursty": bursty,
    **{f"clustered {m}": _both(partial(clustered, mean=m)) for m in CLUSTERS},
    "tenants": uneven_tenants,
    "shared outage": outage,
    "recorded": recorded,
    # Errors exactly at the healthy bound, of both.
    "at the bound": lambda rng, runs: (
        independent(rng, runs, errors=CANARY.errors_healthy),
        independent(rng, runs, errors=CANARY.errors_healthy),
    ),
}
BROKEN: dict[str, Draw] = {
    "dead": lambda rng, runs: (independent(rng, runs, errors=1.0), independent(rng, runs)),
    "30 % bad": lambda rng, runs: (independent(rng, runs, errors=0.30), independent(rng, runs)),
    "3 % errors": lambda rng, runs: (independent(rng, runs, errors=ERRORS + 0.03), independent(rng, runs)),
    "15 % slow": lambda rng, runs: (independent(rng, runs, slow=0.15), independent(rng, runs)),
    "one tenant dead": one_tenant_dead,
}
# Exactly where a promotion becomes a mistake.
UNFIT: dict[str, Draw] = {
    "10 % errors": lambda rng, runs: (independent(rng, runs, errors=0.10), independent(rng, runs)),
    "5 points slower": lambda rng, runs: (independent(rng, runs, slow=SLOW + 0.05), independent(rng, runs)),
}


def _traffic(
    failed: Flags,
    *,
    slow: Flags,
    told: Flags | None = None,
    first: Flags | None = None,
    slow_told: Flags | None = None,
) -> Traffic:
    """Return one tenant's traffic; what failed was slow too; without sessions every request has its say."""
    told, slow_told = failed if told is None else told, slow if slow_told is None else slow_told
    return Traffic(
        failed=failed,
        told=told,
        first=failed if first is None else first,
        slow=slow | failed,
        slow_told=slow_told | told,
        tenant=np.zeros((len(failed), REQUESTS), dtype=np.int64),
    )


def _heard(complaints: Flags, *, says: int = CANARY.says_per_session) -> Flags:
    """Say which complaints are still heard, of sessions of `SESSION` requests in a row."""
    heard = complaints.reshape(len(complaints), -1, SESSION).cumsum(axis=2) <= says
    return np.asarray(heard.reshape(complaints.shape) & complaints)


def _uneven(rng: np.random.Generator, runs: int, share: float) -> Flags:
    correlation = min((PHI - 1) / (PER_SECOND - 1), 0.9)
    weight = 1 / correlation - 1
    shares = rng.beta(share * weight, (1 - share) * weight, (runs, REQUESTS // PER_SECOND))
    return np.asarray(rng.random((runs, REQUESTS)) < np.repeat(shares, PER_SECOND, axis=1))


def _clusters(rng: np.random.Generator, runs: int, mean: int, share: float) -> tuple[Flags, Flags, Flags]:
    """Return which requests fail, which of those their session still has a say with, and which are its first."""
    run, begin = np.nonzero(rng.random((runs, REQUESTS)) < share / mean)
    sizes = rng.geometric(1.0 / mean, len(run))
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    nth = np.arange(sizes.sum()) - first
    gaps = np.where(nth == 0, 0, rng.geometric(1.0 / _LAPS, len(nth)))
    laps = np.cumsum(gaps)
    at = np.repeat(begin, sizes) + laps - laps[first]
    inside = at < REQUESTS
    failed, told, first_of = (np.zeros((runs, REQUESTS), dtype=bool) for _ in range(3))
    rows = np.repeat(run, sizes)
    failed[rows[inside], at[inside]] = True
    has_say = inside & (nth < CANARY.says_per_session)
    told[rows[has_say], at[has_say]] = True
    first_of[rows[nth == 0], at[nth == 0]] = True
    return failed, told, first_of
