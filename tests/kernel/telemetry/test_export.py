"""Spans on their way out: to a file that stays small, to a real collector's socket, and never in a request's way.

Covers: reading.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.telemetry import export
from shipworthy.kernel.telemetry.export import Exporter, to_collector, to_file
from shipworthy.kernel.telemetry.reading import read_trace, recent, waterfall
from shipworthy.kernel.telemetry.spans import Event, Span


def made(trace: str = "ab" * 16, n: int = 1, parent: str = "", **changes: Any) -> Span:
    facts: dict[str, Any] = {
        "trace_id": trace, "span_id": f"{n:016x}", "parent_id": parent, "name": f"span {n}", "kind": 1,
        "started_ns": 1_000_000 * n, "ended_ns": 1_000_000 * (n + 2), **changes,
    }  # fmt: skip
    return Span(**facts)


class Collector(BaseHTTPRequestHandler):
    got: list[tuple[str, str, dict[str, Any]]] = []
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append((self.path, self.headers["content-type"], json.loads(body)))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[str]:
    Collector.got, Collector.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Collector)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def test_a_collector_gets_what_otlp_says(collector: str) -> None:
    spans = [
        made(attributes={"http.route": "/x", "n": 3, "is": True, "share": 0.5}),
        made(n=2, parent=f"{1:016x}", is_error=True, events=[Event("exception", 7, {"exception.type": "E"})]),
    ]
    to_collector(collector, service="shop", version="1")(spans)
    path, media_type, sent = Collector.got[0]
    assert (path, media_type) == ("/v1/traces", "application/json")
    resource = sent["resourceSpans"][0]
    assert {"key": "service.name", "value": {"stringValue": "shop"}} in resource["resource"]["attributes"]
    first, second = resource["scopeSpans"][0]["spans"]
    assert (first["traceId"], first["spanId"], first["startTimeUnixNano"]) == (
        "ab" * 16,
        f"{1:016x}",
        "1000000",
    )
    assert "parentSpanId" not in first
    values = {a["key"]: a["value"] for a in first["attributes"]}
    assert values["n"] == {"intValue": "3"}
    assert values["is"] == {"boolValue": True}
    assert values["share"] == {"doubleValue": 0.5}
    assert second["parentSpanId"] == f"{1:016x}"
    assert second["status"] == {"code": 2}
    assert second["events"][0]["timeUnixNano"] == "7"


async def test_a_collector_that_is_away_costs_spans_and_nothing_else(
    collector: str, caplog: pytest.LogCaptureFixture
) -> None:
    Collector.status = 503
    exporter = Exporter(to_collector(collector, service="shop", version="1"))
    async with exporter.running():
        exporter.keep([made()])
    assert len(Collector.got) == 1  # what waited was written at the end, too
    assert "spans could not be written" in caplog.text


async def test_what_does_not_fit_is_dropped_whole_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(export, "_QUEUE_SPANS_MAX", 3)
    written: list[Span] = []
    exporter = Exporter(written.extend)
    exporter.keep([made(n=1), made(n=2)])
    exporter.keep([made(n=3), made(n=4)])
    exporter.keep([made(n=5)])
    async with exporter.running():
        pass
    assert [s.name for s in written] == ["span 1", "span 2", "span 5"]
    assert "spans were dropped" in caplog.text


def test_a_file_is_read_again_by_the_beginning_of_an_id_and_half_a_line_is_no_span(tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    write = to_file(file)
    write([made("ab" * 16), made("cd" * 16, n=2), made("ab" * 16, n=3, parent=f"{1:016x}", is_error=True)])
    assert [s.name for s in read_trace(file, "ababab")] == ["span 1", "span 3"]
    assert read_trace(file, "ffffff") == []
    newest, older = recent(file, most=10)
    assert (newest.trace_id, older.trace_id) == ("cd" * 16, "ab" * 16)
    assert (older.spans, older.took_ms, older.is_error) == (2, 4.0, True)
    write([made("abcd" * 8, n=9)])
    assert read_trace(file, "ab") == []  # two begin so
    with file.open("ab") as lines:
        lines.write(b'{"trace_id": "abab')
    assert [s.name for s in read_trace(file, "ababab")] == ["span 1", "span 3"]
    assert oct(file.stat().st_mode & 0o777) == "0o600"


def test_a_full_file_makes_place_and_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "FILE_BYTES_MAX", 300)
    file = tmp_path / "traces.jsonl"
    write = to_file(file)
    for n in range(1, 4):
        write([made(f"{n}{n}" * 16, n=n)])
    assert file.with_suffix(".1.jsonl").exists()
    assert [s.name for s in read_trace(file, "33" * 16)] == ["span 3"]


def test_the_waterfall_puts_parents_first_and_keeps_what_lost_its_parent() -> None:
    root, child, grandchild, lost = (
        made(n=1), made(n=2, parent=f"{1:016x}"), made(n=3, parent=f"{2:016x}"), made(n=4, parent="f" * 16),
    )  # fmt: skip
    bars = waterfall([grandchild, lost, child, root])
    assert [(bar.span.name, bar.depth) for bar in bars] == [
        ("span 1", 0), ("span 2", 1), ("span 3", 2), ("span 4", 0),
    ]  # fmt: skip
    assert bars[0].left == 0
    assert bars[-1].left + bars[-1].width == pytest.approx(1)
    assert waterfall([]) == []
