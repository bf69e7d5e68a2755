"""Writing pages: a new one as a draft, an edit as the next version under the one that was seen."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.language import _
from shipworthy.rooms.site.addresses import numbered_path, path_for_title, wanted_path
from shipworthy.rooms.site.assets.library import note_uses
from shipworthy.rooms.site.blocks.stored import blocks_of, body_of, checked_blocks, text_alone
from shipworthy.rooms.site.blocks.written import write_blocks
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.markup import BODY_CHARS_MAX
from shipworthy.rooms.site.start import started_site
from shipworthy.rooms.site.tree.move import move_page, settle, taken
from shipworthy.rooms.site.versions import require_version

TITLE_CHARS_MAX = 200
DESCRIPTION_CHARS_MAX = 400


@dataclass(frozen=True, kw_only=True)
class PageText:
    """What a page says, as somebody wrote it. An empty path means: make one from the title.

    `body` is short for one block of text; without `blocks` it is what the page consists of.
    """

    title: str
    path: str = ""
    description: str = ""
    body: str = ""
    blocks: Sequence[Any] | None = None
    in_menu: bool = True
    is_autosave: bool = False


async def create_page(ctx: Ctx, text: PageText) -> uuid.UUID:
    """Write a new page as a draft; return its id.

    Errors:  Invalid naming each field; Conflict `site.path_taken` for an address that was asked for.
    """
    text = checked(text, new_id=ctx.new_id)
    wanted = wanted_path(text.path) if text.path.strip() else path_for_title(text.title)
    site = await started_site(ctx)
    page_id = ctx.new_id()
    path = await _first_free(ctx, page_id, site["site_id"], wanted, may_change=not text.path.strip())
    await settle(ctx, page_id, site["site_id"], path)
    await write_version(ctx, page_id, 1, text)
    await record(ctx, "page.created", of="page", id=page_id, detail={"path": path})
    return page_id


async def edit_page(ctx: Ctx, page_id: uuid.UUID, text: PageText, *, seen: int | None) -> int:
    """Save the page's next version and return its number. Errors: Missing; those of `save_text`."""
    return await save_text(ctx, await hold_page(ctx, page_id), text, seen=seen)


async def save_text(
    ctx: Ctx,
    before: Record,
    text: PageText,
    *,
    seen: int | None,
    action: str = "page.edited",
    detail: Mapping[str, object] | None = None,
) -> int:
    """Save the next version of a page that is held; the same text again makes no version. The trail calls it `action`.

    A `body` that the page has already, and no blocks, leaves its blocks alone: whoever reads a page, changes
    its title and sends it back takes nothing away.

    An address is no part of a version: another one counts at once, for visitors too, and the one before leads to it.
    Errors:  Stale when somebody saved after version `seen`; Invalid naming each field; Conflict
             `site.path_taken`.
    """
    require_version(seen, now=before["version"])
    if text.blocks is None and text.body == before["body"]:
        text = replace(text, blocks=blocks_of(before))
    text = checked(text, new_id=ctx.new_id)
    path = wanted_path(text.path) if text.path.strip() else before["path"]
    page_id, version = before["page_id"], before["version"]
    if not _is_same(text, before):
        version = (await ctx.db.one(q.page_edit, page_id=page_id, now=ctx.now()))["version"]
        await write_version(ctx, page_id, version, text)
    if path != before["path"]:
        await move_page(ctx, before, path)
    facts = {**(detail or {}), "version": version, "path": path}
    await record(ctx, action, of="page", id=page_id, detail=facts)
    return int(version)


async def get_page(ctx: Ctx, page_id: uuid.UUID) -> Record:
    """Return a page with its newest version. Errors: Missing."""
    page = await ctx.db.maybe(q.page_get, page_id=page_id)
    if page is None:
        raise Missing()
    return page


async def hold_page(ctx: Ctx, page_id: uuid.UUID) -> Record:
    """Return a page that nobody else changes until the commit. Errors: Missing."""
    if await ctx.db.maybe(q.page_lock, page_id=page_id) is None:
        raise Missing()
    return await ctx.db.one(q.page_get, page_id=page_id)


def checked(text: PageText, *, new_id: Callable[[], uuid.UUID]) -> PageText:
    """Return the text tidied: single spaces in one-line fields, plain line ends in the body, blocks in any case.

    Errors:  Invalid `site.page_invalid` naming each field; `site.blocks_invalid` naming each block.
    """
    wrong: dict[str, str] = {}
    title = _line(text.title, "title", TITLE_CHARS_MAX, wrong)
    description = _line(text.description, "description", DESCRIPTION_CHARS_MAX, wrong)
    body = unicodedata.normalize("NFC", text.body.replace("\r\n", "\n").replace("\r", "\n"))
    if not title:
        wrong["title"] = _("Write a title.")
    if len(body) > BODY_CHARS_MAX:
        wrong["body"] = _(
            "A page holds at most {count} characters; this one has {has}.",
            count=BODY_CHARS_MAX,
            has=len(body),
        )
    elif _has_odd(body.replace("\n", "").replace("\t", "")):
        wrong["body"] = _("The text holds a control character. Paste it again as plain text.")
    blocks = text_alone(body) if text.blocks is None else None
    if blocks is None and not wrong:
        blocks = checked_blocks(text.blocks or (), new_id=new_id)
        if body not in ("", body_of(blocks)):
            wrong["body"] = _("Send blocks or body, not both: body is short for one block of text.")
    if wrong:
        raise Invalid(
            "site.page_invalid",
            _("Some fields need another value: {fields}.", fields=", ".join(wrong)),
            fields=wrong,
        )
    return replace(text, title=title, description=description, body=body_of(blocks or ()), blocks=blocks)


def _line(value: str, field: str, chars_max: int, wrong: dict[str, str]) -> str:
    line = " ".join(unicodedata.normalize("NFC", value).split())
    if len(line) > chars_max:
        wrong[field] = _("Use at most {count} characters; this is {has}.", count=chars_max, has=len(line))
    elif _has_odd(line):
        wrong[field] = _("This holds a control character. Paste it again as plain text.")
    return line


def _has_odd(text: str) -> bool:
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in text)


def _is_same(text: PageText, page: Record) -> bool:
    is_same = all(getattr(text, name) == page[name] for name in ("title", "description", "in_menu"))
    return is_same and text.blocks == blocks_of(page)


async def _first_free(
    ctx: Ctx, page_id: uuid.UUID, site_id: uuid.UUID, wanted: str, *, may_change: bool
) -> str:
    """Put the page at the address it wants; one we made ourselves gets a number when it is taken."""
    for path in (wanted, numbered_path(wanted, page_id)) if may_change else (wanted,):
        created = await ctx.db.maybe(
            q.page_create, page_id=page_id, site_id=site_id, path=path, now=ctx.now()
        )
        if created is not None:
            return path
    raise taken(wanted)


async def write_version(
    ctx: Ctx,
    page_id: uuid.UUID,
    version: int,
    text: PageText,
    *,
    author_name: str | None = None,
    at: datetime | None = None,
) -> None:
    """Write what a page says from now on, as the person who asks; or as somebody wrote it elsewhere, on that day."""
    blocks, principal = text.blocks or (), ctx.principal
    if author_name is None:
        author_name = (principal.name or principal.email) if principal else ""
    shown = await write_blocks(ctx.db, page_id, text.title, blocks)
    await ctx.db.run(
        q.version_create,
        page_id=page_id,
        version=version,
        title=text.title,
        description=text.description,
        body=text.body,
        blocks=blocks,
        top_html=shown.top,
        intro_html=shown.intro,
        body_html=shown.body,
        json_ld=shown.json_ld,
        in_menu=text.in_menu,
        author_id=principal.user_id if principal else None,
        author_name=author_name,
        is_autosave=text.is_autosave,
        now=at or ctx.now(),
    )
    await note_uses(ctx, page_id, shown.top + shown.intro + shown.body)
