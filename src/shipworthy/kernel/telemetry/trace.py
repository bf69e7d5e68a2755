"""Trace context in W3C form (https://www.w3.org/TR/trace-context/), and whose lines of a log are whose."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipworthy.kernel.telemetry.spans import Trace

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_following: ContextVar[tuple[str, Trace | None]] = ContextVar("following", default=("", None))


def context_of(traceparent: str | None) -> tuple[str, str]:
    """Return the caller's trace id and span id when it sent valid ones, else a new trace and no span.

    Whether the caller wants to be sampled is its own business: anybody may set that flag.
    """
    if traceparent and (match := _TRACEPARENT.fullmatch(traceparent)):
        trace_id, span_id = match.groups()
        if trace_id != "0" * 32 and span_id != "0" * 16:
            return trace_id, span_id
    return os.urandom(16).hex(), ""


@contextmanager
def following(trace_id: str, trace: Trace | None = None) -> Iterator[None]:
    """Let every line that is logged meanwhile carry this trace id, and spans go to `trace` where it is sampled."""
    token = _following.set((trace_id, trace))
    try:
        yield
    finally:
        _following.reset(token)


def followed() -> str:
    """Return the trace id of the request or job under way; empty outside of one."""
    return _following.get()[0]


def current() -> Trace | None:
    """Return the trace to fill, None where what is under way is not sampled."""
    return _following.get()[1]
