"""Roles, and what each may do with an organisation's people."""

from __future__ import annotations

from typing import Literal

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.language import mark

Role = Literal["owner", "member", "viewer", "auditor"]
ROLES: tuple[Role, ...] = ("owner", "member", "viewer", "auditor")
# What pages say of them, alone and within a sentence.
ROLE_WORDS = (
    mark("Owner"), mark("Member"), mark("Viewer"), mark("Auditor"),
    mark("owner"), mark("member"), mark("viewer"), mark("auditor"),
)  # fmt: skip

READ = frozenset({"members.read"})
# An auditor sees the audit trail (kernel/audit) and whose names stand in it, and nothing of the business.
PERMISSIONS = {
    "owner": READ | {"members.write"},
    "member": READ,
    "viewer": frozenset[str](),
    "auditor": READ,
}


def may_write(ctx: Ctx) -> bool:
    """Return whether to show what changes something; the edge refuses those who may not anyway."""
    return "members.write" in PERMISSIONS.get(ctx.user.role or "", frozenset())


def may_read(ctx: Ctx) -> bool:
    return "members.read" in PERMISSIONS.get(ctx.user.role or "", frozenset())
