"""Blocks as visitors see them: HTML made once, when a page is saved."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.kernel.db.tx import Tx
from shipworthy.rooms.site.assets.library import assets_by_id
from shipworthy.rooms.site.blocks.block import Block, Place, cleaned
from shipworthy.rooms.site.blocks.stored import Stored, opened
from shipworthy.rooms.site.blocks.text import Text
from shipworthy.rooms.site.markup import refuse_tangled, render_markdown

_FIRST_SEEN = 2  # a picture further down than the second block is not what a visitor waits for


@dataclass(frozen=True, slots=True)
class Piece:
    """One block's own HTML. `is_top`: it stands beside the page's title, or in its place."""

    block_id: str
    html: str
    is_top: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A page's HTML by where it stands, and what search engines are told beside the page itself.

    `top` takes the place of the title where it is not empty; `intro` stands under the title.
    """

    top: str
    intro: str
    body: str
    json_ld: tuple[Mapping[str, Any], ...]
    pieces: tuple[Piece, ...]


async def write_blocks(tx: Tx, page_id: uuid.UUID, title: str, blocks: Sequence[Stored]) -> Written:
    """Return a page's HTML without holding up other requests.

    Errors:  Invalid `site.body_invalid` for text so full of brackets or stars that reading it takes seconds.
    Cost:    about 1 ms for each 100 words, and one query for a page with pictures.
    """
    made = [(stored["id"], opened(stored)) for stored in blocks]
    refuse_tangled([text for _, block in made for text in block.markdown()])
    wanted = {name for _, block in made for name in block.assets()}
    rows = await assets_by_id(tx, filter(None, map(_id, sorted(wanted))))
    assets = {str(asset_id): row for asset_id, row in rows.items()}
    return await asyncio.to_thread(written, page_id, title, made, assets)


def written(
    page_id: uuid.UUID,
    title: str,
    blocks: Sequence[tuple[str, Block]],
    assets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Written:
    """Return the HTML of blocks. Pure."""
    top = intro = ""
    lead = next((at for at, (_, block) in enumerate(blocks[:_FIRST_SEEN]) if any(block.assets())), None)
    pieces = []
    for at, (block_id, block) in enumerate(blocks):
        place = Place(page_id, block_id, assets or {}, is_lead=at == lead)
        if at == 0 and (opening := block.opening(title, place)):
            top = cleaned(opening, block.also)
            pieces.append(Piece(block_id, top, is_top=True))
        elif at == 0 and isinstance(block, Text):
            markup = render_markdown(block.body)
            intro = markup.intro
            pieces += [Piece(block_id, intro, is_top=True), Piece(block_id, markup.rest)]
        else:
            pieces.append(Piece(block_id, cleaned(block.html(place), block.also)))
    told = tuple(said for _, block in blocks if (said := block.json_ld()) is not None)
    body = "\n".join(piece.html for piece in pieces if not piece.is_top and piece.html)
    return Written(top, intro, body, told, tuple(pieces))


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
