"""Roles, and what each may do with an organisation's people."""

from __future__ import annotations

from typing import Literal

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.language import mark

Role = Literal["owner", "member", "viewer"]
ROLES: tuple[Role, ...] = ("owner", "member", "viewer")
# What pages say of them, alone and within a sentence.
ROLE_WORDS = (mark("Owner"), mark("Member"), mark("Viewer"), mark("owner"), mark("member"), mark("viewer"))

READ = frozenset({"members.read"})
PERMISSIONS = {"owner": READ | {"members.write"}, "member": READ, "viewer": frozenset[str]()}


def may_write(ctx: Ctx) -> bool:
    """Return whether to show what changes something; the edge refuses those who may not anyway."""
    return "members.write" in PERMISSIONS.get(ctx.user.role or "", frozenset())


def may_read(ctx: Ctx) -> bool:
    return "members.read" in PERMISSIONS.get(ctx.user.role or "", frozenset())
