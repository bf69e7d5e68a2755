"""What a load found, as plain data: the same object in this process and as JSON from another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shipworthy.contract.finding import Distribution, Series
from shipworthy.contract.manifest import Slo
from shipworthy.judge.exceedance import Block
from shipworthy.judge.histogram import LogHistogram
from shipworthy.judge.validity import BlockAudit


@dataclass(frozen=True, kw_only=True)
class JourneyResult:
    """One journey's latencies from the intended send time, ready for `judge_slo`.

    `blocks` carry their own void mark (R5, for this SLO's threshold). `histogram` counts from
    the intended, `service_histogram` from the actual send time: the first is what a visitor
    waits, the difference is what a closed-loop tool would have hidden. `failures` counts by
    code (see client.py and journey.py), `samples` holds the start of one body of each.
    """

    journey: str
    slo: Slo
    requests: int
    exceedances: int
    blocks: tuple[Block, ...]
    histogram: dict[str, Any]
    service_histogram: dict[str, Any]
    failures: dict[str, int]
    samples: dict[str, str]
    series: Series
    observed: dict[str, int] = field(default_factory=dict)  # what a journey's code noted, by code
    block_histograms: tuple[dict[str, Any], ...] = ()  # where the plan keeps them
    second_histograms: tuple[dict[str, Any], ...] = ()

    @property
    def latency(self) -> LogHistogram:
        return LogHistogram.from_json(self.histogram)

    @property
    def service(self) -> LogHistogram:
        return LogHistogram.from_json(self.service_histogram)

    def latency_ms(self, quantile: float) -> float:
        """Return a percentile to show (within 0.4 %); verdicts come from the blocks."""
        return self.latency.quantile(quantile) / 1000

    def distribution(self) -> Distribution:
        """Return the cumulative curve for the report."""
        points = tuple((us / 1000, share) for us, share in self.latency.cumulative_points())
        return Distribution(journey=self.journey, threshold_ms=self.slo.threshold_ms, points=points)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """One journey's requests that ended since the last tally, about a second ago."""

    journey: str
    requests: int
    failures: int
    latency_ms_p50: float
    latency_ms_p95: float


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state of a running load, once a second. `second` counts from the first measured one."""

    second: int
    seconds: int
    in_flight: int
    lag_ms_p99: float
    journeys: tuple[Tally, ...]


@dataclass(frozen=True, kw_only=True)
class LoadResult:
    """A finished load. `aborted` says why nothing was measured, when the warm-up failed.

    Units:   `cpu_s` is the generator's own CPU time while measuring; `lag_ms_p99` its lateness
             over all blocks; `offered` counts arrivals, warm-up included.
    """

    name: str
    seed: int
    started_at: str  # RFC 3339, UTC
    block_s: float
    journeys: tuple[JourneyResult, ...]
    audits: tuple[BlockAudit, ...]
    offered: int = 0
    dropped: int = 0
    connections_opened: int = 0
    retried: int = 0
    cpu_s: float = 0.0
    lag_ms_p99: float = 0.0
    pacer: str = ""
    aborted: str = ""
    shard: tuple[int, int] = (0, 1)  # which part of the load this is, and of how many

    def journey(self, name: str) -> JourneyResult:
        """Return the result of one journey.

        Errors:  KeyError when the load had none of that name.
        """
        for found in self.journeys:
            if found.journey == name:
                return found
        raise KeyError(name)
