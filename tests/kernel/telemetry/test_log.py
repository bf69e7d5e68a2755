"""Logs: one JSON object a line, with the trace id, without secrets or addresses. Covers: log, trace."""

from __future__ import annotations

import json
import logging

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.telemetry.log import JsonLines, scrub
from shipworthy.kernel.telemetry.trace import trace_id_of


def line(message: str, **fields: object) -> dict[str, object]:
    record = logging.getLogger("test").makeRecord(
        "test", logging.INFO, "f", 1, message, (), None, extra=fields
    )
    return json.loads(JsonLines().format(record))


def test_a_line_carries_its_fields_and_no_secret_or_address() -> None:
    logged = line(
        "login of ann@example.com",
        trace_id="abc",
        password="hunter2",
        api_token="t",
        email="bob@mail.example.org",
    )
    assert logged["trace_id"] == "abc"
    assert logged["message"] == "login of …@example.com"
    assert "hunter2" not in json.dumps(logged)
    assert "bob" not in json.dumps(logged)
    assert set(logged) == {"at", "level", "message", "trace_id", "email"}


def test_an_exception_is_scrubbed_too() -> None:
    try:
        raise ValueError("no account for ann@example.com")
    except ValueError:
        record = logging.getLogger("test").makeRecord(
            "t", logging.ERROR, "f", 1, "failed", (), __import__("sys").exc_info()
        )
    text = JsonLines().format(record)
    assert "ValueError" in text
    assert "ann@" not in text


@given(st.text(max_size=30_000))
def test_scrubbing_is_bounded(text: str) -> None:
    assert len(scrub("a" * 30_000 + text)) <= 8_000


def test_a_valid_traceparent_is_kept_and_anything_else_replaced() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert trace_id_of(f"00-{trace}-00f067aa0ba902b7-01") == trace
    for wrong in (
        None,
        "",
        "00-xyz",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{trace}-00f067aa0ba902b7-01\n",
    ):
        made = trace_id_of(wrong)
        assert made != trace
        assert len(made) == 32
