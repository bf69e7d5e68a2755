"""What a file of a website holds, thing by thing, whatever program wrote it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["settings", "picture", "page", "redirect", "other"]
Status = Literal["published", "draft", ""]

# In this order they are taken in: a page needs its pictures, a redirect its page.
TURNS: dict[Kind, int] = {"settings": 0, "picture": 1, "page": 2, "redirect": 3, "other": 4}
_LAST = 4
ITEMS_MAX = 20_000
ITEM_BYTES_MAX = 4 * 1024 * 1024  # of one page's text with everything that is known of it

Note = list[str]  # a code of words.py, and what fills its text


@dataclass(slots=True, kw_only=True)
class Item:
    """One thing of a file. `source_id` names it there, `label` says what it is called there.

    `path` is the address it had, as it was written there; a redirect leads to the page `to` names by its source's id.
    `reason` is a code of words.py where it is left out.
    """

    kind: Kind
    source_id: str
    label: str
    title: str = ""
    path: str = ""
    to: str = ""
    status: Status = ""
    publish_at: datetime | None = None
    reason: str = ""
    notes: list[Note] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    is_last: bool = False  # it needs all the others

    @property
    def turn(self) -> int:
        return _LAST if self.is_last else TURNS[self.kind]

    def note(self, code: str, *facts: object) -> None:
        """Remember what people should know of it, once."""
        told = [code, *map(str, facts)]
        if told not in self.notes:
            self.notes.append(told)


class Unreadable(Exception):
    """A file cannot be taken in. `code` is one of words.py."""

    def __init__(self, code: str, *facts: object) -> None:
        super().__init__(code, *facts)
        self.note: Note = [code, *map(str, facts)]
