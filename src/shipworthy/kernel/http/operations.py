"""What only the operator's own machine may ask: health, metrics, the traces that were kept, what the edge turned away.

Metrics and traces are shown to who asks from this machine itself, and not by a proxy on it: whatever was
forwarded comes from elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.edge.page import edge_page
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.http.metrics import Metrics
from shipworthy.kernel.http.reply import Answer, Page
from shipworthy.kernel.http.router import MethodNotAllowed
from shipworthy.kernel.language import _
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.reading import read_trace, recent, waterfall
from shipworthy.kernel.telemetry.spans import Span

_READING = ("GET", "HEAD")
_HERE = ("127.0.0.1", "::1")
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
_TRACES = "/-/traces"
_EDGE = "/-/edge"
_LISTED_MAX = 100
_PLAIN = [(b"content-type", b"text/plain")]


class Operations:
    """The addresses below /-/."""

    def __init__(self, runtime: Runtime, metrics: Metrics, *, page: Callable[[Ctx, Page], Answer]) -> None:
        self._runtime, self._metrics, self._page = runtime, metrics, page

    async def __call__(self, method: str, path: str, ctx: Ctx, headers: dict[str, str]) -> Answer | None:
        """Return the answer; None for every other address. Errors: Missing for who may not ask."""
        if not path.startswith("/-/"):
            return None
        if method not in _READING:
            raise MethodNotAllowed(_READING)
        if path == "/-/healthz":
            return Answer(200, _PLAIN, b"ok\n")
        if path == "/-/readyz":
            took_s = await self._runtime.database.ping()
            return Answer(200, _PLAIN, f"ok, database {took_s * 1000:.1f} ms\n".encode())
        if ctx.client not in _HERE or any(name in headers for name in _FORWARDED):
            raise Missing()
        if path == "/-/metrics":
            media_type, text = self._metrics.text(headers.get("accept", ""))
            return Answer(200, [(b"content-type", media_type)], text)
        if path == _TRACES or path.startswith(f"{_TRACES}/"):
            return self._page(ctx, await self._traces(path.removeprefix(_TRACES).strip("/")))
        if path == _EDGE or path.startswith(f"{_EDGE}/"):
            file = self._runtime.edge.events_file
            return self._page(ctx, await edge_page(file, path.removeprefix(_EDGE).strip("/")))
        raise Missing()

    async def _traces(self, trace_id: str) -> Page:
        file = self._runtime.traces_file
        if file is None:
            raise Missing("trace")
        if not trace_id:
            return await asyncio.to_thread(_list, file)
        spans = await asyncio.to_thread(read_trace, file, trace_id)
        if not spans:
            raise Missing("trace")
        return _shown(spans)


def _list(file: Path) -> Page:
    traces = [
        {
            "id": one.trace_id,
            "at": datetime.fromtimestamp(one.started_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "name": one.name,
            "took_ms": f"{one.took_ms:.1f}",
            "spans": one.spans,
            "is_error": one.is_error,
        }
        for one in recent(file, most=_LISTED_MAX)
    ]
    return Page("kernel/traces.html", {"traces": traces}, title=_("Traces"))


def _shown(spans: list[Span]) -> Page:
    bars = waterfall(spans)
    shown: list[dict[str, Any]] = [
        {
            "name": bar.span.name,
            "service": bar.span.service,
            "depth": min(bar.depth, 6),
            "took_ms": f"{bar.took_ms:.1f}",
            # Per mille of the whole: a bar of nothing is still seen.
            "left": round(min(bar.left, 0.995) * 1000),
            "width": max(5, round(bar.width * 1000)),
            "is_error": bar.span.is_error,
            "facts": {
                **bar.span.attributes,
                **{k: v for e in bar.span.events for k, v in e.attributes.items()},
            },
        }
        for bar in bars
    ]
    whole_ms = max(bar.began_ms + bar.took_ms for bar in bars)
    data = {"trace_id": spans[0].trace_id, "bars": shown, "whole_ms": f"{whole_ms:.1f}"}
    return Page("kernel/trace.html", data, title=_("Trace"))
