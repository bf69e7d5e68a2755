"""Putting a menu together by hand: its items in their order, seen by visitors at once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Invalid, Missing
from shipworthy.kernel.language import _, mark
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change
from shipworthy.rooms.site.menus.entries import NAMES, Name
from shipworthy.rooms.site.redirects.verdicts import whole_url
from shipworthy.rooms.site.start import started_site
from shipworthy.rooms.site.tags import MENU

ITEMS_MAX = 40
LABEL_CHARS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item: a page, under its own title where there is no label, or an address elsewhere with a label.
    One that `is_below` stands below the nearest one before it that is not."""

    page_id: uuid.UUID | None = None
    url: str = ""
    label: str = ""
    is_below: bool = False


def menu_named(text: str) -> Name:
    """Return the menu of that name. Errors: Missing."""
    for name in NAMES:
        if name == text:
            return name
    raise Missing(mark("menu"))


async def list_items(ctx: Ctx, site_id: uuid.UUID) -> Sequence[Record]:
    """Return what was put together by hand: both menus in their order, with the pages' titles."""
    return await ctx.db.all(q.menu_list, site_id=site_id)


async def set_menu(ctx: Ctx, menu: Name, items: Sequence[Item]) -> None:
    """Put a menu together by hand; without an item it is made of the pages again.

    Errors:  Invalid `site.menu_invalid` naming each item's field.
    """
    site = await started_site(ctx)
    await put_menu(ctx, site["site_id"], menu, items)
    detail = {"menu": menu, "items": len(items)}
    await record(ctx, "menu.changed", of="site", id=site["site_id"], detail=detail)


async def put_menu(ctx: Ctx, site_id: uuid.UUID, menu: Name, items: Sequence[Item]) -> None:
    """Write the items of a menu and let visitors see them; whoever calls says so in the audit. Errors: as `set_menu`."""
    if len(items) > ITEMS_MAX:
        most = _("A menu holds at most {most} items; these are {count}.", most=ITEMS_MAX, count=len(items))
        raise _invalid({"items": most})
    rows, wrong = _checked(items)
    ids = [row["page_id"] for row in rows if row["page_id"]]
    known = await ctx.db.all(q.pages_among, site_id=site_id, paths=[], ids=ids)
    here = {row["page_id"] for row in known if row["site_id"] == site_id}
    for row in rows:
        if row["page_id"] and row["page_id"] not in here:
            wrong[f"items[{row['position']}].page_id"] = _("There is no such page on this site.")
    if wrong:
        raise _invalid(wrong)
    await show_change(ctx, site_id, MENU)
    await ctx.db.run(q.menu_clear, site_id=site_id, menu=menu)
    if rows:
        await ctx.db.many(q.menu_put, [{"site_id": site_id, "menu": menu, **row} for row in rows])


def _checked(items: Sequence[Item]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the items as rows, and what is wrong with them by field."""
    rows, wrong = [], dict[str, str]()
    for number, item in enumerate(items):
        where = f"items[{number}]"
        label, url = " ".join(item.label.split()), item.url.strip()
        if len(label) > LABEL_CHARS_MAX:
            wrong[f"{where}.label"] = _(
                "Use at most {most} characters; these are {count}.", most=LABEL_CHARS_MAX, count=len(label)
            )
        if not label.isprintable():
            wrong[f"{where}.label"] = _("This holds a character that nobody sees. Write it again.")
        if (item.page_id is None) == (not url):
            wrong[f"{where}.page_id"] = _("Choose a page, or write an address elsewhere; not both.")
        elif url:
            if not label:
                wrong[f"{where}.label"] = _("An address elsewhere needs a label.")
            try:
                url = whole_url(url)
                if not url.startswith(("http://", "https://")):
                    raise ValueError(_("Write a whole address, such as https://example.org/page."))
            except ValueError as broken:
                wrong[f"{where}.url"] = str(broken)
        if item.is_below and number == 0:
            wrong[f"{where}.is_below"] = _("The first item has none before it to stand below.")
        level = 1 if item.is_below else 0
        rows.append(
            {"position": number, "level": level, "label": label, "page_id": item.page_id, "url": url or None}
        )
    return rows, wrong


def _invalid(fields: Mapping[str, str]) -> Invalid:
    message = _("Some items need another value: {first}", first=next(iter(fields.values())))
    return Invalid("site.menu_invalid", message, fields=fields)
