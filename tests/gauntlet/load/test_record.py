"""Requests land in the block and second they were intended for, and exceed when they should."""

from __future__ import annotations

from shipworthy.gauntlet.load.record import Recorder
from shipworthy.gauntlet.load.result import JourneyResult
from shipworthy.judge.exceedance import Block
from tests.gauntlet.load.servers import plan_of

MS = 1_000_000
START_NS = 10**15


def recorder(**changes: object) -> Recorder:
    return Recorder(plan_of("http://127.0.0.1:1", blocks=4, block_s=0.5, **changes), measure_from_ns=START_NS)


def note(
    into: Recorder,
    *,
    at_ms: float,
    latency_ms: float,
    failure: str = "",
    body: bytes = b"",
    service_ms: float | None = None,
) -> None:
    into.record(
        journey=0,
        intended_ns=START_NS + round(at_ms * MS),
        latency_ns=round(latency_ms * MS),
        service_ns=None if service_ms is None else round(service_ms * MS),
        failure=failure,
        body=body,
    )


def result(of: Recorder) -> JourneyResult:
    return of.results(voids={"fast": (False, True, False, False)})[0]


def test_blocks_and_seconds_go_by_the_intended_time() -> None:
    made = recorder()
    for at_ms in (0, 499.999999, 500, 1999.999999):
        note(made, at_ms=at_ms, latency_ms=3000)
    found = result(made)
    assert [b.requests for b in found.blocks] == [2, 1, 0, 1]
    assert found.series.requests == (3, 1)


def test_the_voids_are_marked_on_their_blocks() -> None:
    assert [b.void for b in result(recorder()).blocks] == [False, True, False, False]


def test_warm_up_is_left_out() -> None:
    made = recorder()
    note(made, at_ms=-0.000001, latency_ms=10)
    assert result(made).requests == 0


def test_a_latency_on_the_threshold_keeps_it_and_one_nanosecond_more_exceeds() -> None:
    made = recorder()
    note(made, at_ms=0, latency_ms=500)
    note(made, at_ms=0, latency_ms=500.000001)
    assert (result(made).requests, result(made).exceedances) == (2, 1)


def test_failures_exceed_and_are_counted_by_code_with_one_body_each() -> None:
    made = recorder()
    note(made, at_ms=0, latency_ms=1, failure="status_500", body=b"first")
    note(made, at_ms=1100, latency_ms=1, failure="status_500", body=b"second")
    note(made, at_ms=0, latency_ms=1, failure="timeout")
    note(made, at_ms=0, latency_ms=1)
    found = result(made)
    assert (found.requests, found.exceedances) == (4, 3)
    assert found.failures == {"status_500": 2, "timeout": 1}
    assert found.samples == {"status_500": "first"}
    assert found.series.failures == (2, 1)


def test_the_top_decile_is_that_of_the_whole_run() -> None:
    made = recorder()
    for block in range(4):
        for i in range(10):
            note(made, at_ms=block * 500 + i, latency_ms=100 if block == 2 and i < 4 else 1)
    assert result(made).blocks == tuple(
        Block(requests=10, exceedances=0, decile_exceedances=4 if block == 2 else 0, void=block == 1)
        for block in range(4)
    )


def test_service_time_is_kept_beside_and_only_of_what_was_sent() -> None:
    made = recorder()
    note(made, at_ms=0, latency_ms=400, service_ms=1)
    note(made, at_ms=0, latency_ms=400)
    found = result(made)
    assert (found.latency.count, found.service.count) == (2, 1)
    assert found.service.max_us == 1000


def test_a_tally_tells_what_ended_since_the_last_one() -> None:
    made = recorder()
    note(made, at_ms=0, latency_ms=20)
    note(made, at_ms=0, latency_ms=30, failure="timeout")
    first, second = made.tally()[0], made.tally()[0]
    assert (first.requests, first.failures, round(first.latency_ms_p95)) == (2, 1, 30)
    assert (second.requests, second.failures) == (0, 0)
