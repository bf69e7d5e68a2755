"""The browsers a person signs in with: what they are called, and the cookie we know them by."""

from __future__ import annotations

import base64
import hmac
import os
import re
from dataclasses import dataclass, replace

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http import cookies
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.auth.tokens import digest

COOKIE = "device"
COOKIE_MAX_AGE_S = 400 * 24 * 3600  # the longest that browsers keep a cookie
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# 16 random bytes and 16 of their MAC: whether a cookie is ours is known before any look-up.
_RANDOM_BYTES, _MAC_BYTES = 16, 16
_USE = b"shipworthy/auth/device/1\x00"
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
    """Who asks, as far as a browser tells. `token` is a cookie of ours, or None."""

    token: str | None
    name: str

    @property
    def digest(self) -> bytes:
        """What the database knows a browser by; without a cookie, something no row has."""
        return digest(self.token) if self.token else b""

    def anew(self) -> Browser:
        """Return it as one that gets a cookie of its own: an account that is new trusts nobody's."""
        return replace(self, token=None)


def browser_of(ctx: Ctx) -> Browser:
    """Return the browser of a request."""
    headers: dict[str, str] = ctx.extra.get("headers", {})
    token = known_token(ctx.runtime, headers.get("cookie", ""))
    return Browser(token=token, name=browser_name(headers.get("user-agent", "")))


def known_token(runtime: Runtime, cookie_header: str) -> str | None:
    """Return the device cookie if we issued it in this realm. Cost: 5 us."""
    token = cookies.read(cookie_header, cookies.name(runtime.settings, COOKIE))
    if not token or not _TOKEN.fullmatch(token):
        return None
    raw = base64.urlsafe_b64decode(token + "=")
    is_ours = hmac.compare_digest(raw[_RANDOM_BYTES:], _mac(runtime, raw[:_RANDOM_BYTES]))
    return token if is_ours else None


def new_token(runtime: Runtime) -> str:
    random = os.urandom(_RANDOM_BYTES)
    return base64.urlsafe_b64encode(random + _mac(runtime, random)).decode().rstrip("=")


def _mac(runtime: Runtime, random: bytes) -> bytes:
    return hmac.digest(runtime.signing_key, _USE + runtime.realm_id.bytes + random, "sha256")[:_MAC_BYTES]


def browser_name(user_agent: str) -> str:
    """Return "Firefox on Windows" or as much of it as can be told."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or "Unknown browser"


def is_handheld(name: str) -> bool:
    return name.endswith(("iPhone", "iPad", "Android"))
