"""A small cookie jar: enough of RFC 6265 to stay signed in at one host."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


class Jar:
    """The cookies one person holds at one host.

    Keeps the name and value, drops what Max-Age or Expires says is over. Path, Domain and
    Secure are not honoured: a jar belongs to one host on loopback.
    """

    __slots__ = ("_cookies", "header", "version")

    def __init__(self) -> None:
        self._cookies: dict[str, str] = {}
        self.header = ""  # the value of the Cookie header; empty when there is none to send
        self.version = 0  # grows with every change, so that a rendered request can be kept

    def store(self, set_cookie: str) -> None:
        """Take one Set-Cookie header in; what is no cookie is ignored, as browsers do."""
        pair, *attributes = set_cookie.split(";")
        name, separator, value = pair.strip().partition("=")
        if not separator or not name:
            return
        self.version += 1
        if _is_over(attributes):
            self._cookies.pop(name, None)
        else:
            self._cookies[name] = value
        self.header = "; ".join(f"{name}={value}" for name, value in self._cookies.items())


def _is_over(attributes: list[str]) -> bool:
    named = {}
    for attribute in attributes:
        name, _, value = attribute.strip().partition("=")
        named[name.lower()] = value
    if "max-age" in named:  # wins over Expires (RFC 6265, 5.3)
        age = named["max-age"]
        return age.startswith("-") or age.strip("0") == ""
    try:
        expires = parsedate_to_datetime(named["expires"])
    except (KeyError, ValueError):
        return False
    return expires.replace(tzinfo=expires.tzinfo or UTC) <= datetime.now(UTC)
