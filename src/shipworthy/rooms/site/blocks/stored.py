"""Blocks as they are sent and kept, `{id, type, v, data}`: checked and brought to their newest version here."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import convert
from shipworthy.kernel.language import _
from shipworthy.rooms.site.blocks.block import Block
from shipworthy.rooms.site.blocks.registry import BY_NAME
from shipworthy.rooms.site.blocks.text import Text

BLOCKS_MAX = 500
BLOCKS_BYTES_MAX = 512 * 1024
ALONE = "text"  # the id of the block a page has that was written as one text
_ID = re.compile(r"[a-z0-9]{1,32}")
_ID_CHARS = 12  # of a UUID's random end

Stored = dict[str, Any]


def text_alone(body: str) -> list[Stored]:
    """Return the blocks of a page that is one text."""
    return [_stored(ALONE, Text(body=body))] if body else []


def body_of(blocks: Sequence[Stored]) -> str:
    """Return the Markdown of a page that is one text; nothing for one that is more."""
    is_one_text = len(blocks) == 1 and blocks[0]["type"] == Text.type
    return str(blocks[0]["data"].get("body", "")) if is_one_text else ""


def blocks_of(page: Mapping[str, Any]) -> list[Stored]:
    """Return the blocks of a page's version; one from before there were blocks is one text."""
    blocks: list[Stored] | None = page["blocks"]
    return text_alone(page["body"]) if blocks is None else blocks


def checked_blocks(raw: Sequence[Any], *, new_id: Callable[[], uuid.UUID]) -> list[Stored]:
    """Return blocks as they are kept: tidied, in their newest version, each with an id of its own.

    Errors:  Invalid `site.blocks_invalid` naming each block and field: too many, too large, a type nobody
             knows, a version from a newer app, an id twice, a field that does not fit.
    """
    if len(raw) > BLOCKS_MAX:
        raise _invalid(
            {
                "blocks": _(
                    "A page holds at most {count} blocks; this one has {has}.", count=BLOCKS_MAX, has=len(raw)
                )
            }
        )
    wrong: dict[str, str] = {}
    blocks: list[Stored] = []
    ids: set[str] = set()
    for at, given in enumerate(raw):
        where = f"blocks[{at}]"
        try:
            block = _checked(given, new_id)
        except Invalid as refused:
            wrong |= {f"{where}.{name}" if name else where: why for name, why in refused.fields.items()}
            continue
        if block["id"] in ids:
            wrong[f"{where}.id"] = _("Another block of this page has this id.")
        ids.add(block["id"])
        blocks.append(block)
    if wrong:
        raise _invalid(wrong)
    size_bytes = len(msgspec.json.encode(blocks))
    if size_bytes > BLOCKS_BYTES_MAX:
        message = _(
            "A page holds at most {count} kB; this one has {has}.",
            count=BLOCKS_BYTES_MAX // 1024,
            has=size_bytes // 1024,
        )
        raise _invalid({"blocks": message})
    return blocks


def opened(stored: Stored) -> Block:
    """Return a kept block in its newest version.

    Errors:  Invalid naming what does not fit; the name is empty where it is the block itself.
    """
    kind = BY_NAME.get(stored["type"])
    if kind is None:
        raise _invalid({"type": _("There is no type of block named {type}.", type=stored["type"][:40])})
    shape = next((shape for shape in (kind, *kind.older) if shape.v == stored["v"]), None)
    if shape is None:
        raise _invalid(
            {
                "v": _(
                    "This block is of version {version}; this app knows up to {known}.",
                    version=stored["v"],
                    known=kind.v,
                )
            }
        )
    block: Any = convert(stored["data"], shape, strict=True)
    while block.v < kind.v:
        block = block.up()
    assert isinstance(block, Block)
    return block


def fresh_block(type_: str, new_id: Callable[[], uuid.UUID]) -> Stored | None:
    """Return an empty block of a type, or None for a type nobody knows."""
    kind = BY_NAME.get(type_)
    return _stored(fresh_id(new_id), kind()) if kind else None


def fresh_id(new_id: Callable[[], uuid.UUID]) -> str:
    return new_id().hex[-_ID_CHARS:]


class _Given(msgspec.Struct, forbid_unknown_fields=True):
    """A block as somebody sends it: an id and a version may be left out."""

    type: str
    data: dict[str, Any] = {}
    id: str = ""
    v: int = 0


def _checked(given: Any, new_id: Callable[[], uuid.UUID]) -> Stored:
    block = convert(given, _Given, strict=True)
    name = block.id or fresh_id(new_id)
    if not _ID.fullmatch(name):
        raise _invalid({"id": _("An id is 1 to 32 small letters and digits.")})
    wrong: dict[str, str] = {}
    data = _tidied(block.data, "", wrong)
    if wrong:
        raise _invalid(wrong)
    known = BY_NAME.get(block.type)
    version = block.v or (known.v if known else 0)
    return _stored(name, opened({"type": block.type, "v": version, "data": data}))


def _stored(name: str, block: Block) -> Stored:
    return {"id": name, "type": block.type, "v": block.v, "data": msgspec.to_builtins(block)}


def _tidied(value: Any, where: str, wrong: dict[str, str]) -> Any:
    """Return text in one form of Unicode with plain line ends, however deep it lies."""
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
        if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text):
            wrong[where] = _("This holds a control character. Paste it again as plain text.")
        return text
    if isinstance(value, dict):
        return {
            name: _tidied(inner, f"{where}.{name}" if where else name, wrong) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_tidied(inner, f"{where}[{at}]", wrong) for at, inner in enumerate(value)]
    return value


def _invalid(fields: Mapping[str, str]) -> Invalid:
    names = ", ".join(list(fields)[:5])
    return Invalid(
        "site.blocks_invalid", _("Some blocks need another value: {fields}.", fields=names), fields=fields
    )
