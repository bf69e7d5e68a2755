"""HTTP for the menus put together by hand: an API, and one screen whose every button works without script."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shipworthy.kernel.audit.record import unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.route import route
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.menus.entries import NAMES, Name
from shipworthy.rooms.site.menus.hand import (
    ITEMS_MAX,
    LABEL_CHARS_MAX,
    Item,
    list_items,
    menu_named,
    set_menu,
)
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.redirects.verdicts import URL_CHARS_MAX
from shipworthy.rooms.site.sites.chosen import made_for, site_of

_TITLES = {"main": mark("Main menu"), "footer": mark("Menu at the end")}
_UNKNOWN = uuid.UUID(int=0)  # no page has it: what somebody sent instead of an id
_CHOICES_MAX = 500  # page_choices says the same
_FILL = "fill"
_FIELDS = ("page_id", "url", "label", "is_below")


class ItemBody(Body):
    """A page, or an address elsewhere with a label; `is_below` the nearest item before it that is not."""

    page_id: uuid.UUID | None = None
    url: Annotated[str, Meta(max_length=URL_CHARS_MAX)] = ""
    label: Annotated[str, Meta(max_length=200)] = ""
    is_below: bool = False

    def item(self) -> Item:
        return Item(page_id=self.page_id, url=self.url, label=self.label, is_below=self.is_below)


class MenuBody(Body):
    """The items in their order; none: the menu is made of the pages."""

    items: Annotated[list[ItemBody], Meta(max_length=200)] = msgspec.field(default_factory=list)


class ItemRow(Body):
    """One row of the screen. `key` is its number there, by which buttons name it."""

    key: Annotated[str, Meta(max_length=10)] = ""
    page_id: Annotated[str, Meta(max_length=40)] = ""
    url: Annotated[str, Meta(max_length=2 * URL_CHARS_MAX)] = ""
    label: Annotated[str, Meta(max_length=400)] = ""
    is_below: Annotated[str, Meta(max_length=10)] = ""

    @property
    def is_filled(self) -> bool:
        return bool(self.page_id or self.url.strip() or self.label.strip())

    def item(self) -> Item:
        try:
            page_id = uuid.UUID(self.page_id) if self.page_id else None
        except ValueError:
            page_id = _UNKNOWN
        return Item(page_id=page_id, url=self.url, label=self.label, is_below=bool(self.is_below))


class MenuForm(Body):
    """`do` is what a button does to the rows before anything is saved: `up:2`, `down:2`, or `fill`.
    `site` is the one the form was made for."""

    items: Annotated[list[ItemRow], Meta(max_length=200)] = msgspec.field(default_factory=list)
    do: Annotated[str, Meta(max_length=20)] = ""
    site: Annotated[str, Meta(max_length=40)] = ""


async def api_get_menus(ctx: Ctx) -> Any:
    site = await site_of(ctx)
    items = await list_items(ctx, site["site_id"]) if site else ()
    names = ("page_id", "url", "label", "path", "title", "status")
    return {
        name: [
            {**{n: item[n] for n in names}, "is_below": item["level"] == 1}
            for item in items
            if item["menu"] == name
        ]
        for name in NAMES
    }


async def api_set_menu(ctx: Ctx, menu: str, body: MenuBody) -> Any:
    await set_menu(ctx, menu_named(menu), [item.item() for item in body.items])
    return await api_get_menus(ctx)


async def menu_page(ctx: Ctx, menu: str) -> Page:
    return await _screen(ctx, menu_named(menu))


async def submit_menu(ctx: Ctx, menu: str, form: MenuForm) -> Page | Redirect:
    name = menu_named(menu)
    made_for(ctx, form.site)
    if form.do:
        unchanged(ctx)
        rows = await _of_pages(ctx) if form.do == _FILL else _shifted(form)
        return await _screen(ctx, name, rows, is_unsaved=True)
    filled = [row for row in form.items if row.is_filled]
    try:
        await set_menu(ctx, name, [row.item() for row in filled])
    except Refusal as refused:
        raise refused.shown_on(await _screen(ctx, name, filled, refused)) from None
    flash = (
        _("Saved. Visitors see this menu now.")
        if filled
        else _("Saved. The menu is made of the pages again.")
    )
    return Redirect(f"/menus/{name}", flash=flash)


def _shifted(form: MenuForm) -> list[ItemRow]:
    """Return the rows with the one that a button names a step further up or down."""
    rows = [row for row in form.items if row.is_filled]
    way, _mark, key = form.do.partition(":")
    at = next((n for n, row in enumerate(rows) if row.key == key), None)
    to = None if at is None else at - 1 if way == "up" else at + 1
    if at is not None and to is not None and 0 <= to < len(rows):
        rows[at], rows[to] = rows[to], rows[at]
    return rows


async def _of_pages(ctx: Ctx) -> list[ItemRow]:
    """Return the menu that is made of the pages, as rows to begin with."""
    site = await site_of(ctx)
    if site is None:
        return []
    ids = {row["path"]: row["page_id"] for row in await ctx.db.all(q.page_choices, site_id=site["site_id"])}
    made = (await ctx.db.one(q.published_page, site_id=site["site_id"], path=""))["menu"]
    return [ItemRow(page_id=str(ids[path])) for path, _title in made if path in ids]


async def _screen(
    ctx: Ctx,
    name: Name,
    typed: Sequence[ItemRow] | None = None,
    refused: Refusal | None = None,
    *,
    is_unsaved: bool = False,
) -> Page:
    site = await site_of(ctx)
    choices = await ctx.db.all(q.page_choices, site_id=site["site_id"]) if site else ()
    kept = [row for row in (await list_items(ctx, site["site_id"]) if site else ()) if row["menu"] == name]
    rows = [_kept_row(row) for row in kept] if typed is None else typed
    known = {str(row["page_id"]) for row in choices[:_CHOICES_MAX]}
    beyond = [  # the bin, and what stands behind the first five hundred
        (str(row["page_id"]), f"{row['title']} ({row['path']})")
        for row in kept
        if row["page_id"] and str(row["page_id"]) not in known
    ]
    data = {
        "name": name,
        "menus": [{"key": key, "href": f"/menus/{key}", "label": _(_TITLES[key])} for key in NAMES],
        "title": _(_TITLES[name]),
        "is_by_hand": bool(kept),
        "site_id": str(site["site_id"]) if site else "",
        "is_unsaved": is_unsaved,
        "rows": [*rows, ItemRow()][:ITEMS_MAX],
        "filled": len(rows),
        "errors": refused.fields if refused else {},
        "error_labels": {
            f"items[{n}].{field}": _("Item {n}", n=n + 1) for n in range(len(rows)) for field in _FIELDS
        },
        "options": [
            ("", _("No page")),
            *((str(row["page_id"]), _choice(row)) for row in choices[:_CHOICES_MAX]),
            *beyond,
        ],
        "may_write": may_write(ctx),
        "chars_max": LABEL_CHARS_MAX,
    }
    return Page("site/menu.html", data, title=_("Menus"), section="pages")


def _kept_row(row: Record) -> ItemRow:
    return ItemRow(
        page_id=str(row["page_id"] or ""),
        url=row["url"] or "",
        label=row["label"],
        is_below="true" if row["level"] else "",
    )


def _choice(row: Record) -> str:
    """Return a page as the list of choices names it; nobody sees a draft in a menu either."""
    named = f"{row['title']} ({row['path']})"
    return named if row["status"] == "published" else _("{page}, draft", page=named)


_MENU = {"menu": "menu"}
_ITEM = {"url": "https://sample.example/", "label": "Sample"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1);
# who has no site yet starts it (7).
ROUTES = (
    route("GET", "/api/menus", api_get_menus, title="Read the menus", permission="page.read", queries_max=4),
    route("PUT", "/api/menus/{menu}", api_set_menu, title="Put a menu together", permission="page.publish",
          body=MenuBody, effect="change", audit="menu.changed", params=_MENU, example={"items": [_ITEM]},
          queries_max=22),
    route("GET", "/menus/{menu}", menu_page, title="Menus", media="html", permission="page.read", params=_MENU,
          queries_max=5),
    route("POST", "/menus/{menu}", submit_menu, title="Put a menu together", media="html",
          permission="page.publish", body=MenuForm, idempotency="key", effect="change", audit="menu.changed",
          params=_MENU, example={"items": [_ITEM]}, queries_max=22),
)  # fmt: skip
