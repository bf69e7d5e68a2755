"""Choosing a picture for a block: the tenant's pictures, one press each."""

from __future__ import annotations

import re
import uuid
from copy import deepcopy
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.site.assets.library import get_asset, list_assets
from shipworthy.rooms.site.blocks.stored import Stored, blocks_of
from shipworthy.rooms.site.screens import ANY
from shipworthy.rooms.site.write import PageText, get_page, hold_page, save_text

_PLACE = re.compile(r"([a-z_]{1,40})(?:\.([0-9]{1,3})\.([a-z_]{1,40}))?")
Word = Annotated[str, Meta(max_length=200)]


class PicturesQuery(msgspec.Struct):
    """For which field of which block, and where the list goes on."""

    block: Word = ""
    place: Word = ""
    version: int | None = None
    cursor: Word | None = None


class Choice(Body):
    """A picture for a block's field, in the version that was shown."""

    block: Word
    place: Word
    asset_id: uuid.UUID
    version: int | None = None


async def pictures_page(ctx: Ctx, page_id: uuid.UUID, query: PicturesQuery) -> Page:
    page, shown = await get_page(ctx, page_id), await list_assets(ctx, cursor=query.cursor)
    here = {"block": query.block, "place": query.place, "version": query.version or page["version"]}
    more = urlencode({**here, "cursor": shown.next_cursor}) if shown.next_cursor else ""
    data = {
        "shown": page,
        "assets": [row for row in shown.rows if not row["is_private"]],
        "here": here,
        "next": f"/pages/{page_id}/pictures?{more}" if more else "",
    }
    return Page("site/pictures.html", data, title=_("Choose a picture"), section="pages")


async def submit_picture(ctx: Ctx, page_id: uuid.UUID, choice: Choice) -> Redirect:
    await choose_picture(ctx, page_id, choice)
    return Redirect(f"/pages/{page_id}#block-{choice.block}")


async def choose_picture(ctx: Ctx, page_id: uuid.UUID, choice: Choice) -> int:
    """Save the page with a picture in a block's field, and return its version.

    Errors:  Missing for a page or picture; Stale; Invalid `site.button_invalid` where the block or field is not.
    """
    page, asset = await hold_page(ctx, page_id), await get_asset(ctx, choice.asset_id)
    if asset["is_private"]:
        raise Missing("picture")
    blocks = deepcopy(blocks_of(page))
    data, name = _field(blocks, choice.block, choice.place)
    data[name] = str(asset["asset_id"])
    text = PageText(
        title=page["title"], description=page["description"], blocks=blocks, in_menu=page["in_menu"]
    )
    return await save_text(ctx, page, text, seen=choice.version)


def _field(blocks: list[Stored], block_id: str, place: str) -> tuple[dict[str, Any], str]:
    """Return the record a field stands in, and its name."""
    block = next((block for block in blocks if block["id"] == block_id), None)
    found = _PLACE.fullmatch(place)
    if block is not None and found is not None:
        data, name = block["data"], found[1]
        if found[2] and isinstance(data.get(name), list) and int(found[2]) < len(data[name]):
            data, name = data[name][int(found[2])], found[3]
        if isinstance(data.get(name), str):
            return data, name
    raise Invalid("site.button_invalid", _("That block is not here any more. Look at the page again."))


_EXAMPLE = {"block": "$picture_block", "place": "asset", "asset_id": "$asset_id"}

ROUTES = (
    route("GET", "/pages/{page_id}/pictures", pictures_page, title="Choose a picture", media="html",
          permission="page.write", query=PicturesQuery, params=ANY, queries_max=5),
    route("POST", "/pages/{page_id}/pictures", submit_picture, title="Put a picture into a block", media="html",
          permission="page.write", body=Choice, idempotency="key", effect="change", audit="page.edited",
          params={"page_id": "picture_page_id"}, example=_EXAMPLE, queries_max=17),
)  # fmt: skip
