"""The editor's form: blocks as flat text fields, there and back.

A block is a row of fields: `key` says which block it is (`id:type:version`), the others are its data; what lies
deeper has dots in its name (`cards.0.title`). A browser without script sends them as `blocks-3-cards.0.title`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shipworthy.kernel.http.binding import Body
from shipworthy.rooms.site.blocks.block import Field
from shipworthy.rooms.site.blocks.registry import BY_NAME
from shipworthy.rooms.site.blocks.stored import Stored
from shipworthy.rooms.site.markup import BODY_CHARS_MAX
from shipworthy.rooms.site.versions import VersionNeeded
from shipworthy.rooms.site.write import PageText

ANY_VERSION = "*"  # as in If-Match: whatever stands there now
TAKE = "take"  # the field of a block that says: take theirs
Text = Annotated[str, Meta(max_length=2 * BODY_CHARS_MAX)]  # the capability says what is too long, by field
BlockRow = dict[str, str]


class PageForm(Body):
    """The editor: everything is text, so that a refused form shows what was typed.

    `path_seen` is the address the form was made with: one that nobody touched follows the page wherever it went.
    `site` is the one a new page was begun on.
    `do` is what a button does to the blocks beside saving them; `new_type` the type of a block it puts in.
    """

    title: Text = ""
    path: Text = ""
    path_seen: Text = ""
    description: Text = ""
    body: Text = ""
    in_menu: Text = ""
    version: Text = ""
    has_blocks: Text = ""
    blocks: list[BlockRow] = msgspec.field(default_factory=list)
    do: Text = ""
    new_type: Text = ""
    site: Text = ""

    def text(self, blocks: Sequence[Stored] | None = None) -> PageText:
        """Return what the page says; with these blocks where there are some."""
        return PageText(
            title=self.title,
            path="" if self.path_seen and self.path == self.path_seen else self.path,
            description=self.description,
            body="" if self.has_blocks else self.body,
            blocks=self.stored() if blocks is None else blocks,
            in_menu=bool(self.in_menu),
        )

    def stored(self) -> list[Stored] | None:
        """Return the blocks of the form as they would be kept, not yet checked; None for a form without."""
        return [block_of(row) for row in self.blocks] if self.has_blocks else None

    def taken(self) -> set[str]:
        """Return the ids of blocks for which somebody chose the other person's text."""
        return {row.get("key", "").partition(":")[0] for row in self.blocks if row.get(TAKE)}

    def version_seen(self) -> int | None:
        """Return the version the form was made from; None for `*`, any. Errors: VersionNeeded."""
        if self.version == ANY_VERSION:
            return None
        if not (self.version.isascii() and self.version.isdigit() and len(self.version) < 10):
            raise VersionNeeded()
        return int(self.version)


def block_of(row: Mapping[str, str]) -> Stored:
    """Return the block a row of the form is about. What cannot be a block is left for the check to refuse."""
    name, _, rest = row.get("key", "").partition(":")
    type_, _, version = rest.partition(":")
    kind = BY_NAME.get(type_)
    data = _data(kind.fields, row) if kind else {}
    is_number = version.isascii() and version.isdigit() and len(version) < 10
    return {"id": name, "type": type_, "v": int(version) if is_number else -1, "data": data}


def _data(fields: Sequence[Field], row: Mapping[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for field in fields:
        if field.kind == "rows":
            data[field.name] = [_data(field.fields, inner) for inner in _rows(field.name, row)]
        elif field.kind == "check":
            data[field.name] = bool(row.get(field.name))
        elif field.name in row or field.kind != "choice":
            data[field.name] = row.get(field.name, "")
    return data


def _rows(name: str, row: Mapping[str, str]) -> list[dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for key, value in row.items():
        first, _, rest = key.partition(".")
        number, _, inner = rest.partition(".")
        if first == name and inner and number.isascii() and number.isdigit() and len(number) <= 4:
            found.setdefault(int(number), {})[inner] = value
    return [inner for _, inner in sorted(found.items())]
