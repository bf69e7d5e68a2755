"""Reading the spans that were kept: one trace whole, or the newest; and a trace as lines of a waterfall.

Owns the order of what is shown: parents before children, each by when it began. The file may be written
meanwhile, and its last line may be half there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shipworthy.kernel.telemetry.spans import Span

_RECENT_BYTES = 4 * 1024 * 1024  # of the end of the file: the newest traces stand there
ID_CHARS_MIN = 6  # of a trace id, to find it by its beginning


@dataclass(frozen=True)
class Bar:
    """One span in the waterfall. Units: milliseconds from the beginning of the trace; `left`, `width` shares of it."""

    span: Span
    depth: int
    began_ms: float
    took_ms: float
    left: float
    width: float


@dataclass(frozen=True)
class Summary:
    """One trace in a list."""

    trace_id: str
    name: str
    started_ns: int
    took_ms: float
    spans: int
    is_error: bool


def read_trace(file: Path, trace_id: str) -> list[Span]:
    """Return the spans of the trace whose id begins so; none where it is not kept. Errors: OSError."""
    wanted = trace_id.encode()
    found = [span for line in _lines(file) if wanted in line if (span := _span(line)) is not None]
    found = [span for span in found if span.trace_id.startswith(trace_id)]
    ids = {span.trace_id for span in found}
    return found if len(ids) == 1 else []


def newest_spans(file: Path) -> Iterator[Span]:
    """Yield the spans at the end of the file, in the order in which they were written. Errors: OSError."""
    for line in _lines(file, last_bytes=_RECENT_BYTES):
        if (span := _span(line)) is not None:
            yield span


def recent(file: Path, *, most: int) -> list[Summary]:
    """Return the newest traces, the newest first. Errors: OSError."""
    by_trace: dict[str, list[Span]] = {}
    for span in newest_spans(file):
        by_trace.setdefault(span.trace_id, []).append(span)
    summaries = [_summary(spans) for spans in by_trace.values()]
    return sorted(summaries, key=lambda one: one.started_ns, reverse=True)[:most]


def waterfall(spans: Iterable[Span]) -> list[Bar]:
    """Return the bars of one trace. A span whose parent is not kept stands at the left."""
    ordered = sorted(spans, key=lambda span: span.started_ns)
    if not ordered:
        return []
    began, ended = ordered[0].started_ns, max(span.ended_ns for span in ordered)
    whole = max(1, ended - began)
    known = {span.span_id for span in ordered}
    children: dict[str, list[Span]] = {}
    for span in ordered:
        children.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)

    def below(parent_id: str, depth: int) -> Iterator[Bar]:
        for span in children.get(parent_id, ()):
            took = max(0, span.ended_ns - span.started_ns)
            yield Bar(
                span=span,
                depth=depth,
                began_ms=(span.started_ns - began) / 1e6,
                took_ms=took / 1e6,
                left=(span.started_ns - began) / whole,
                width=took / whole,
            )
            yield from below(span.span_id, depth + 1)

    return list(below("", 0))


def _summary(spans: list[Span]) -> Summary:
    first = min(spans, key=lambda span: span.started_ns)
    took = max(span.ended_ns for span in spans) - first.started_ns
    return Summary(
        first.trace_id, first.name, first.started_ns, took / 1e6, len(spans), any(s.is_error for s in spans)
    )


def _lines(file: Path, last_bytes: int | None = None) -> Iterator[bytes]:
    older = file.with_suffix(".1.jsonl")
    for path in (older, file) if last_bytes is None else (file,):
        if not path.exists():
            continue
        with path.open("rb") as lines:
            if last_bytes is not None and (size := path.stat().st_size) > last_bytes:
                lines.seek(size - last_bytes)
                lines.readline()
            yield from lines


def _span(line: bytes) -> Span | None:
    try:
        return msgspec.json.decode(line, type=Span)
    except msgspec.DecodeError:  # half a line: it is being written
        return None
