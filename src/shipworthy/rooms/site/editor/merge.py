"""Two people on one page: what each changed goes together block by block, and what both changed is shown. Pure.

Nobody's text is thrown away unseen: where both changed the same block, mine stays in the form and theirs stands
beside it; where one deleted what the other changed, the text stays. Moves lose against nothing: when both moved
blocks, mine is the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.rooms.site.blocks.stored import Stored

FIELDS = ("title", "description", "in_menu")
_NEVER: Any = object()  # equal to nothing: what stood there before is not known any more


@dataclass(frozen=True, slots=True)
class Side:
    """A page as one side has it."""

    fields: Mapping[str, Any]
    blocks: Sequence[Stored]


@dataclass(frozen=True, slots=True)
class Merged:
    """Both together. `theirs` holds what the other side says, by block id or field name, where both changed it;
    None for a block they deleted."""

    fields: dict[str, Any]
    blocks: list[Stored]
    theirs: dict[str, Any]

    @property
    def is_clean(self) -> bool:
        return not self.theirs


def merge(base: Side | None, mine: Side, theirs: Side) -> Merged:
    """Return both sides' changes since `base` together; without it every difference is a conflict."""
    conflicts: dict[str, Any] = {}
    fields = {}
    for name in FIELDS:
        before = base.fields[name] if base else _NEVER
        fields[name], is_conflict = _either(before, mine.fields[name], theirs.fields[name])
        if is_conflict:
            conflicts[name] = theirs.fields[name]
    was, here, there = (_by_id(side.blocks if side else ()) for side in (base, mine, theirs))
    kept: dict[str, Stored] = {}
    for name in {**here, **there}:
        before = was.get(name) if base else _NEVER
        mine_now, theirs_now = here.get(name), there.get(name)
        if base is None and (mine_now is None or theirs_now is None):
            block, is_conflict = (
                mine_now or theirs_now,
                False,
            )  # added by one or deleted by the other: it stays
        else:
            block, is_conflict = _either(before, mine_now, theirs_now)
        if is_conflict:
            conflicts[name] = theirs_now
            block = mine_now or theirs_now
        if block is not None:
            kept[name] = block
    order = _order(list(was), list(here), list(there))
    return Merged(fields, [kept[name] for name in order if name in kept], conflicts)


def _either(before: Any, mine: Any, theirs: Any) -> tuple[Any, bool]:
    if theirs in (mine, before):
        return mine, False
    if mine == before:
        return theirs, False
    return mine, True


def _by_id(blocks: Sequence[Stored]) -> dict[str, Stored]:
    return {block["id"]: block for block in blocks}


def _order(was: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Return an order with every block of both: that of whoever moved something, with the other's new ones put
    behind the block they stood behind."""
    have_i_moved = _shared(was, mine) != _shared(mine, was)
    first, second = (
        (mine, theirs) if have_i_moved or _shared(was, theirs) == _shared(theirs, was) else (theirs, mine)
    )
    order = list(first)
    for at, name in enumerate(second):
        if name not in order:
            before = next((second[b] for b in range(at - 1, -1, -1) if second[b] in order), None)
            order.insert(order.index(before) + 1 if before is not None else 0, name)
    return order


def _shared(names: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [name for name in names if name in known]
