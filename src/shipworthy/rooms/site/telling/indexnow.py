"""IndexNow: search engines that listen to it are told of a page that was published, changed or taken back.

Who asks proves that the host is theirs by a file there that holds the key; ours follows from the installation's
signing key and the site, so nothing needs to be set up or kept.
Source:  indexnow.org/documentation.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.queue.job import enqueue
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.addresses import encoded
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.render import origin
from shipworthy.rooms.site.sites.chosen import site_with
from shipworthy.rooms.site.telling.post import post

INDEXNOW_JOB = "site.indexnow"
_TAKEN = (200, 202)


async def queue_indexnow(ctx: Ctx, page_id: uuid.UUID, version: int) -> None:
    """Queue that search engines hear of this version of a page; nothing where no endpoint is set."""
    if ctx.runtime.settings.site.indexnow_url:
        await enqueue(ctx, INDEXNOW_JOB, f"{page_id}:{version}")


async def tell_search_engines(ctx: Ctx, source: str) -> None:
    """Job `site.indexnow`: name the page's address. Twice is as good as once. Errors: Upstream `site.unheard`."""
    settings = ctx.runtime.settings
    page_id, _, _version = source.partition(":")
    page = await ctx.db.maybe(q.page_get, page_id=uuid.UUID(page_id))
    if page is None:
        return
    site = await site_with(ctx, page["site_id"])
    if not site["host"] or not settings.site.indexnow_url:
        return
    at, key = origin(settings, site["host"]), key_of(ctx.runtime.signing_key, site["site_id"])
    told = {
        "host": site["host"],
        "key": key,
        "keyLocation": f"{at}/{key}.txt",
        "urlList": [at + encoded(page["path"])],
    }
    headers = {"content-type": "application/json; charset=utf-8"}
    answer = await post(ctx.runtime, settings.site.indexnow_url, msgspec.json.encode(told), headers=headers)
    if answer.status not in _TAKEN:
        log.error("IndexNow refused an address", extra={"status": answer.status, "host": site["host"]})


def key_of(signing_key: bytes, site_id: uuid.UUID) -> str:
    """Return the site's key, which stands for all to see in a file named after it."""
    return hmac.new(signing_key, b"indexnow:" + site_id.bytes, hashlib.sha256).hexdigest()[:32]
