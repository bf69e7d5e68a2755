"""What a request for a page asks: the few headers that decide its answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shipworthy.rooms.site.shelf import Form


class Asked(NamedTuple):
    """The headers of a request that decide its answer."""

    host: bytes
    accept_encoding: bytes
    none_match: bytes
    user_agent: str


def asked_of(headers: Iterable[tuple[bytes, bytes]]) -> Asked:
    host = accept_encoding = none_match = b""
    user_agent = ""
    for name, value in headers:
        if name == b"host":
            host = value
        elif name == b"accept-encoding":
            accept_encoding = value
        elif name == b"if-none-match":
            none_match = value
        elif name == b"user-agent":
            user_agent = value.decode("latin-1")
    return Asked(host, accept_encoding, none_match, user_agent)


def is_known(form: Form, asked: Asked) -> bool:
    """Say whether the caller has this very form already (RFC 9110, 13.1.2)."""
    none_match = asked.none_match
    return bool(none_match and form.etag and (form.etag in none_match or none_match == b"*"))
