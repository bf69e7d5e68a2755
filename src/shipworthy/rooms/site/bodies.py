"""What the API takes and gives: the JSON of pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.settings import Settings
from shipworthy.rooms.site.addresses import PATH_CHARS_MAX, encoded
from shipworthy.rooms.site.blocks.stored import blocks_of
from shipworthy.rooms.site.listing import Slice
from shipworthy.rooms.site.markup import BODY_CHARS_MAX
from shipworthy.rooms.site.render import origin
from shipworthy.rooms.site.write import DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX, PageText


class PageBody(Body):
    """A page as its author writes it: blocks, or `body` for one text in Markdown. Without a path one is made from
    the title."""

    title: Annotated[str, Meta(min_length=1, max_length=TITLE_CHARS_MAX)]
    path: Annotated[str, Meta(max_length=PATH_CHARS_MAX)] = ""
    description: Annotated[str, Meta(max_length=DESCRIPTION_CHARS_MAX)] = ""
    body: Annotated[str, Meta(max_length=BODY_CHARS_MAX)] = ""
    blocks: list[dict[str, Any]] | None = None
    in_menu: bool = True

    def text(self) -> PageText:
        return PageText(
            title=self.title,
            path=self.path,
            description=self.description,
            body=self.body,
            blocks=self.blocks,
            in_menu=self.in_menu,
        )


class PageListQuery(msgspec.Struct):
    cursor: Annotated[str, Meta(max_length=200)] | None = None


def page_json(page: Record, url: str) -> dict[str, Any]:
    names = (
        "page_id", "path", "title", "description", "body", "in_menu", "status", "version", "published_version",
        "published_at", "content_changed_at", "updated_at",
    )  # fmt: skip
    return {**{name: page[name] for name in names}, "blocks": blocks_of(page), "url": url}


def pages_json(shown: Slice) -> dict[str, Any]:
    names = (
        "page_id",
        "path",
        "title",
        "status",
        "version",
        "published_version",
        "published_at",
        "updated_at",
    )
    return {
        "pages": [{name: row[name] for name in names} for row in shown.rows],
        "next_cursor": shown.next_cursor,
    }


def url_of(settings: Settings, site: Mapping[str, Any] | None, path: str) -> str:
    """Return a page's public address; nothing while the site has no host."""
    return origin(settings, site["host"]) + encoded(path) if site and site["host"] else ""
