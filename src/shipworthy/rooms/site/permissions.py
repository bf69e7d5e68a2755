"""Who may do what in this room."""

from __future__ import annotations

from shipworthy.kernel.context import Ctx

_READ = frozenset({"page.read"})
_WRITE = frozenset({"page.write", "page.publish"})
_ANSWER = frozenset({"messages.read", "messages.write"})
_OWN = frozenset({"visits.read"})

PERMISSIONS = {"owner": _READ | _WRITE | _ANSWER | _OWN, "member": _READ | _WRITE | _ANSWER, "viewer": _READ}


def may_write(ctx: Ctx) -> bool:
    """Return whether to show buttons that change something; the edge refuses those who may not anyway."""
    return "page.write" in PERMISSIONS.get(ctx.user.role or "", frozenset())
