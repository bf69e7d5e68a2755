"""Blocks as the editor's template shows them: every field with its name in the form, its value and what is wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shipworthy.kernel.language import _
from shipworthy.rooms.site.blocks.block import Field
from shipworthy.rooms.site.blocks.registry import BY_NAME, TYPES
from shipworthy.rooms.site.blocks.stored import Stored
from shipworthy.rooms.site.history.differences import name_of, texts_of

_TOOLS = ("chevron-up", "chevron-down", "copy", "trash-2", "plus", "circle")
_PLACE = re.compile(r"blocks\[(\d+)\]\.?(.*)")

View = dict[str, Any]


def block_views(
    blocks: Sequence[Stored],
    *,
    errors: Mapping[str, str] | None = None,
    theirs: Mapping[str, Any] | None = None,
) -> list[View]:
    """Return the blocks of a page; `theirs` are those that somebody else changed, too."""
    return [
        _block_view(at, block, len(blocks), errors or {}, theirs or {}) for at, block in enumerate(blocks)
    ]


def type_views() -> list[dict[str, str]]:
    """Return what can be put into a page."""
    return [{"type": kind.type, "label": _(kind.label), "symbol": kind.symbol} for kind in TYPES]


def mark_names() -> list[str]:
    """Return the icons that stand in blocks."""
    return sorted({kind.symbol for kind in TYPES} | set(_TOOLS))


def labels_of(errors: Mapping[str, str], blocks: Sequence[Stored]) -> dict[str, str]:
    """Return what people call the places that errors name."""
    labels = {"path": _("Address", context="web"), "body": _("Text"), "blocks": _("Blocks")}
    for name in errors:
        if place := _PLACE.fullmatch(name):
            at = int(place[1])
            what = name_of(blocks[at]) if at < len(blocks) else _("Block")
            labels[name] = _("Block {number} ({what})", number=at + 1, what=what)
    return labels


def _block_view(
    at: int, block: Stored, count: int, errors: Mapping[str, str], theirs: Mapping[str, Any]
) -> View:
    kind = BY_NAME.get(block["type"])
    mine_is_shared = block["id"] in theirs
    other = theirs.get(block["id"])
    return {
        "id": block["id"],
        "number": at,
        "count": count,
        "key": f"{block['id']}:{block['type']}:{block['v']}",
        "prefix": f"blocks-{at}-",
        "label": _(kind.label) if kind else block["type"],
        "symbol": kind.symbol if kind else "circle",
        "is_known": kind is not None,
        "fields": _fields(kind.fields, block["data"], f"blocks-{at}-", "", at, errors) if kind else [],
        "error": errors.get(f"blocks[{at}]", ""),
        "is_conflict": mine_is_shared,
        "theirs": [[label, text] for label, text in texts_of(other).items()] if other else [],
        "is_deleted_by_them": mine_is_shared and other is None,
    }


def _fields(
    fields: Sequence[Field],
    data: Mapping[str, Any],
    prefix: str,
    path: str,
    at: int,
    errors: Mapping[str, str],
) -> list[View]:
    return [_field(field, data.get(field.name), prefix, path, at, errors) for field in fields]


def _field(field: Field, value: Any, prefix: str, path: str, at: int, errors: Mapping[str, str]) -> View:
    place = f"{path}{field.name}"
    error_place = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", place)
    view: View = {
        "name": f"{prefix}{place}",
        "field": field.name,
        "place": place,
        "label": _(field.label),
        "kind": field.kind,
        "hint": _(field.hint) if field.hint else "",
        "choices": [[value, _(label)] for value, label in field.choices],
        "error": errors.get(f"blocks[{at}].{error_place}", ""),
        "value": value if value is not None else "",
    }
    if field.kind == "rows":
        rows = value or []
        view["rows_max"] = field.rows_max
        view["rows"] = [
            _fields(field.fields, row, prefix, f"{place}.{number}.", at, errors)
            for number, row in enumerate(rows)
        ]
    return view
