"""The pages of traces: the newest, and one as a waterfall. Shown on the machine itself, and to operators."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.http.reply import Page
from shipworthy.kernel.language import _
from shipworthy.kernel.room import NavItem
from shipworthy.kernel.route import Route, route
from shipworthy.kernel.telemetry.reading import ID_CHARS_MIN, read_trace, recent, waterfall
from shipworthy.kernel.telemetry.spans import Span

PATH = "/operator/traces"
NAV = (NavItem(href=PATH, label="Traces", icon="search", section="traces"),)
_LISTED_MAX = 100


async def traces_of(file: Path | None, trace_id: str, *, base: str, layout: str) -> Page:
    """Return the list, or the one trace whose id begins so. Errors: Missing where none is kept."""
    if file is None:
        raise Missing("trace")
    about = {"base": base, "layout": layout}
    if not trace_id:
        return await asyncio.to_thread(_list, file, about)
    spans = await asyncio.to_thread(read_trace, file, trace_id)
    if not spans:
        raise Missing("trace")
    return _shown(spans, about)


async def traces_page(ctx: Ctx) -> Page:
    return await traces_of(ctx.runtime.traces_file, "", base=PATH, layout="kernel/layout.html")


async def trace_page(ctx: Ctx, trace_id: str) -> Page:
    if len(trace_id) < ID_CHARS_MIN:
        raise Missing("trace")
    return await traces_of(ctx.runtime.traces_file, trace_id, base=PATH, layout="kernel/layout.html")


def _list(file: Path, about: dict[str, str]) -> Page:
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
    return Page("kernel/traces.html", {"traces": traces, **about}, title=_("Traces"), section="traces")


def _shown(spans: list[Span], about: dict[str, str]) -> Page:
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
    data = {"trace_id": spans[0].trace_id, "bars": shown, "whole_ms": f"{whole_ms:.1f}", **about}
    return Page("kernel/trace.html", data, title=_("Trace"), section="traces")


_READS: Any = {"media": "html", "auth": "operator", "transaction": False, "queries_max": 2}

ROUTES: tuple[Route, ...] = (
    route("GET", PATH, traces_page, **_READS, title="The newest traces"),
    route("GET", PATH + "/{trace}", trace_page, **_READS, title="One trace as a waterfall"),
)
