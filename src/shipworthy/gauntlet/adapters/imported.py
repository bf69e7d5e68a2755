"""A Python app without a command of its own: imported by its own interpreter, and served on a free port."""

from __future__ import annotations

from shipworthy.gauntlet.adapters import serving


def imported(kind: str, app: str, *, python: str) -> tuple[str, ...]:
    """Return the command that serves an app ("main:app") of a kind ("asgi", "wsgi"), {port} left open."""
    return python, serving.__file__, kind, app, "{port}"
