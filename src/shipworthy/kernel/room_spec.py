"""What `app.toml` says of a room of the app's own: `shipworthy add room NAME` writes the room from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FieldKind = Literal["text", "integer", "money", "date", "time", "choice", "reference"]


@dataclass(frozen=True, kw_only=True)
class FieldSection:
    """[room.NAME.fields.FIELD]: one thing that is written down of each entry."""

    kind: FieldKind
    required: bool = False
    unique: bool = False  # of "text": no two entries of a tenant have the same
    personal: bool = False  # it is about a person: logs and traces never show it
    label: str = ""  # as people read it; empty: made of the name
    german: str = ""  # the label in German; empty: it stays as it is
    chars_max: int = 200  # of "text"; beyond 200 it is a box of several lines
    currency: str = "EUR"  # of "money"
    choices: tuple[str, ...] = ()  # of "choice": the words to choose from
    to: str = ""  # of "reference": the room it leads to, or "customers" of invoicing


@dataclass(frozen=True, kw_only=True)
class RoomSection:
    """[room.NAME]: a room of the app's own. Its code in rooms/NAME is yours: a later change of this changes nothing there."""

    fields: dict[str, FieldSection] = field(default_factory=dict)
    label: str = ""  # of the list, "Bookings"; empty: made of the name
    one: str = ""  # what an entry is called in code and addresses, "booking"; empty: made of the name
    german: str = ""  # the label in German
    german_one: str = ""  # an entry in German, "Buchung"
    icon: str = "files"  # in the navigation
    newest_by: str = ""  # the required date field that the list goes by; empty: when an entry was written
