"""Spans: what a sampled request or job did, in which order and for how long.

Whether one is sampled is decided before anything of it is built: what is not costs a comparison at each
place. A span holds names and ids, never a statement's values or a body's fields; texts (of exceptions) go
through the scrubber. Sampling is by share; a failure (a crash, a 5xx, a failed job) is kept as one span
even where it was not sampled.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

import msgspec

from shipworthy.kernel.telemetry.trace import context_of, current, following

INTERNAL, SERVER, CLIENT, CONSUMER = 1, 2, 3, 5  # the kinds of OTLP that we have
_SPANS_MAX = 500  # of one trace: a loop that runs away must not fill the memory
_DRAWN_BITS = 24
_UNTIMED = nullcontext()
T = TypeVar("T")
Attributes = dict[str, str | int | float | bool]


class Event(msgspec.Struct):
    """Something that happened at one moment of a span: an exception."""

    name: str
    at_ns: int
    attributes: Attributes


class Span(msgspec.Struct):
    """One piece of work. Units: nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    started_ns: int
    ended_ns: int = 0
    is_error: bool = False
    attributes: Attributes = {}
    events: list[Event] = []
    service: str = ""


class Trace:
    """The spans of one sampled request or job. Not for work that runs at the same time: they nest."""

    __slots__ = ("_scrub", "current_id", "root", "spans", "trace_id")

    def __init__(
        self, trace_id: str, parent_id: str, name: str, kind: int, scrub: Callable[[str], str]
    ) -> None:
        self.trace_id = trace_id
        self._scrub = scrub
        self.root = _span(trace_id, parent_id, name, kind)
        self.spans = [self.root]
        self.current_id = self.root.span_id

    @contextmanager
    def span(self, name: str, kind: int = INTERNAL, attributes: Attributes | None = None) -> Iterator[None]:
        """Time a piece of work."""
        if len(self.spans) >= _SPANS_MAX:
            yield
            return
        span = _span(self.trace_id, self.current_id, name, kind)
        span.attributes = attributes or {}
        self.spans.append(span)
        outer, self.current_id = self.current_id, span.span_id
        try:
            yield
        except BaseException as failed:
            self.failed(span, failed)
            raise
        finally:
            span.ended_ns = time.time_ns()
            self.current_id = outer

    def failed(self, span: Span, failure: BaseException) -> None:
        """Mark a span by what ended it."""
        span.is_error = True
        facts: Attributes = {"exception.type": type(failure).__name__}
        if text := str(failure):
            facts["exception.message"] = self._scrub(text)
        span.events = [Event("exception", time.time_ns(), facts)]


class Tracer:
    """Decides what is sampled and hands what is done to `keep`. `share` is of requests, 0..1."""

    def __init__(
        self,
        *,
        share: float = 0.0,
        service: str = "",
        keep: Callable[[list[Span]], None] | None = None,
        scrub: Callable[[str], str] = str,
    ) -> None:
        self._share = share if keep is not None else 0.0
        self._service, self._keep, self._scrub = service, keep, scrub

    def begin(
        self, trace_id: str, parent_id: str, name: str, kind: int = SERVER, *, is_sampled: bool | None = None
    ) -> Trace | None:
        """Return the trace to fill, or None. A job follows what its request decided (`is_sampled`)."""
        wanted = self._is_drawn() if is_sampled is None else is_sampled and self._share > 0
        return Trace(trace_id, parent_id, name, kind, self._scrub) if wanted else None

    def _is_drawn(self) -> bool:
        """By chance of our own: a trace id may be its caller's, and would be chosen to be kept."""
        return self._share > 0 and secrets.randbits(_DRAWN_BITS) < self._share * 2**_DRAWN_BITS

    async def traced(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do work that is a trace of its own, where it is sampled: a page that nobody kept is made."""
        trace_id, _ = context_of(None)
        trace = self.begin(trace_id, "", name, INTERNAL)
        failed: BaseException | None = None
        try:
            with following(trace_id, trace):
                return await work()
        except Exception as failure:
            failed = failure
            raise
        finally:
            self.end(trace, trace_id=trace_id, name=name, kind=INTERNAL, facts={}, failure=failed)

    def end(
        self,
        trace: Trace | None,
        *,
        trace_id: str,
        name: str,
        kind: int = SERVER,
        facts: Attributes,
        failure: BaseException | None = None,
    ) -> None:
        """Give away what was filled; where nothing was, only a failure is kept."""
        if self._keep is None or (trace is None and failure is None):
            return
        trace = trace or Trace(trace_id, "", name, kind, self._scrub)
        root = trace.root
        root.name, root.ended_ns = name, time.time_ns()
        root.attributes = facts
        if failure is not None:
            trace.failed(root, failure)
        for span in trace.spans:
            span.service = self._service
        self._keep(trace.spans)


def span(name: str) -> AbstractContextManager[None]:
    """Time a piece of work where the request or job under way is sampled: `with span("mail.send")`."""
    trace = current()
    return _UNTIMED if trace is None else trace.span(name)


def _span(trace_id: str, parent_id: str, name: str, kind: int) -> Span:
    return Span(trace_id, os.urandom(8).hex(), parent_id, name, kind, time.time_ns())
