"""Logs as JSON lines on standard error, one object a line, with the trace id of what is under way.

Values are passed as fields, never formatted into the message. Everything goes through the process's one
scrubber (scrub.py), exceptions included.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from shipworthy.kernel.telemetry.scrub import Scrubber
from shipworthy.kernel.telemetry.trace import followed

log = logging.getLogger("shipworthy")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def __init__(self) -> None:
        super().__init__()
        self.scrubber = Scrubber()

    def format(self, record: logging.LogRecord) -> str:
        scrubber = self.scrubber
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": scrubber.text(record.getMessage()),
        }
        if trace_id := followed():
            line["trace_id"] = trace_id
        for name, value in vars(record).items():
            if name not in _STANDARD and (told := scrubber.field(name, value)) is not None:
                line[name] = told
        if record.exc_info:
            line["exception"] = scrubber.text(self.formatException(record.exc_info))
        return msgspec.json.encode(line, enc_hook=str).decode()


_lines = JsonLines()


def configure(level: str = "INFO") -> None:
    """Send the process's logs to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_lines)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("pgqueuer").setLevel("WARNING")


def scrub_with(scrubber: Scrubber) -> None:
    """Let the process's logs go through the scrubber of the app that it turned out to be."""
    _lines.scrubber = scrubber
