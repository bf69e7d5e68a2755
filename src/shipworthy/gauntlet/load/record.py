"""What is written down of each request while the load runs, and the result made of it.

Owns the assignment of requests to blocks and seconds: by the intended send time, so that a
stall shows where it began and the number of requests of a block never depends on the answers.
"""

from __future__ import annotations

from collections import Counter

from shipworthy.contract.finding import Series
from shipworthy.contract.manifest import Journey, Slo
from shipworthy.gauntlet.load.plan import LoadPlan
from shipworthy.gauntlet.load.result import JourneyResult, Tally
from shipworthy.judge.exceedance import Block
from shipworthy.judge.histogram import LogHistogram, merged

_NS_PER_S = 1_000_000_000
_SAMPLE_BYTES = 300


class Recorder:
    """All journeys' records. Requests intended before `measure_from_ns` are warm-up and left out."""

    def __init__(self, plan: LoadPlan, *, measure_from_ns: int) -> None:
        slos = {slo.name: slo for slo in plan.slos}
        self._block_ns = round(plan.block_s * _NS_PER_S)
        self._measure_from_ns = measure_from_ns
        seconds = -(-self._block_ns * plan.blocks // _NS_PER_S)
        self._records = [_Record(j, slos[j.slo], blocks=plan.blocks, seconds=seconds) for j in plan.journeys]
        self._last_block, self._last_second = plan.blocks - 1, seconds - 1

    def record(
        self,
        *,
        journey: int,
        intended_ns: int,
        latency_ns: int,
        service_ns: int | None,
        failure: str,
        body: bytes,
    ) -> None:
        """Count one measured request; see `journey.Sink`."""
        offset_ns = intended_ns - self._measure_from_ns
        if offset_ns < 0:
            return
        record = self._records[journey]
        # Rounded up: then latency > threshold holds for the whole microseconds exactly when it did before.
        latency_us = -(-latency_ns // 1000)
        record.blocks[min(offset_ns // self._block_ns, self._last_block)].record(
            latency_us, failed=failure != ""
        )
        # The minimum guards the last nanosecond of the load, where rounding may reach one further.
        second = min(offset_ns // _NS_PER_S, self._last_second)
        record.seconds[second].record(latency_us)
        if service_ns is not None:
            record.service.record(-(-service_ns // 1000))
        if failure:
            record.fail(failure, second, body)

    def tally(self, second: int) -> tuple[Tally, ...]:
        """Return what is known so far of the requests intended within one second."""
        return tuple(
            Tally(
                journey=r.journey.name,
                requests=r.seconds[second].count,
                failures=r.failed_per_second[second],
                latency_ms_p50=r.seconds[second].quantile(0.50) / 1000,
                latency_ms_p95=r.seconds[second].quantile(0.95) / 1000,
            )
            for r in self._records
        )

    def results(self, *, voids: dict[str, tuple[bool, ...]]) -> tuple[JourneyResult, ...]:
        """Return every journey's result; `voids` says for each SLO which blocks may not be used."""
        return tuple(r.result(voids[r.slo.name]) for r in self._records)


class _Record:
    """The counts of one journey."""

    __slots__ = ("blocks", "failed_per_second", "failures", "journey", "samples", "seconds", "service", "slo")

    def __init__(self, journey: Journey, slo: Slo, *, blocks: int, seconds: int) -> None:
        self.journey, self.slo = journey, slo
        # A threshold in fractions of a microsecond does not exist: 0.1 ms is 100 us.
        threshold_us = round(slo.threshold_ms * 1000)
        self.blocks = [LogHistogram(threshold_us=threshold_us) for _ in range(blocks)]
        self.seconds = [LogHistogram() for _ in range(seconds)]
        self.failed_per_second = [0] * seconds
        self.service = LogHistogram()
        self.failures: Counter[str] = Counter()
        self.samples: dict[str, str] = {}

    def fail(self, failure: str, second: int, body: bytes) -> None:
        self.failures[failure] += 1
        self.failed_per_second[second] += 1
        if failure not in self.samples and body:
            self.samples[failure] = body[:_SAMPLE_BYTES].decode("utf-8", "replace")

    def result(self, voids: tuple[bool, ...]) -> JourneyResult:
        whole = merged(self.blocks, threshold_us=self.blocks[0].threshold_us)
        # A bucket's edge, not the percentile itself: at an edge the buckets count exactly.
        decile_us = whole.edge_above(0.90)
        return JourneyResult(
            journey=self.journey.name,
            slo=self.slo,
            requests=whole.count,
            exceedances=whole.exceedances,
            blocks=tuple(
                Block(
                    requests=b.count,
                    exceedances=b.exceedances,
                    decile_exceedances=b.count_above(decile_us),
                    void=void,
                )
                for b, void in zip(self.blocks, voids, strict=True)
            ),
            histogram=whole.to_json(),
            service_histogram=self.service.to_json(),
            failures=dict(self.failures.most_common()),
            samples=self.samples,
            series=self._series(),
        )

    def _series(self) -> Series:
        return Series(
            journey=self.journey.name,
            latency_ms_p50=tuple(h.quantile(0.50) / 1000 for h in self.seconds),
            latency_ms_p95=tuple(h.quantile(0.95) / 1000 for h in self.seconds),
            requests=tuple(h.count for h in self.seconds),
            failures=tuple(self.failed_per_second),
        )
