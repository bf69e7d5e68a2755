"""What a button of the editor does to the blocks of a page. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.site.blocks.block import Field
from shipworthy.rooms.site.blocks.registry import BY_NAME
from shipworthy.rooms.site.blocks.stored import Stored, fresh_block, fresh_id

UNDO = "undo"
PICK = "pick"


@dataclass(frozen=True, slots=True)
class Done:
    """The blocks afterwards, and the one to look at next: the whole page where it is empty."""

    blocks: list[Stored]
    at: str = ""


def operate(blocks: Sequence[Stored], do: str, *, new_type: str, new_id: Callable[[], uuid.UUID]) -> Done:
    """Return the blocks after a button: `up:ID`, `down:ID`, `copy:ID`, `delete:ID`, `add:TYPE`, `after:ID:TYPE`
    (or of `new_type`), `pick:ID:PLACE`, `row:ID:FIELD`, `unrow:ID:FIELD:NUMBER`.

    Errors:  Invalid `site.button_invalid` for a block that is gone, or what no button of ours says.
    """
    verb, *rest = do.split(":")
    if verb == "add" and rest:
        block = _fresh(rest[0], new_id)
        return Done([*blocks, block], block["id"])
    at = next((at for at, block in enumerate(blocks) if rest and block["id"] == rest[0]), None)
    if at is None:
        raise _unknown()
    if verb == PICK:  # the picture itself is chosen on the next screen
        return Done(list(blocks), rest[0])
    if verb in ("row", "unrow") and len(rest) > 1:
        return _with_rows(blocks, at, rest[1], (rest[2:] or [""])[0] if verb == "unrow" else None)
    return _rearranged(blocks, at, verb, (rest[1:] or [new_type])[0], new_id)


def _rearranged(
    blocks: Sequence[Stored], at: int, verb: str, type_: str, new_id: Callable[[], uuid.UUID]
) -> Done:
    if verb in ("up", "down"):
        return _moved(blocks, at, -1 if verb == "up" else 1)
    if verb == "delete":
        left = [*blocks[:at], *blocks[at + 1 :]]
        return Done(left, left[min(at, len(left) - 1)]["id"] if left else "")
    if verb == "copy":
        block = {**deepcopy(blocks[at]), "id": fresh_id(new_id)}
    elif verb == "after":
        block = _fresh(type_, new_id)
    else:
        raise _unknown()
    return Done([*blocks[: at + 1], block, *blocks[at + 1 :]], block["id"])


def _fresh(type_: str, new_id: Callable[[], uuid.UUID]) -> Stored:
    block = fresh_block(type_, new_id)
    if block is None:
        raise _unknown()
    return block


def _moved(blocks: Sequence[Stored], at: int, by: int) -> Done:
    there = min(max(at + by, 0), len(blocks) - 1)
    order = list(blocks)
    order.insert(there, order.pop(at))
    return Done(order, blocks[at]["id"])


def _with_rows(blocks: Sequence[Stored], at: int, name: str, removed: str | None) -> Done:
    """Add an empty row to a block's list, or take one away."""
    block = deepcopy(blocks[at])
    field = _rows_of(block, name)
    rows = block["data"].setdefault(name, [])
    if removed is None:
        if len(rows) >= field.rows_max:
            raise Invalid(
                "site.button_invalid", _("This block holds at most {count} of them.", count=field.rows_max)
            )
        rows.append({inner.name: "" for inner in field.fields})
    elif removed.isascii() and removed.isdigit() and len(removed) <= 4 and int(removed) < len(rows):
        del rows[int(removed)]
    else:
        raise _unknown()
    return Done([*blocks[:at], block, *blocks[at + 1 :]], block["id"])


def _rows_of(block: Stored, name: str) -> Field:
    kind = BY_NAME.get(block["type"])
    for field in kind.fields if kind else ():
        if field.name == name and field.kind == "rows":
            return field
    raise _unknown()


def _unknown() -> Invalid:
    return Invalid("site.button_invalid", _("That block is not here any more. Look at the page again."))
