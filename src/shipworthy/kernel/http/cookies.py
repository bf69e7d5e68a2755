"""Cookies: reading without surprises, writing with every attribute spelled out."""

from __future__ import annotations

import base64

from shipworthy.kernel.settings import Settings

FLASH = "flash"  # one sentence for the next page
_FLASH_CHARS_MAX = 300


def read(header: str, name: str) -> str | None:
    """Return the first cookie of that name, or None."""
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None


def name(settings: Settings, base: str) -> str:
    """`__Host-` binds a cookie to host and TLS; plain HTTP on a laptop cannot carry it."""
    return f"__Host-{base}" if settings.http.public_scheme == "https" else base


def write(settings: Settings, base: str, value: str, *, max_age_s: int | None, http_only: bool = True) -> str:
    """Return a Set-Cookie value. `max_age_s` None makes a session cookie, 0 deletes it."""
    parts = [f"{name(settings, base)}={value}", "Path=/", "SameSite=Lax"]
    if http_only:
        parts.append("HttpOnly")
    if settings.http.public_scheme == "https":
        parts.append("Secure")
    if max_age_s is not None:
        parts.append(f"Max-Age={max_age_s}")
    return "; ".join(parts)


def flashed(header: str, settings: Settings) -> list[dict[str, str]]:
    """Return what the last page had to say, for this one to show."""
    value = read(header, name(settings, FLASH))
    if not value:
        return []
    try:
        return [{"kind": "success", "text": base64.urlsafe_b64decode(value).decode()[:_FLASH_CHARS_MAX]}]
    except ValueError:
        return []
