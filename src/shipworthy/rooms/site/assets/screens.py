"""HTTP for people: the pictures of their website."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import File, Page, Redirect
from shipworthy.kernel.language import _, _n, day_text, spoken
from shipworthy.kernel.money.format import format_decimal
from shipworthy.kernel.quotas.budget import standing_of
from shipworthy.kernel.quotas.meters import STORAGE_BYTES
from shipworthy.kernel.route import route
from shipworthy.rooms.site.assets.image import BYTES_MAX, media_type_of
from shipworthy.rooms.site.assets.library import (
    ALT_CHARS_MAX,
    NAME_CHARS_MAX,
    add_asset,
    delete_asset,
    edit_asset,
    get_asset,
    list_assets,
    uses_of,
)
from shipworthy.rooms.site.assets.names import address, master_object, variant_object, widths_of
from shipworthy.rooms.site.assets.private import picture_link
from shipworthy.rooms.site.assets.sample import SAMPLE_BASE64
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.render import origin
from shipworthy.rooms.site.shown import moment
from shipworthy.rooms.site.sites.chosen import site_of

# What the largest picture takes as base64 in JSON, and its words.
BODY_BYTES_MAX = BYTES_MAX * 4 // 3 + 64 * 1024
_THUMB_WIDTH = 320
_KIB = 1024
Text = Annotated[str, Meta(max_length=4 * ALT_CHARS_MAX)]  # the capability says what is too long, by field


class UploadForm(Body):
    """A picture to keep. A form sends the file as itself, with its name."""

    file: bytes = b""
    file_name: Text = ""
    alt: Text = ""
    is_private: bool = False


class WordsForm(Body):
    name: Text = ""
    alt: Text = ""


class AssetListQuery(msgspec.Struct):
    cursor: Annotated[str, Meta(max_length=200)] | None = None


async def assets_page(ctx: Ctx, query: AssetListQuery) -> Page:
    return await _list(ctx, cursor=query.cursor)


async def submit_asset(ctx: Ctx, form: UploadForm) -> Redirect:
    try:
        asset, is_new = await add_asset(
            ctx, form.file, name=form.file_name, alt=form.alt, is_private=form.is_private
        )
    except Refusal as refused:
        async with ctx.begin() as tx:
            ctx.tx = tx
            raise refused.shown_on(await _list(ctx, refused=refused, alt=form.alt)) from None
    flash = _("Picture added.") if is_new else _("This picture was here already.")
    return Redirect(f"/assets/{asset['asset_id']}", flash=flash)


async def asset_page(ctx: Ctx, asset_id: uuid.UUID) -> Page:
    asset = await get_asset(ctx, asset_id)
    return await _detail(ctx, asset, WordsForm(name=asset["name"], alt=asset["alt"]))


async def submit_words(ctx: Ctx, asset_id: uuid.UUID, form: WordsForm) -> Redirect:
    try:
        await edit_asset(ctx, asset_id, name=form.name, alt=form.alt)
    except Refusal as refused:
        if refused.kind == Missing.kind:
            raise
        asset = await get_asset(ctx, asset_id)
        raise refused.shown_on(await _detail(ctx, asset, form, refused=refused)) from None
    return Redirect(f"/assets/{asset_id}", flash=_("Saved."))


async def submit_delete(ctx: Ctx, asset_id: uuid.UUID) -> Redirect:
    await delete_asset(ctx, asset_id)
    return Redirect("/assets", flash=_("Picture deleted."))


async def asset_thumb(ctx: Ctx, asset_id: uuid.UUID) -> File:
    """A small form for the console, which may show nothing of another host."""
    async with ctx.begin() as tx:
        asset = await tx.maybe(q.asset_get, asset_id=asset_id)
    if asset is None:
        raise Missing("picture")
    key, slug, is_private = asset["key"], asset["slug"], asset["is_private"]
    width = min(_THUMB_WIDTH, asset["width"])
    made = asset["ready_at"] is not None
    name = (
        variant_object(ctx.tenant_id, key, slug, width, "webp", is_private=is_private)
        if made
        else master_object(ctx.tenant_id, key, slug, is_private=is_private)
    )
    body = await ctx.runtime.files.get(name)
    kept = "private, max-age=86400" if made else "no-store"
    return File(body, media_type_of(body), headers=(("cache-control", kept),))


async def _list(
    ctx: Ctx, *, cursor: str | None = None, refused: Refusal | None = None, alt: str = ""
) -> Page:
    shown = await list_assets(ctx, cursor=cursor)
    stored = await ctx.db.one(q.asset_stored)
    standing = await standing_of(ctx.db, STORAGE_BYTES, ctx.runtime.settings.quotas, now=ctx.now())
    most = standing.given.most
    data = {
        "assets": [_shown(row) for row in shown.rows],
        "next": f"/assets?{urlencode({'cursor': shown.next_cursor})}" if shown.next_cursor else "",
        "previous": "/assets" if cursor else "",
        "stored": _n(
            "One picture, {size} with all its forms",
            "{count} pictures, {size} with all their forms",
            stored["pictures"],
            size=size(stored["bytes"]),
        ),
        "room": _("{size} of {most} are taken.", size=size(standing.used), most=size(most)) if most else "",
        "may_write": may_write(ctx),
        "errors": refused.fields if refused else {},
        "refusal": refused.message if refused and not refused.fields else "",
        "alt": alt,
        "alt_chars_max": ALT_CHARS_MAX,
        "megabytes_max": BYTES_MAX // _KIB // _KIB,
    }
    return Page("site/assets.html", data, title=_("Pictures"), section="pages")


async def _detail(ctx: Ctx, asset: Record, form: WordsForm, *, refused: Refusal | None = None) -> Page:
    uses = await uses_of(ctx, asset["asset_id"])
    site = await site_of(ctx)
    added = (
        moment(asset["created_at"], now=ctx.now(), time_zone=site["time_zone"])
        if site
        else day_text(asset["created_at"].date())
    )
    data = {
        "asset": _shown(asset),
        "form": form,
        "errors": refused.fields if refused else {},
        "facts": [
            [_("Size"), _("{width} x {height} pixels", width=asset["width"], height=asset["height"])],
            [_("Kept as"), size(asset["bytes"])],
            [_("All forms"), size(asset["variants_bytes"]) if asset["ready_at"] else _("Being made")],
            [_("Added"), added],
        ],
        "markdown": f"![{asset['alt']}]({address(asset, _largest(asset, 1280), 'jpg')})",
        **_private(ctx, asset, site),
        "uses": [
            {"href": f"/pages/{p['page_id']}", "title": p["title"], "path": p["path"], "status": p["status"]}
            for p in uses
        ],
        "may_write": may_write(ctx),
        "limits": {"name": NAME_CHARS_MAX, "alt": ALT_CHARS_MAX},
    }
    return Page("site/asset.html", data, title=asset["name"], section="pages")


def _private(ctx: Ctx, asset: Record, site: Record | None) -> dict[str, str]:
    """Return the signed address of a private picture and until when it opens; nothing of a public one."""
    path, expires_at = picture_link(ctx, asset, width=1_280)
    if expires_at is None or site is None or not site["host"]:
        return {"link": "", "until": "", "is_private": "yes" if asset["is_private"] else ""}
    local = expires_at.astimezone(ZoneInfo(site["time_zone"]))
    return {
        "link": origin(ctx.runtime.settings, site["host"]) + path,
        "until": f"{local:%H:%M}",
        "is_private": "yes",
    }


def size(size_bytes: int) -> str:
    """Return a size as people say it: 640 kB, 3.2 MB, 5.0 GB."""
    kib = size_bytes / _KIB
    if kib < 1_000:
        return f"{kib:.0f} kB"
    mib = kib / _KIB
    number, unit = (mib, "MB") if mib < 1_000 else (mib / _KIB, "GB")
    return f"{format_decimal(Decimal(f'{number:.1f}'), locale=spoken(), decimals_min=1)} {unit}"


def _largest(asset: Record, width: int) -> int:
    return max((w for w in widths_of(asset["width"]) if w <= width), default=asset["width"])


def _shown(asset: Record) -> dict[str, object]:
    return {
        "href": f"/assets/{asset['asset_id']}",
        "thumb": f"/assets/{asset['asset_id']}/thumb",
        "name": asset["name"],
        "alt": asset["alt"],
        "size": f"{asset['width']} x {asset['height']}",
        "is_private": asset["is_private"],
        "width": asset["width"],
        "height": asset["height"],
    }


ANY, UNUSED = {"asset_id": "asset_id"}, {"asset_id": "unused_asset_id"}
WORDS_EXAMPLE = {"name": "Workshop", "alt": "A workbench by a window"}
_UPLOAD_EXAMPLE = {"file": SAMPLE_BASE64, "file_name": "sample.png", "alt": "A blue square"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1). The same
# file sent twice is one picture, with or without a key: hence a change and no creation.
ROUTES = (
    route("GET", "/assets", assets_page, title="Pictures", media="html", permission="page.read",
          query=AssetListQuery, queries_max=5),
    route("POST", "/assets", submit_asset, title="Add a picture", media="html", permission="page.write",
          body=UploadForm, effect="change", audit="asset.added", example=_UPLOAD_EXAMPLE, transaction=False,
          body_bytes_max=BODY_BYTES_MAX, meter="storage_bytes", queries_max=14),
    route("GET", "/assets/{asset_id}", asset_page, title="A picture", media="html", permission="page.read",
          params=ANY, queries_max=5),
    route("POST", "/assets/{asset_id}", submit_words, title="Describe a picture", media="html",
          permission="page.write", body=WordsForm, idempotency="key", effect="change", audit="asset.edited",
          params=ANY, example=WORDS_EXAMPLE, queries_max=8),
    route("POST", "/assets/{asset_id}/delete", submit_delete, title="Throw a picture away", media="html",
          permission="page.write", idempotency="key", effect="change", audit="asset.deleted", params=UNUSED,
          example={}, queries_max=10),
    route("GET", "/assets/{asset_id}/thumb", asset_thumb, title="A picture, small", media="file",
          permission="page.read", params=ANY, transaction=False, queries_max=3),
)  # fmt: skip
