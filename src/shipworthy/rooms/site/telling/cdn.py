"""The CDN: what a change touches is dropped there, by the names it was kept under.

The token comes from SHIPWORTHY_CDN_TOKEN. What is never heard is out of date for `shared_max_age_s` at most.
Source:  developers.cloudflare.com (purge_cache by tags), fastly.com (batch purge by Surrogate-Key).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.tags import EVERYTHING, surrogate_keys
from shipworthy.rooms.site.telling.post import post

PURGE_JOB = "site.purge"
_KEYS_AT_ONCE = 30  # Cloudflare takes no more in one call


async def queue_purge(ctx: Ctx, site_id: uuid.UUID, tags: Sequence[str]) -> None:
    """Queue that the CDN drops what was made of these tags; nothing where no CDN is set."""
    if ctx.runtime.settings.site.cdn != "none":
        # Named by itself, not by its tags: a change during a purge needs one more.
        await enqueue(ctx, PURGE_JOB, f"{site_id}:{ctx.new_id().hex}:{','.join(tags)}")


async def purge(ctx: Ctx, source: str) -> None:
    """Job `site.purge`: tell the CDN. Twice is as good as once. Errors: Upstream `site.unheard`."""
    settings = ctx.runtime.settings.site
    site, _, said = source.split(":")
    keys = keys_to_drop(uuid.UUID(site), said.split(","))
    token = os.environ.get("SHIPWORTHY_CDN_TOKEN", "")
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        if settings.cdn == "cloudflare":
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            body = msgspec.json.encode({"tags": some})
        elif settings.cdn == "fastly":
            headers, body = {"fastly-key": token, "surrogate-key": " ".join(some)}, b""
        else:
            return  # it was switched off since
        answer = await post(ctx.runtime, settings.cdn_purge_url, body, headers=headers)
        if answer.status >= 400:
            log.error("the CDN refused a purge", extra={"status": answer.status, "cdn": settings.cdn})


def keys_to_drop(site_id: uuid.UUID, tags: Sequence[str]) -> list[str]:
    """Return what the CDN is to drop: the tags' own names, or the site's, which all its answers have."""
    site, *keys = surrogate_keys(site_id, tags)
    return [site] if EVERYTHING in tags else keys
