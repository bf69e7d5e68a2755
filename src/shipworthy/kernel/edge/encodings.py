"""What is wrong with how a request is written, before anybody reads what it says. Pure.

There is one way to write a text into an address: UTF-8, percent-encoded once. Other ways exist only to be read
differently by whoever checks and whoever serves (CWE-172, CWE-173, CWE-174).
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

# RFC 3629, 3: these lead bytes only ever write a character that has a shorter form.
_OVERLONG = re.compile(rb"[\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]")
_PERCENT_U = re.compile(rb"%u[0-9a-fA-F]{4}", re.IGNORECASE)  # was never a standard (RFC 3986 has no %u)
_STILL_ENCODED = re.compile(rb"%[0-9a-fA-F]{2}")
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")

NULL, OVERLONG, UTF8, DOUBLE, CONTROL, PERCENT_U = (
    "encoding.null",
    "encoding.overlong",
    "encoding.not_utf8",
    "encoding.double",
    "encoding.control",
    "encoding.percent_u",
)


def wrong_path(raw_path: bytes) -> str | None:
    """Return the rule that a path breaks. Cost: 0.2 us for a path without percent signs."""
    if b"%" not in raw_path and raw_path.isascii():
        return None
    if (rule := _wrong(raw_path)) is not None:
        return rule
    once = unquote_to_bytes(raw_path)
    if _STILL_ENCODED.search(once):
        return DOUBLE
    return CONTROL if _CONTROLS.search(once) else None


def wrong_query(query: bytes) -> str | None:
    """Return the rule that a query string breaks. A value may hold an address that is encoded itself."""
    if b"%" not in query and query.isascii():
        return None
    return _wrong(query)


def wrong_text(body: bytes) -> str | None:
    """Return the rule that a form's body breaks; JSON has a grammar that says the same."""
    return wrong_query(body)


def _wrong(raw: bytes) -> str | None:
    if b"%u" in raw.lower() and _PERCENT_U.search(raw):
        return PERCENT_U
    once = unquote_to_bytes(raw)
    # Twice decoded, too: what is a null or an overlong slash only for the second reader is meant to be one.
    for text in (once, unquote_to_bytes(once)) if _STILL_ENCODED.search(once) else (once,):
        if b"\0" in text:
            return NULL
        if not text.isascii():
            try:
                text.decode("utf-8")
            except UnicodeDecodeError:
                return OVERLONG if _OVERLONG.search(text) else UTF8
    return None
