"""Cookies: reading without surprises, writing with every attribute spelled out."""

from __future__ import annotations

from shipworthy.kernel.settings import Settings


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
