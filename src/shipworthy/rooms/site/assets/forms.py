"""Jobs: every form of a picture, made once; and nothing left of one that was thrown away."""

from __future__ import annotations

import asyncio
import uuid

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.quotas.stored import keep_stored
from shipworthy.rooms.site.assets.image import Variant, variants
from shipworthy.rooms.site.assets.names import (
    FORMATS,
    asset_object,
    master_object,
    variant_object,
    widths_of,
)
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import announce
from shipworthy.rooms.site.tags import PICTURES


async def make_variants(ctx: Ctx, source: str) -> None:
    """Job `site.variants`: keep every form of the picture `source`. However often it runs, the same files are
    there after it: their names follow from the picture, their bytes from the master's."""
    asset = await ctx.db.maybe(q.asset_get, asset_id=uuid.UUID(source))
    if asset is None or asset["ready_at"] is not None:
        return
    files, key, slug, is_private = ctx.runtime.files, asset["key"], asset["slug"], asset["is_private"]
    forms = variants(await files.get(master_object(ctx.tenant_id, key, slug, is_private=is_private)))
    size_bytes = 0
    while (form := await asyncio.to_thread(_next, forms)) is not None:
        size_bytes += len(form.body)
        name = variant_object(ctx.tenant_id, key, slug, form.width, form.format, is_private=is_private)
        await files.put(name, form.body)
    ready = {"asset_id": asset["asset_id"], "variants_bytes": size_bytes, "now": ctx.now()}
    if await ctx.db.run(q.asset_ready, **ready):
        await keep_stored(ctx.db, asset_object(key), asset["bytes"] + size_bytes, now=ctx.now())
    else:  # thrown away meanwhile
        await _delete_files(ctx, key, slug, asset["width"], is_private=is_private)


async def discard(ctx: Ctx, source: str) -> None:
    """Job `site.discard`: delete the files of `key/slug/width` (`/private` behind it), and tell the web processes. A key
    is never given again, so nothing that is wanted can be meant."""
    key, slug, width, *kind = source.split("/")
    await _delete_files(ctx, key, slug, int(width), is_private=bool(kind))
    for site in await ctx.db.all(q.site_list):
        await announce(ctx, site["site_id"], PICTURES)


async def _delete_files(ctx: Ctx, key: str, slug: str, width: int, *, is_private: bool) -> None:
    """The master first: where it is gone, no form is served in another's place."""
    files = ctx.runtime.files
    await files.delete(master_object(ctx.tenant_id, key, slug, is_private=is_private))
    for form_width in widths_of(width):
        for format in FORMATS:
            name = variant_object(ctx.tenant_id, key, slug, form_width, format, is_private=is_private)
            await files.delete(name)


def _next(forms: object) -> Variant | None:
    found: Variant | None = next(forms, None)  # type: ignore[call-overload]
    return found
