"""Where finished spans go: a file of the state directory, or a collector by OTLP over HTTP (JSON form).

Handing spans over costs a request an append to a bounded queue; a task writes what came together, in a thread.
A collector that is away costs spans, never requests: what does not fit is counted and dropped.
Source: OTLP 1.x, JSON Protobuf encoding: ids in hex, 64-bit numbers as texts.
"""

from __future__ import annotations

import asyncio
import os
import urllib.request
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import msgspec

from shipworthy.kernel.telemetry.log import log
from shipworthy.kernel.telemetry.spans import Attributes, Span

TRACES_FILE = "traces.jsonl"
FILE_BYTES_MAX = 32 * 1024 * 1024  # then it becomes the .1, which is the only one that is kept
_QUEUE_SPANS_MAX = 20_000
_EVERY_S = 1.0
_BATCH_MAX = 2_000
_POST_TIMEOUT_S = 5.0

Write = Callable[[list[Span]], None]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A collector that sends us elsewhere is not followed: the operator named this address, and no other."""

    def redirect_request(self, *_args: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


class Exporter:
    """Takes spans at once and writes them soon."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: deque[Span] = deque()
        self._dropped = 0

    def keep(self, spans: list[Span]) -> None:
        """Take the spans of one trace, whole or not at all."""
        if len(self._waiting) + len(spans) > _QUEUE_SPANS_MAX:
            self._dropped += len(spans)
            return
        self._waiting.extend(spans)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write every second until the block ends; then what still waits."""
        writing = asyncio.create_task(self._write_forever())
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._flush()

    async def _write_forever(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            await asyncio.shield(self._flush())

    async def _flush(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH_MAX, len(self._waiting)))]
            try:
                await asyncio.to_thread(self._write, batch)
            except (OSError, HTTPException) as away:  # URLError is an OSError
                log.warning("spans could not be written", extra={"spans": len(batch), "reason": str(away)})
        if self._dropped:
            log.warning("spans were dropped: more came than could be written", extra={"spans": self._dropped})
            self._dropped = 0


def to_file(path: Path) -> Write:
    """Return a writer of JSON lines. Several processes may write one file: each batch is one append."""
    encode = msgspec.json.Encoder().encode

    def write(spans: list[Span]) -> None:
        lines = b"".join(encode(span) + b"\n" for span in spans)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, lines)
            is_full = os.fstat(descriptor).st_size > FILE_BYTES_MAX
        finally:
            os.close(descriptor)
        if is_full:
            path.replace(path.with_suffix(".1.jsonl"))

    return write


def to_collector(url: str, *, service: str, version: str) -> Write:
    """Return a writer to an OTLP/HTTP endpoint, "http://127.0.0.1:4318/v1/traces"."""
    resource = _attributes({"service.name": service, "service.version": version})

    def write(spans: list[Span]) -> None:
        body = msgspec.json.encode(
            {
                "resourceSpans": [
                    {
                        "resource": {"attributes": resource},
                        "scopeSpans": [
                            {
                                "scope": {"name": "shipworthy", "version": version},
                                "spans": [*map(otlp, spans)],
                            }
                        ],
                    }
                ]
            }
        )
        request = urllib.request.Request(  # noqa: S310 - the operator's own setting, checked to be http(s)
            url, data=body, headers={"content-type": "application/json"}, method="POST"
        )
        with _OPENER.open(request, timeout=_POST_TIMEOUT_S) as answer:
            answer.read()

    return write


def otlp(span: Span) -> dict[str, Any]:
    """Return a span in the JSON form of OTLP."""
    told: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.started_ns),
        "endTimeUnixNano": str(span.ended_ns),
        "attributes": _attributes({**span.attributes, "app.process": span.service}),
        "status": {"code": 2 if span.is_error else 0},
    }
    if span.parent_id:
        told["parentSpanId"] = span.parent_id
    if span.events:
        told["events"] = [
            {"name": e.name, "timeUnixNano": str(e.at_ns), "attributes": _attributes(e.attributes)}
            for e in span.events
        ]
    return told


def _attributes(facts: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in facts.items()]


def _value(value: str | int | float | bool) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}
