"""Saving what the editor sends: under the version it was made from, together with what others saved meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.rooms.site.blocks.stored import Stored, blocks_of
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.editor.form import PageForm
from shipworthy.rooms.site.editor.merge import FIELDS, Merged, Side, merge
from shipworthy.rooms.site.editor.operations import operate
from shipworthy.rooms.site.versions import Stale
from shipworthy.rooms.site.write import PageText, checked, hold_page, save_text

THIN_AFTER_S = 600  # until then each save stays: somebody who opened the page at it may send it back


class Conflicting(Stale):
    """Both changed the same thing. `merged` is what the form shows next, with theirs beside it."""

    def __init__(self, version: int, merged: Merged) -> None:
        super().__init__(version)
        self.merged = merged


@dataclass(frozen=True)
class Saved:
    """What became of a form: the page as it was, its newest version, and the block to look at next."""

    before: Record
    version: int
    at: str = ""
    is_merged: bool = False
    blocks: list[Stored] = field(default_factory=list)


async def autosave_form(ctx: Ctx, page_id: uuid.UUID, form: PageForm, *, seen: int | None) -> int:
    """Save a form nobody sent, and return the page's version. Of one person's such saves within ten minutes the
    last is kept.

    Errors:  Missing; Stale when somebody else saved since; those of `save_text`.
    """
    page = await hold_page(ctx, page_id)
    text = replace(checked(form.text(), new_id=ctx.new_id), body="", is_autosave=True)
    version = await save_text(ctx, page, text, seen=seen)
    await ctx.db.run(
        q.version_thin, page_id=page_id, newest=version, before=ctx.now() - timedelta(seconds=THIN_AFTER_S)
    )
    return version


async def save_form(ctx: Ctx, page: Record, form: PageForm) -> Saved:
    """Save a form into a page that is held, and do to its blocks what its button says.

    Errors:  VersionNeeded; Conflicting when somebody else changed the same thing since; those of
             `save_text` and `operate`.
    """
    seen = form.version_seen()
    text = checked(form.text(), new_id=ctx.new_id)
    if form.taken():
        text = replace(text, blocks=_with_theirs(text, form.taken(), page))
    is_merged = seen is not None and seen != page["version"]
    if is_merged:
        text = await _merged(ctx, page, text, seen=int(form.version))
    at = ""
    if form.do:
        done = operate(list(text.blocks or ()), form.do, new_type=form.new_type, new_id=ctx.new_id)
        text, at = replace(text, blocks=done.blocks, body=""), done.at
    version = await save_text(ctx, page, replace(text, body=""), seen=page["version"])
    return Saved(page, version, at, is_merged, list(text.blocks or ()))


async def _merged(ctx: Ctx, page: Record, text: PageText, *, seen: int) -> PageText:
    base = await ctx.db.maybe(q.version_get, page_id=page["page_id"], version=seen)
    mine = Side({name: getattr(text, name) for name in FIELDS}, list(text.blocks or ()))
    merged = merge(_side(base) if base else None, mine, _side(page))
    if not merged.is_clean:
        raise Conflicting(page["version"], merged)
    return replace(text, **merged.fields, blocks=merged.blocks, body="")


def _side(page: Mapping[str, Any]) -> Side:
    return Side({name: page[name] for name in FIELDS}, blocks_of(page))


def _with_theirs(text: PageText, taken: set[str], page: Record) -> list[Stored]:
    """Return the blocks with those replaced by what the newest version has; one that it has not goes."""
    theirs = {block["id"]: block for block in blocks_of(page)}
    mine = (block for block in text.blocks or () if block["id"] not in taken or block["id"] in theirs)
    return [theirs[block["id"]] if block["id"] in taken else block for block in mine]
