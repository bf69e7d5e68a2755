"""Spans: built only where they are sampled, nested as the work was, and a failure kept in any case."""

from __future__ import annotations

import pytest

from shipworthy.kernel.telemetry.spans import CONSUMER, Span, Tracer, span
from shipworthy.kernel.telemetry.trace import current, following

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Kept(list[Span]):
    def keep(self, spans: list[Span]) -> None:
        self.extend(spans)


def test_what_is_not_sampled_builds_nothing_and_what_is_nests() -> None:
    kept = Kept()
    assert Tracer(share=0.0, keep=kept.keep).begin(TRACE, "", "GET") is None
    assert Tracer(share=1.0).begin(TRACE, "", "GET") is None  # nobody would keep it

    tracer = Tracer(share=1.0, service="web", keep=kept.keep)
    trace = tracer.begin(TRACE, "00f067aa0ba902b7", "GET")
    with following(TRACE, trace):
        assert current() is trace
        with span("outer"), span("inner"):
            pass
        with span("second"):
            pass
    tracer.end(trace, trace_id=TRACE, name="GET /x", facts={"http.route": "/x"})
    root, outer, inner, second = kept
    assert (root.name, root.parent_id, root.service) == ("GET /x", "00f067aa0ba902b7", "web")
    assert (outer.parent_id, inner.parent_id, second.parent_id) == (root.span_id, outer.span_id, root.span_id)
    assert all(s.trace_id == TRACE and s.ended_ns >= s.started_ns > 0 for s in kept)
    with span("outside"):
        assert current() is None


def test_a_job_follows_what_its_request_decided() -> None:
    tracer = Tracer(share=1.0, keep=Kept().keep)
    assert tracer.begin(TRACE, "a" * 16, "job", CONSUMER, is_sampled=True) is not None
    assert tracer.begin(TRACE, "", "job", CONSUMER, is_sampled=False) is None


def test_a_failure_is_kept_though_it_was_not_sampled_and_its_text_is_scrubbed() -> None:
    kept = Kept()
    tracer = Tracer(share=0.0, keep=kept.keep, scrub=lambda text: text.replace("secret", "…"))
    tracer.end(None, trace_id=TRACE, name="GET /x", facts={}, failure=ValueError("a secret detail"))
    assert [s.name for s in kept] == ["GET /x"]
    assert kept[0].is_error
    assert kept[0].events[0].attributes == {
        "exception.type": "ValueError",
        "exception.message": "a … detail",
    }
    tracer.end(None, trace_id=TRACE, name="GET /y", facts={})
    assert len(kept) == 1


def test_what_fails_inside_marks_its_span_and_goes_on_to_fail() -> None:
    tracer = Tracer(share=1.0, keep=Kept().keep)
    trace = tracer.begin(TRACE, "", "GET")
    assert trace is not None
    with pytest.raises(ZeroDivisionError), following(TRACE, trace), span("divide"):
        raise ZeroDivisionError
    assert trace.spans[1].is_error
    assert trace.current_id == trace.root.span_id


def test_a_loop_that_runs_away_does_not_fill_the_memory() -> None:
    trace = Tracer(share=1.0, keep=Kept().keep).begin(TRACE, "", "GET")
    assert trace is not None
    with following(TRACE, trace):
        for _ in range(2_000):
            with span("again"):
                pass
    assert len(trace.spans) == 500


async def test_work_of_its_own_is_a_trace_of_its_own() -> None:
    kept = Kept()
    tracer = Tracer(share=1.0, keep=kept.keep)

    async def work() -> int:
        with span("step"):
            return 3

    assert await tracer.traced("page", work) == 3
    assert [s.name for s in kept] == ["page", "step"]

    async def broken() -> int:
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await tracer.traced("page", broken)
    assert kept[-1].is_error
