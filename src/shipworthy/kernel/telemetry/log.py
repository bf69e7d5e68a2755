"""Logs as JSON lines on standard error, one object a line, with the trace id when there is one.

Values are passed as fields, never formatted into the message; fields whose names say that
they are secret are dropped, and e-mail addresses are shortened to their domain.
"""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

log = logging.getLogger("shipworthy")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET = re.compile(r"pass|secret|token|cookie|authorization|key$", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]{1,64}@((?:[\w-]{1,63}\.)+[a-zA-Z]{2,24}|localhost)")
_TEXT_MAX = 8_000


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": scrub(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and not _SECRET.search(name):
                line[name] = scrub(value) if isinstance(value, str) else value
        if record.exc_info:
            line["exception"] = scrub(self.formatException(record.exc_info))
        return msgspec.json.encode(line, enc_hook=str).decode()


def scrub(text: str) -> str:
    """Return `text` bounded in length and without e-mail addresses."""
    text = text[:_TEXT_MAX]
    return _EMAIL.sub(r"…@\1", text) if "@" in text else text


def configure(level: str = "INFO") -> None:
    """Send the process's logs to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("pgqueuer").setLevel("WARNING")
