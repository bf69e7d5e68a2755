"""HTTP for people: the pages as a tree, moved by buttons, by keys or by hand. Every move can be taken back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from msgspec import Meta

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Missing, Refusal
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.language import _
from shipworthy.kernel.route import route
from shipworthy.rooms.site.addresses import HOME, PATH_CHARS_MAX
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.cursors import closed, opened
from shipworthy.rooms.site.permissions import may_write
from shipworthy.rooms.site.shown import status_of
from shipworthy.rooms.site.sites.chosen import site_of
from shipworthy.rooms.site.tree.api import DRAFT, OrderBody, TreeQuery
from shipworthy.rooms.site.tree.move import TOP
from shipworthy.rooms.site.tree.order import Moved, Place, order_page, place_page
from shipworthy.rooms.site.tree.rows import Row, Tree, read_tree
from shipworthy.rooms.site.write import get_page

_CHOICES_MAX = 500  # page_choices says the same
_TREE = "/pages/tree"
Id = Annotated[str, Meta(max_length=40)]  # a form sends nothing for none


class ShownTree(TreeQuery):
    """`undo` is the place a page was just moved away from, as `_undo` writes it; `moved` is that page."""

    moved: uuid.UUID | None = None
    undo: Annotated[str, Meta(max_length=2 * PATH_CHARS_MAX + 200)] = ""


class PlaceForm(Body):
    """`under` is the part of the tree to come back to."""

    parent_id: Id = ""
    before: Id = ""
    rest: Annotated[str, Meta(max_length=2 * PATH_CHARS_MAX)] = ""
    under: Id = ""

    def place(self) -> Place:
        """Errors: Missing."""
        return Place(parent_id=_id(self.parent_id), before=_id(self.before), rest=self.rest)


class OrderForm(OrderBody):
    under: Id = ""


async def tree_page(ctx: Ctx, query: ShownTree) -> Page:
    return await _tree(ctx, query)


async def submit_order(ctx: Ctx, page_id: uuid.UUID, form: OrderForm) -> Redirect:
    under = _id(form.under)
    try:
        moved = await order_page(ctx, page_id, form.way)
    except Refusal as refused:
        raise refused.shown_on(await _tree(ctx, ShownTree(under=under), refused)) from None
    return Redirect(_after(moved, under=under))


async def place_page_page(ctx: Ctx, page_id: uuid.UUID) -> Page:
    page = await get_page(ctx, page_id)
    parent = "" if page["parent_id"] == TOP else str(page["parent_id"])
    return await _place_form(ctx, page, PlaceForm(parent_id=parent))


async def submit_place(ctx: Ctx, page_id: uuid.UUID, form: PlaceForm) -> Redirect:
    place = form.place()
    try:
        moved = await place_page(ctx, page_id, place)
    except Refusal as refused:
        page = await get_page(ctx, page_id)
        raise refused.shown_on(await _place_form(ctx, page, form, refused)) from None
    return Redirect(_after(moved, under=_id(form.under)))


async def _tree(ctx: Ctx, query: ShownTree, refused: Refusal | None = None) -> Page:
    site = await site_of(ctx)
    tree = Tree(rows=(), line=(), next_cursor=None)
    if site is not None:
        tree = await read_tree(ctx, site["site_id"], under=query.under, cursor=query.cursor)
    under = str(query.under or "")
    moved = await ctx.db.maybe(q.page_get, page_id=query.moved) if query.moved else None
    data = {
        "rows": [_row(row, is_top=query.under is None) for row in tree.rows],
        "crumbs": _crumbs(tree.line),
        "title": tree.line[-1]["title"] if tree.line else _("Page tree"),
        "under": under,
        "next": f"{_TREE}?{urlencode({'under': under, 'cursor': tree.next_cursor})}"
        if tree.next_cursor
        else "",
        "first": f"{_TREE}?{urlencode({'under': under})}" if query.cursor else "",
        "moved": {"page_id": moved["page_id"], "title": moved["title"], "path": moved["path"]}
        if moved
        else None,
        "undo": opened(query.undo, _undone) if query.undo and moved else None,
        "refusal": refused.message if refused else "",
        "may_write": may_write(ctx),
        "marked": str(query.moved or ""),
    }
    return Page("site/tree.html", data, title=_("Page tree"), section="pages")


def _row(row: Row, *, is_top: bool) -> dict[str, Any]:
    page = row.page
    return {
        "page_id": str(page["page_id"]),
        "parent_id": "" if page["parent_id"] == TOP else str(page["parent_id"]),
        "behind": str(row.behind or ""),
        "title": page["title"],
        "path": page["path"],
        "badge": status_of(page),
        "depth": row.depth,
        "is_first": row.is_first,
        "is_last": row.behind is None,
        "is_home": page["path"] == HOME,
        "above": row.above["title"] if row.above else "",
        "may_leave": page["parent_id"] != TOP,
        "has_more": row.has_more,
    }


def _crumbs(line: Sequence[Record]) -> list[dict[str, str]]:
    pages = [{"href": f"{_TREE}?under={page['page_id']}", "label": page["title"]} for page in line]
    return [{"href": _TREE, "label": _("Page tree")}, *pages] if pages else []


def _after(moved: Moved, *, under: uuid.UUID | None) -> str:
    """Return the tree's address after a move: at the page, with the way back."""
    page_id, was = moved.page["page_id"], moved.was
    undo = closed(f"{was.parent_id or ''} {was.before or ''} {was.rest}")
    shown = {"under": str(under)} if under else {}
    return f"{_TREE}?{urlencode({**shown, 'moved': str(page_id), 'undo': undo})}#page-{page_id}"


def _undone(text: str) -> dict[str, str]:
    parent_id, before, rest = text.split(" ", 2)
    return {"parent_id": parent_id, "before": before, "rest": rest}


async def _place_form(ctx: Ctx, page: Record, form: PlaceForm, refused: Refusal | None = None) -> Page:
    choices = await ctx.db.all(q.page_choices, site_id=page["site_id"])
    below = f"{page['path']}/"
    parents = [
        (str(row["page_id"]), f"{row['title']} ({row['path']})")
        for row in choices[:_CHOICES_MAX]
        if row["path"] not in (HOME, page["path"]) and not row["path"].startswith(below)
    ]
    data = {
        "form": form,
        "errors": refused.fields if refused else {},
        "refusal": refused.message if refused and not refused.fields else "",
        "parents": [("", _("At the top")), *parents],
        "is_cut": len(choices) > _CHOICES_MAX,
        "action": f"/pages/{page['page_id']}/place",
        "back": _TREE,
        "moving": {"title": page["title"], "path": page["path"], "status": page["status"]},
        "chars_max": PATH_CHARS_MAX,
    }
    title = _("Move “{title}”", title=page["title"])
    return Page("site/page_place.html", data, title=title, section="pages")


def _id(text: str) -> uuid.UUID | None:
    """Return the id a form sends. Errors: Missing."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise Missing() from None


_ONE = {"page_id": "page_id"}

# queries_max counts the session's look-up and touch (2), the key's claim and finish (2) and the audit row (1).
ROUTES = (
    route("GET", _TREE, tree_page, title="The pages as a tree", media="html", permission="page.read",
          query=ShownTree, queries_max=8),
    route("POST", "/pages/{page_id}/order", submit_order, title="Move a page one step in the tree", media="html",
          permission="page.publish", body=OrderForm, idempotency="key", effect="change", audit="page.moved",
          params=DRAFT, example={"way": "up"}, queries_max=30),
    route("GET", "/pages/{page_id}/place", place_page_page, title="Put a page elsewhere in the tree", media="html",
          permission="page.publish", params=_ONE, queries_max=4),
    route("POST", "/pages/{page_id}/place", submit_place, title="Put a page elsewhere in the tree", media="html",
          permission="page.publish", body=PlaceForm, idempotency="key", effect="change", audit="page.moved",
          params=DRAFT, example={"rest": "sample-place-{mark}"}, queries_max=30),
)  # fmt: skip
