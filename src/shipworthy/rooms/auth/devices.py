"""The browsers a person signs in with: what they are called, and the cookie we know them by."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http import cookies
from shipworthy.rooms.auth.tokens import digest

COOKIE = "device"
COOKIE_MAX_AGE_S = 400 * 24 * 3600  # the longest that browsers keep a cookie
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# The first that fits; order matters, since browsers name one another.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, kw_only=True)
class Browser:
    """Who asks, as far as a browser tells."""

    token: str | None
    name: str

    @property
    def digest(self) -> bytes:
        """What the database knows a browser by; without a cookie, something no row has."""
        return digest(self.token) if self.token else b""


def browser_of(ctx: Ctx) -> Browser:
    """Return the browser of a request."""
    headers: dict[str, str] = ctx.extra.get("headers", {})
    token = cookies.read(headers.get("cookie", ""), cookies.name(ctx.runtime.settings, COOKIE))
    known = token if token and _TOKEN.fullmatch(token) else None
    return Browser(token=known, name=browser_name(headers.get("user-agent", "")))


def new_token() -> str:
    return secrets.token_urlsafe(32)


def browser_name(user_agent: str) -> str:
    """Return "Firefox on Windows" or as much of it as can be told."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or "Unknown browser"


def is_handheld(name: str) -> bool:
    return name.endswith(("iPhone", "iPad", "Android"))
