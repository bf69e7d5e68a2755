"""A page's text as blocks, whatever it was written in. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from shipworthy.rooms.site.blocks.stored import BLOCKS_BYTES_MAX, BLOCKS_MAX
from shipworthy.rooms.site.exchange.html_blocks import Converted, blocks_of_html
from shipworthy.rooms.site.exchange.markdown_blocks import blocks_of_markdown
from shipworthy.rooms.site.exchange.places import Places

_LATER = (
    "picture_elsewhere",
    "pictures_missing",
    "link_elsewhere",
)  # known when the page is taken in, and not before


def converted(data: Mapping[str, Any], *, places: Places) -> Converted:
    """Return a page's blocks with what people should know of how they were made."""
    if data["format"] == "site":
        return Converted(blocks=list(data["page"]["versions"][-1]["blocks"]))
    if data["format"] == "markdown":
        return blocks_of_markdown(str(data["content"]), places=places)
    return blocks_of_html(str(data["content"]), places=places)


def foreseen(data: Mapping[str, Any], *, places: Places) -> tuple[list[list[str]], bool]:
    """Return what can be said of a page before it is taken in, and whether it fits into one."""
    made = converted(data, places=places)
    kinds = Counter(str(block.get("type", "")) for block in made.blocks if isinstance(block, dict))
    notes = [["block", kind, str(count)] for kind, count in sorted(kinds.items())]
    size_bytes_max = (
        BLOCKS_BYTES_MAX if data["format"] == "site" else BLOCKS_BYTES_MAX * 9 // 10
    )  # ids are still to come
    fits = len(made.blocks) <= BLOCKS_MAX and len(msgspec.json.encode(made.blocks)) <= size_bytes_max
    return notes + [note for note in made.notes if note[0] not in _LATER], fits
