"""What is written down of each request while the load runs, and the result made of it.

Owns the assignment of requests to blocks and seconds: by the intended send time, so that a
stall shows where it began and the number of requests of a block never depends on the answers.
While the load runs a request only appends four numbers; the histograms are made afterwards,
because what the generator computes in between makes it late.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence

from shipworthy.contract.finding import Series
from shipworthy.contract.manifest import Journey, Slo
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.result import JourneyResult, Tally
from shipworthy.judge.exceedance import Block
from shipworthy.judge.histogram import LogHistogram, exact_quantile, merged

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
_NS_PER_US = 1_000
_SAMPLE_BYTES = 300


class Recorder:
    """All journeys' requests. Those intended before `measure_from_ns` are warm-up and left out."""

    def __init__(self, plan: LoadPlan, *, measure_from_ns: int) -> None:
        slos = {slo.name: slo for slo in plan.slos}
        self._measure_from_ns = measure_from_ns
        self._logs = [_Log(journey, slos[journey.slo]) for journey in plan.journeys]
        self._blocks, self._block_ns = plan.blocks, round(plan.block_s * _NS_PER_S)
        self._keeps_blocks = plan.keeps_blocks

    def record(
        self,
        journey: int,
        intended_ns: int,
        latency_ns: int,
        service_ns: int | None,
        failure: str,
        body: bytes,
    ) -> None:
        """Write down one measured request; see `journey.Sink`."""
        offset_ns = intended_ns - self._measure_from_ns
        if offset_ns < 0:
            return
        log = self._logs[journey]
        log.offset_ns.append(offset_ns)
        log.latency_ns.append(latency_ns)
        log.service_ns.append(-1 if service_ns is None else service_ns)
        log.failed.append(failure != "")
        if failure:
            log.failures[failure] += 1
            if body and failure not in log.samples:
                log.samples[failure] = body[:_SAMPLE_BYTES].decode("utf-8", "replace")

    def observe(self, *, journey: int, intended_ns: int, code: str, text: str) -> None:
        """Count something that a journey's code noticed; see `journey.Sink`."""
        if intended_ns >= self._measure_from_ns:
            log = self._logs[journey]
            log.observed[code] += 1
            log.samples.setdefault(code, text[:_SAMPLE_BYTES])

    def tally(self) -> tuple[Tally, ...]:
        """Return what has ended since the last call, per journey."""
        return tuple(log.tally() for log in self._logs)

    def results(self, *, voids: dict[str, tuple[bool, ...]]) -> tuple[JourneyResult, ...]:
        """Return every journey's result; `voids` says for each SLO which blocks may not be used."""
        return tuple(
            _result(
                log,
                blocks=self._blocks,
                block_ns=self._block_ns,
                voids=voids[log.slo.name],
                keeps_blocks=self._keeps_blocks,
            )
            for log in self._logs
        )


class _Log:
    """One journey's requests in the order they ended, 25 bytes each."""

    __slots__ = (
        "_told",
        "failed",
        "failures",
        "journey",
        "latency_ns",
        "observed",
        "offset_ns",
        "samples",
        "service_ns",
        "slo",
    )

    def __init__(self, journey: Journey, slo: Slo) -> None:
        self.journey, self.slo = journey, slo
        self.offset_ns, self.latency_ns, self.service_ns, self.failed = (
            array("q"),
            array("q"),
            array("q"),
            array("b"),
        )
        self.failures: Counter[str] = Counter()
        self.observed: Counter[str] = Counter()
        self.samples: dict[str, str] = {}
        self._told = 0

    def tally(self) -> Tally:
        # Sorted, not put into a histogram: this runs between two sends, and sorting is ten times faster.
        recent = sorted(self.latency_ns[self._told :])
        failures = sum(self.failed[self._told :])
        self._told = len(self.latency_ns)
        return Tally(
            journey=self.journey.name,
            requests=len(recent),
            failures=failures,
            latency_ms_p50=exact_quantile(recent, 0.50) / _NS_PER_MS,
            latency_ms_p95=exact_quantile(recent, 0.95) / _NS_PER_MS,
        )


def _result(
    log: _Log, *, blocks: int, block_ns: int, voids: tuple[bool, ...], keeps_blocks: bool
) -> JourneyResult:
    threshold_us = round(log.slo.threshold_ms * 1000)
    by_block = [LogHistogram(threshold_us=threshold_us) for _ in range(blocks)]
    by_second = [LogHistogram() for _ in range(-(-blocks * block_ns // _NS_PER_S))]
    failures = [0] * len(by_second)
    service = LogHistogram()
    for offset_ns, latency_ns, service_ns, failed in zip(
        log.offset_ns, log.latency_ns, log.service_ns, log.failed, strict=True
    ):
        latency_us, second = _us(latency_ns), min(offset_ns // _NS_PER_S, len(by_second) - 1)
        # The minimum guards the last nanosecond of the load, where rounding may reach one further.
        by_block[min(offset_ns // block_ns, blocks - 1)].record(latency_us, failed=bool(failed))
        by_second[second].record(latency_us)
        failures[second] += failed
        if service_ns >= 0:
            service.record(_us(service_ns))
    return summary(
        journey=log.journey.name,
        slo=log.slo,
        by_block=by_block,
        by_second=by_second,
        failures_by_second=failures,
        service=service,
        failures=log.failures,
        observed=log.observed,
        samples=log.samples,
        voids=voids,
        keeps_blocks=keeps_blocks,
    )


def summary(
    *,
    journey: str,
    slo: Slo,
    by_block: Sequence[LogHistogram],
    by_second: Sequence[LogHistogram],
    failures_by_second: Sequence[int],
    service: LogHistogram,
    failures: Counter[str],
    observed: Counter[str],
    samples: dict[str, str],
    voids: Sequence[bool],
    keeps_blocks: bool,
) -> JourneyResult:
    """Return a journey's result from its histograms: of one process, or of several added up."""
    whole = merged(by_block, threshold_us=by_block[0].threshold_us)
    # A bucket's edge, not the percentile itself: at an edge the buckets count exactly.
    decile_us = whole.edge_above(0.90)
    return JourneyResult(
        journey=journey,
        slo=slo,
        requests=whole.count,
        exceedances=whole.exceedances,
        blocks=tuple(
            Block(
                requests=b.count,
                exceedances=b.exceedances,
                decile_exceedances=b.count_above(decile_us),
                void=void,
            )
            for b, void in zip(by_block, voids, strict=True)
        ),
        histogram=whole.to_json(),
        service_histogram=service.to_json(),
        failures=dict(failures.most_common()),
        samples=samples,
        series=Series(
            journey=journey,
            latency_ms_p50=tuple(h.quantile(0.50) / 1000 for h in by_second),
            latency_ms_p95=tuple(h.quantile(0.95) / 1000 for h in by_second),
            requests=tuple(h.count for h in by_second),
            failures=tuple(failures_by_second),
        ),
        observed=dict(observed.most_common()),
        block_histograms=tuple(h.to_json() for h in by_block) if keeps_blocks else (),
        second_histograms=tuple(h.to_json() for h in by_second) if keeps_blocks else (),
    )


def _us(duration_ns: int) -> int:
    """Round up: then "longer than the threshold" holds for whole microseconds exactly when it did before."""
    return -(-duration_ns // _NS_PER_US)
