"""What stands in a saved website, line by line. One shape for writing and reading, so that neither forgets what the other
knows. Pure.

`site.json` says what the archive is; `pages.jsonl`, `redirects.jsonl`, `menus.jsonl` and `pictures.jsonl` hold a thing in
each line; the pictures themselves are beside them.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

FORMAT, VERSION = "shipworthy-site", 1
SITE, PAGES, REDIRECTS, PICTURES = "site.json", "pages.jsonl", "redirects.jsonl", "pictures.jsonl"
MENUS = "menus.jsonl"

Line = Annotated[str, Meta(max_length=400)]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class SiteLine(msgspec.Struct, kw_only=True):
    """What an archive is, and what holds for the whole site."""

    format: str
    version: int
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    tagline: Annotated[str, Meta(max_length=200)]
    theme: Line
    accent: Line
    crawlers: Line
    locale: Annotated[str, Meta(max_length=10)] = ""  # empty: the app's
    domains: Annotated[list[Line], Meta(max_length=50)] = msgspec.field(default_factory=list)


class VersionLine(msgspec.Struct, kw_only=True):
    """What a page said once."""

    version: Number
    title: Annotated[str, Meta(max_length=200)]
    description: Line
    blocks: list[Any]
    in_menu: bool
    author_name: Line
    is_autosave: bool
    created_at: datetime


class PageLine(msgspec.Struct, kw_only=True):
    """A page with its versions, the oldest first."""

    page_id: uuid.UUID
    path: Line
    status: Literal["published", "draft"]
    version: Number
    published_version: Number | None
    position: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    published_at: datetime | None
    content_changed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    publish_at: datetime | None
    publish_version: Number | None
    unpublish_at: datetime | None
    versions: Annotated[list[VersionLine], Meta(min_length=1, max_length=30)]


class RedirectLine(msgspec.Struct, kw_only=True):
    """Where an address leads that shows no page."""

    from_path: Line
    to_page_id: uuid.UUID | None
    to_url: Annotated[str, Meta(max_length=2_000)] | None
    status: Literal[301, 302, 307, 308, 410]
    origin: Literal["moved", "deleted", "manual", "import"]


class MenuLine(msgspec.Struct, kw_only=True):
    """One item of a menu that was put together by hand, in its order; it `is_below` the nearest before it that is not."""

    menu: Literal["main", "footer"]
    page_id: uuid.UUID | None
    url: Annotated[str, Meta(max_length=2_000)]
    label: Annotated[str, Meta(max_length=60)]
    is_below: bool


class PictureLine(msgspec.Struct, kw_only=True):
    """A picture; its file is `file_of` it."""

    asset_id: uuid.UUID
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    alt: Annotated[str, Meta(max_length=300)]
    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
    slug: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,60}$")]
    sent_sha256: Hex
    media_type: Literal["image/jpeg", "image/png", "image/webp"]
    width: Annotated[int, Meta(ge=1, le=2560)]
    height: Annotated[int, Meta(ge=1, le=2560)]
    created_at: datetime
    is_private: bool = False

    @property
    def file(self) -> str:
        return f"pictures/{self.key}-{self.slug}.{self.media_type.removeprefix('image/')}"
