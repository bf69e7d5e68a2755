"""The tree as rows, from the top or from below one page on: so many of each level, and a way to the others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing
from shipworthy.rooms.site.addresses import HOME
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.cursors import closed, opened
from shipworthy.rooms.site.tree.move import TOP

PER_LIST = 50  # of the level that is asked for
PER_BRANCH = 10  # of those below it
_LEVELS = 3
_BRANCHES_MAX = 20  # of one level that are shown open
_START = (-1, uuid.UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One page in the tree. `behind` is the page that stands after it; `above` the one it would go below."""

    page: Record
    depth: int
    is_first: bool
    behind: uuid.UUID | None
    above: Record | None
    has_more: bool  # below it, that are not shown here


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A part of the tree; `line` leads from the top to the page it stands below."""

    rows: Sequence[Row]
    line: Sequence[Record]
    next_cursor: str | None


async def read_tree(
    ctx: Ctx, site_id: uuid.UUID, *, under: uuid.UUID | None = None, cursor: str | None = None
) -> Tree:
    """Return the pages below one (None: all), in their order, three levels of them.

    Errors:  Missing; Invalid `site.cursor_invalid`.
    Cost:    four queries.
    """
    line = await ctx.db.all(q.page_line, page_id=under) if under else []
    if under and not line:
        raise Missing()
    start = opened(cursor, _place) if cursor else _START
    found: dict[uuid.UUID, list[Record]] = {}
    parents = [under or TOP]
    for level in range(_LEVELS):
        if not parents:
            break
        limit = (PER_LIST if level == 0 else PER_BRANCH) + 1  # one more says whether there is more
        position, after_id = start if level == 0 else _START
        for row in await ctx.db.all(
            q.page_children,
            site_id=site_id,
            parents=parents,
            position=position,
            after_id=after_id,
            limit=limit,
        ):
            found.setdefault(row["parent_id"], []).append(row)
        shown = [page for parent in parents for page in found.get(parent, ())[: limit - 1]]
        parents = [page["page_id"] for page in shown if page["has_below"]][:_BRANCHES_MAX]
    top = found.get(under or TOP, ())
    last = top[PER_LIST - 1] if len(top) > PER_LIST else None
    rows = list(_rows(found, under or TOP, depth=0, is_start=start == _START))
    return Tree(
        rows=rows, line=line, next_cursor=closed(f"{last['position']}/{last['page_id']}") if last else None
    )


def _rows(
    found: Mapping[uuid.UUID, Sequence[Record]], parent: uuid.UUID, *, depth: int, is_start: bool = True
) -> Iterator[Row]:
    """Yield the pages below one, each followed by those below it."""
    pages, most = found.get(parent, ()), PER_BRANCH if depth else PER_LIST
    for at, page in enumerate(pages[:most]):
        below = found.get(page["page_id"], ())
        above = pages[at - 1] if at else None
        yield Row(
            page=page,
            depth=depth,
            is_first=is_start and at == 0,
            behind=pages[at + 1]["page_id"] if at + 1 < len(pages) else None,
            above=None if above is None or HOME in (above["path"], page["path"]) else above,
            has_more=page["has_below"] and (not below or len(below) > PER_BRANCH),
        )
        yield from _rows(found, page["page_id"], depth=depth + 1)


def _place(text: str) -> tuple[int, uuid.UUID]:
    position, page_id = text.split("/")
    return int(position), uuid.UUID(page_id)
