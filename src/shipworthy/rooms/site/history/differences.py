"""What changed between two versions, as people read it: which blocks, which fields, which words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from shipworthy.kernel.language import _, mark
from shipworthy.rooms.site.blocks.block import Field
from shipworthy.rooms.site.blocks.registry import BY_NAME
from shipworthy.rooms.site.blocks.stored import Stored, blocks_of

_WORDS_MAX = 2_000  # of two texts together; longer ones are held against each other line by line
_KEPT_CHARS = 60  # of unchanged text on either side of a change
_PAGE_FIELDS = (
    ("title", mark("Title")),
    ("description", mark("Description")),
    ("in_menu", mark("In the menu")),
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """Some words: the same in both, only in the earlier, or only in the later."""

    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One field, word by word."""

    label: str
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one block, or to the page's own fields."""

    what: str
    kind: Literal["changed", "added", "removed", "moved"]
    parts: tuple[Part, ...] = ()


def differences(before: Row | None, after: Row) -> list[Change]:
    """Return what is different, in the order of the page; all of it is new where nothing was before."""
    changes = []
    page = tuple(
        Part(_(label), _words(_text(before[name]) if before else "", _text(after[name])))
        for name, label in _PAGE_FIELDS
        if before is None or before[name] != after[name]
    )
    if page:
        changes.append(Change(_("Page"), "changed" if before else "added", page))
    return [*changes, *_block_changes(blocks_of(before) if before else [], blocks_of(after))]


def _block_changes(before: Sequence[Stored], after: Sequence[Stored]) -> Iterator[Change]:
    earlier, later = {b["id"]: b for b in before}, {b["id"]: b for b in after}
    moved = _moved(
        [b["id"] for b in before if b["id"] in later], [b["id"] for b in after if b["id"] in earlier]
    )
    for block in after:
        known = earlier.get(block["id"])
        if known is None:
            yield Change(name_of(block), "added", _parts({}, texts_of(block)))
        elif known["type"] != block["type"] or known["data"] != block["data"]:
            yield Change(name_of(block), "changed", _parts(texts_of(known), texts_of(block)))
        elif block["id"] in moved:
            yield Change(name_of(block), "moved")
    for block in before:
        if block["id"] not in later:
            yield Change(name_of(block), "removed", _parts(texts_of(block), {}))


def name_of(block: Stored) -> str:
    kind = BY_NAME.get(block["type"])
    return _(kind.label) if kind else str(block["type"])


def texts_of(block: Stored) -> dict[str, str]:
    """Return what stands in a block by the names its fields have on screens."""
    kind = BY_NAME.get(block["type"])
    return dict(_flat(kind.fields, block["data"], "")) if kind else {}


def _flat(fields: Sequence[Field], data: Row, before: str) -> Iterator[tuple[str, str]]:
    for field in fields:
        value = data.get(field.name)
        if field.kind == "rows":
            for at, row in enumerate(value or (), 1):
                yield from _flat(field.fields, row, f"{before}{_(field.label)} {at}, ")
        elif value:
            yield f"{before}{_(field.label)}", _choice(field, value)


def _choice(field: Field, value: Any) -> str:
    label = dict(field.choices).get(str(value))
    return _(label) if label else _text(value)


def _text(value: Any) -> str:
    return (_("Yes") if value else _("No")) if isinstance(value, bool) else str(value)


def _moved(before: Sequence[str], after: Sequence[str]) -> set[str]:
    kept = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return set(after) - {name for block in kept for name in after[block.b : block.b + block.size]}


def _parts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Part, ...]:
    labels = [*after, *(label for label in before if label not in after)]
    return tuple(
        Part(label, _words(before.get(label, ""), after.get(label, "")))
        for label in labels
        if before.get(label) != after.get(label)
    )


def _words(before: str, after: str) -> tuple[Run, ...]:
    earlier, later = re.findall(r"\S+\s*|\s+", before), re.findall(r"\S+\s*|\s+", after)
    if len(earlier) + len(later) > _WORDS_MAX:
        earlier, later = before.splitlines(keepends=True), after.splitlines(keepends=True)
    runs = []
    for kind, a, b, c, d in SequenceMatcher(None, earlier, later).get_opcodes():
        if kind == "equal":
            runs.append(Run("same", "".join(earlier[a:b])))
        else:
            runs += [Run("gone", "".join(earlier[a:b]))] * (b > a) + [Run("new", "".join(later[c:d]))] * (
                d > c
            )
    last = len(runs) - 1
    return tuple(
        _shortened(run, at > 0, at < last) if run.kind == "same" else run for at, run in enumerate(runs)
    )


def _shortened(run: Run, has_before: bool, has_after: bool) -> Run:
    """Return unchanged words with their middle, or the end nobody asks about, left out."""
    if len(run.text) <= 2 * _KEPT_CHARS + 3:
        return run
    head = run.text[:_KEPT_CHARS] if has_before else ""
    tail = run.text[-_KEPT_CHARS:] if has_after else ""
    return Run("same", f"{head} … {tail}")
