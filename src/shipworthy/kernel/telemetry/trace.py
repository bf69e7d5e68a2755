"""Trace ids in W3C form (https://www.w3.org/TR/trace-context/)."""

from __future__ import annotations

import os
import re

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def trace_id_of(traceparent: str | None) -> str:
    """Return the caller's trace id when it sent a valid one, else a new one (32 hex digits)."""
    if traceparent and (match := _TRACEPARENT.fullmatch(traceparent)) and match.group(1) != "0" * 32:
        return match.group(1)
    return os.urandom(16).hex()
