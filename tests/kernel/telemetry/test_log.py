"""Logs: one JSON object a line, with the trace id of what is under way, without secrets or addresses. Covers: trace."""

from __future__ import annotations

import json
import logging
import sys

from shipworthy.kernel.telemetry.log import JsonLines
from shipworthy.kernel.telemetry.scrub import Scrubber
from shipworthy.kernel.telemetry.trace import context_of, followed, following

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def line(message: str, lines: JsonLines | None = None, **fields: object) -> dict[str, object]:
    record = logging.getLogger("test").makeRecord(
        "test", logging.INFO, "f", 1, message, (), None, extra=fields
    )
    return json.loads((lines or JsonLines()).format(record))


def test_a_line_carries_its_fields_and_no_secret_or_address() -> None:
    logged = line(
        "login of ann@example.com",
        job="abc",
        password="hunter2",
        api_token="t",
        email="bob@mail.example.org",
        deep={"password": "hunter2", "to": ["bob@mail.example.org"]},
    )
    assert logged["message"] == "login of …@example.com"
    assert "hunter2" not in json.dumps(logged)
    assert "bob" not in json.dumps(logged)
    assert logged["deep"] == {"to": ["…@mail.example.org"]}
    assert set(logged) == {"at", "level", "message", "job", "email", "deep"}


def test_a_line_of_a_request_under_way_carries_its_trace_id_and_one_outside_does_not() -> None:
    with following(TRACE):
        assert line("inside")["trace_id"] == TRACE
    assert "trace_id" not in line("outside")
    assert followed() == ""


def test_declared_fields_become_pseudonyms_that_stay_the_same() -> None:
    lines = JsonLines()
    lines.scrubber = Scrubber(personal=("user.phone",), key=b"k")
    first, again = line("x", lines, phone="+49 30 1"), line("y", lines, phone="+49 30 1 ")
    assert first["phone"] == again["phone"]
    assert str(first["phone"]).startswith("~")
    assert line("z", lines, phone="+49 30 2")["phone"] != first["phone"]


def test_an_exception_is_scrubbed_too() -> None:
    try:
        raise ValueError("no account for ann@example.com, card 4111 1111 1111 1111")
    except ValueError:
        record = logging.getLogger("test").makeRecord(
            "t", logging.ERROR, "f", 1, "failed", (), sys.exc_info()
        )
    text = JsonLines().format(record)
    assert "ValueError" in text
    assert "ann@" not in text
    assert "4111" not in text


def test_a_valid_traceparent_is_kept_and_anything_else_replaced() -> None:
    assert context_of(f"00-{TRACE}-00f067aa0ba902b7-01") == (TRACE, "00f067aa0ba902b7")
    for wrong in (
        None,
        "",
        "00-xyz",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7-01\n",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
    ):
        made, span_id = context_of(wrong)
        assert made != TRACE
        assert len(made) == 32
        assert span_id == ""
