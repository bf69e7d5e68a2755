"""Telling the web processes that something of a site changed: the others at the commit, by NOTIFY,
this one before its answer goes out, so that whoever publishes sees it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.runtime import Runtime
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.tags import EVERYTHING
from shipworthy.rooms.site.telling.cdn import queue_purge

CHANNEL = "site_changed"
SITEMAP_JOB = "site.sitemap"
_STATE = "site.on_change"
_TAGS_CHARS_MAX = 7_000  # PostgreSQL takes less than 8,000 bytes
_NAME = "#"  # begins the announcement's own name, by which the process that made it knows it again


def on_change(runtime: Runtime, heard: Callable[[str], None]) -> None:
    """Let this process hear its own changes at once."""
    runtime.state[_STATE] = heard


async def announce(ctx: Ctx, site_id: uuid.UUID, *tags: str) -> None:
    """Say at the commit which tags of a site changed; without one, everything did."""
    said = " ".join(tags) or EVERYTHING
    payload = f"{site_id} {said if len(said) <= _TAGS_CHARS_MAX else EVERYTHING} {_NAME}{ctx.new_id().hex}"
    await ctx.db.all(q.announce, payload=payload)
    await queue_purge(ctx, site_id, tags or (EVERYTHING,))
    heard: Callable[[str], None] | None = ctx.runtime.state.get(_STATE)
    if heard is not None:
        ctx.after_commit.append(lambda: heard(payload))


async def show_change(ctx: Ctx, site_id: uuid.UUID, *tags: str) -> None:
    """Let visitors see what changed of a site; without a tag, everything. The site is held until the commit, so whoever changes what visitors see
    does it one after another; a page is held before its site.

    The sitemap is queued under the site's new epoch: a job that runs already has another name, so this one is
    not taken for it.
    """
    epoch = (await ctx.db.one(q.site_next_epoch, site_id=site_id))["epoch"]
    await announce(ctx, site_id, *tags)
    await enqueue(ctx, SITEMAP_JOB, f"{site_id}:{epoch}")


def announced(payload: str) -> tuple[uuid.UUID, tuple[str, ...], str]:
    """Return the site, the tags and the name of an announcement."""
    site_id, *words = payload.split(" ")
    tags = tuple(word for word in words if not word.startswith(_NAME))
    return uuid.UUID(site_id), tags, next((word for word in words if word.startswith(_NAME)), "")
