"""Telling the web processes that something of a site changed: the others at the commit, by NOTIFY,
this one before its answer goes out, so that whoever publishes sees it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.catalogue import q

CHANNEL = "site_changed"
EVERYTHING = "*"
_STATE = "site.on_change"


def on_change(runtime: Runtime, heard: Callable[[str], None]) -> None:
    """Let this process hear its own changes at once."""
    runtime.state[_STATE] = heard


async def announce(ctx: Ctx, site_id: uuid.UUID, what: str = EVERYTHING) -> None:
    """Say at the commit that one address of a site changed, or everything."""
    payload = f"{site_id} {what}"
    await ctx.db.all(q.announce, payload=payload)
    heard: Callable[[str], None] | None = ctx.runtime.state.get(_STATE)
    if heard is not None:
        ctx.after_commit.append(lambda: heard(payload))


def announced(payload: str) -> tuple[uuid.UUID, str]:
    """Return site and address of an announcement."""
    site_id, _, what = payload.partition(" ")
    return uuid.UUID(site_id), what
