"""Who may do what in this room."""

from __future__ import annotations

from shipworthy.kernel.context import Ctx

_READ = frozenset({"customer.read", "invoice.read", "seller.read"})
_WRITE = frozenset({"customer.write", "invoice.write"})

PERMISSIONS = {
    "owner": _READ | _WRITE | {"seller.write", "numbers.write", "tax.write"},
    "member": _READ | _WRITE,
    "viewer": _READ,
}


def may_write(ctx: Ctx) -> bool:
    """Return whether to show buttons that change invoices and customers."""
    return may(ctx, "invoice.write")


def may(ctx: Ctx, permission: str) -> bool:
    """Return whether to show what needs a permission; the edge refuses those without it anyway."""
    return permission in PERMISSIONS.get(ctx.user.role or "", frozenset())
