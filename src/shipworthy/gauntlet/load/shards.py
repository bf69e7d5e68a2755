"""Shards: one load offered by several processes or machines, and their results made one again.

Each shard draws the whole schedule from the seed and offers every n-th arrival, so they need no word
between them; histograms add exactly, so the sum is what one generator would have recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shipworthy.gauntlet.load.record import summary
from shipworthy.gauntlet.load.result import JourneyResult, LoadResult
from shipworthy.judge.histogram import LogHistogram, merged
from shipworthy.judge.validity import BlockAudit, void_blocks


class NotShards(ValueError):
    """The results are not shards of one load; the message says what differs."""


def merge(shards: Sequence[LoadResult]) -> LoadResult:
    """Return the result of the whole load.

    A block is void when it would be for any of its generators: each must have been on time.
    Errors:  NotShards when they are of different loads, or kept no histograms; the first shard's
             reason is returned when one was aborted.
    """
    _must_fit(shards)
    first = shards[0]
    if aborted := next((shard for shard in shards if shard.aborted), None):
        return aborted
    audits = tuple(_audit([shard.audits[n] for shard in shards]) for n in range(len(first.audits)))
    return LoadResult(
        name=first.name,
        seed=first.seed,
        started_at=min(shard.started_at for shard in shards),
        block_s=first.block_s,
        journeys=tuple(
            _journey([shard.journeys[n] for shard in shards], audits) for n in range(len(first.journeys))
        ),
        audits=audits,
        offered=sum(shard.offered for shard in shards),
        dropped=sum(shard.dropped for shard in shards),
        connections_opened=sum(shard.connections_opened for shard in shards),
        retried=sum(shard.retried for shard in shards),
        cpu_s=sum(shard.cpu_s for shard in shards),
        lag_ms_p99=max(shard.lag_ms_p99 for shard in shards),
        pacer=first.pacer,
    )


def _must_fit(shards: Sequence[LoadResult]) -> None:
    if not shards:
        raise NotShards("there is no result to merge")
    first = shards[0]
    for shard in shards[1:]:
        for what in ("name", "seed", "block_s"):
            if getattr(shard, what) != getattr(first, what):
                raise NotShards(
                    f"one shard has {what} {getattr(first, what)!r}, another {getattr(shard, what)!r}"
                )
    for shard in shards:
        if [j.journey for j in shard.journeys] != [j.journey for j in first.journeys]:
            raise NotShards("the shards are of different journeys")
        if any(not j.block_histograms for j in shard.journeys):
            raise NotShards("a shard kept no histograms: offer it with keeps_blocks")
    parts = [shard.shard for shard in shards]
    of = first.shard[1]
    if any(part[1] != of for part in parts):
        raise NotShards("the shards are of loads cut into different numbers")
    for place in range(of):
        if parts.count((place, of)) != 1:
            how = "is missing" if (place, of) not in parts else "stands there twice"
            raise NotShards(f"shard {place}/{of} {how}")


def _audit(of_shards: Sequence[BlockAudit]) -> BlockAudit:
    return BlockAudit(
        lag_ms_p99=max(a.lag_ms_p99 for a in of_shards),
        cpu_share=max(a.cpu_share for a in of_shards),
        sent=sum(a.sent for a in of_shards),
        dropped=sum(a.dropped for a in of_shards),
        pressure_share=max(
            (a.pressure_share for a in of_shards if a.pressure_share is not None), default=None
        ),
        steal_share=max((a.steal_share for a in of_shards if a.steal_share is not None), default=None),
    )


def _journey(of_shards: Sequence[JourneyResult], audits: Sequence[BlockAudit]) -> JourneyResult:
    first = of_shards[0]
    failures, observed = Counter[str](), Counter[str]()
    samples: dict[str, str] = {}
    for shard in of_shards:
        failures.update(shard.failures)
        observed.update(shard.observed)
        samples = {**shard.samples, **samples}
    by_block = [_sum(h) for h in zip(*(shard.block_histograms for shard in of_shards), strict=True)]
    by_second = [_sum(h) for h in zip(*(shard.second_histograms for shard in of_shards), strict=True)]
    return summary(
        journey=first.journey,
        slo=first.slo,
        by_block=by_block,
        by_second=by_second,
        failures_by_second=[sum(n) for n in zip(*(s.series.failures for s in of_shards), strict=True)],
        service=merged(shard.service for shard in of_shards),
        failures=failures,
        observed=observed,
        samples=samples,
        voids=void_blocks(audits, threshold_ms=first.slo.threshold_ms),
        keeps_blocks=True,
    )


def _sum(parts: Sequence[dict[str, object]]) -> LogHistogram:
    histograms = [LogHistogram.from_json(part) for part in parts]
    return merged(histograms, threshold_us=histograms[0].threshold_us)
