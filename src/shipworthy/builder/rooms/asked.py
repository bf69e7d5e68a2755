"""What is asked for of a new room, held against what cannot be: names that are taken, fields that contradict."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from shipworthy.builder.rooms.names import (
    CODE_WORDS,
    LABEL_RULE,
    NAME_CHARS_MAX,
    SQL_WORDS,
    is_label,
    is_name,
    singular,
    words_of,
)
from shipworthy.builder.spec import SpecRefused
from shipworthy.contract.lines import line_of
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.room_spec import FieldSection, RoomSection

_FIELDS_MAX = 30
_CHOICES_MAX = 50
_TEXT_CHARS_MAX = 5_000
_TITLE_CHARS_MIN = 100
_UNIQUE_CHARS_MIN = 12  # so long are the words that the examiner makes up
_INDEXED_CHARS_MAX = 500  # PostgreSQL's index rows hold 2,700 bytes, and a character may take four


@dataclass(frozen=True, kw_only=True)
class Target:
    """Rows that a reference may lead to, the column they are called by, and the order in which they are offered."""

    room: str
    table: str
    id: str
    name: str
    order: str
    index: str


CUSTOMERS = Target(
    room="invoicing",
    table="customer",
    id="customer_id",
    name="name",
    order="name_folded, customer_id",
    index="customer_tenant_name_idx",
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field, with every word about it."""

    name: str
    label: str
    section: FieldSection
    target: Target | None = None

    @property
    def kind(self) -> str:
        return self.section.kind

    @property
    def is_needed(self) -> bool:
        return self.section.required

    @property
    def column(self) -> str:
        """The column it is kept in: an amount in minor units, a reference by its id."""
        return {"money": f"{self.name}_minor", "reference": f"{self.name}_id"}.get(self.kind, self.name)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A room that can be written: `table` is its table, and what one entry is called in code."""

    name: str
    label: str
    table: str
    icon: str
    section: RoomSection
    fields: tuple[Field, ...]

    @property
    def title(self) -> Field:
        """The field an entry is called by: the first text that is required."""
        return next(f for f in self.fields if f.kind == "text" and f.is_needed)

    @property
    def one_label(self) -> str:
        return words_of(self.table)

    @property
    def newest_by(self) -> str:
        """The column that the list goes by."""
        return self.section.newest_by or "created_at"

    def of(self, *kinds: str) -> list[Field]:
        return [field for field in self.fields if field.kind in kinds]

    @property
    def unique(self) -> list[Field]:
        return [field for field in self.fields if field.section.unique]

    @property
    def stands_on(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(f.target.room for f in self.fields if f.target))


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What is there already: rooms and which of them the app has, tables, first parts of addresses with who answers."""

    rooms: frozenset[str]
    in_app: frozenset[str]
    tables: frozenset[str]
    addresses: Mapping[str, str]
    icons: frozenset[str]


def ask(
    name: str, section: RoomSection | None, *, taken: Taken, others: Mapping[str, RoomSection], text: str
) -> Asked:
    """Return the room to write. `text` is that of app.toml, for the lines that refusals name.

    Errors:  SpecRefused saying what is wrong, where, and what would be right.
    """
    refuse = _Refusing(name, text)
    _check_name(name, taken, refuse)
    if section is None:
        refuse("", f"app.toml says nothing of [room.{name}.fields]; write the fields there, or give --field")
    table = section.one or singular(name)
    _check_word(table, "one", refuse)
    if table in taken.tables or table in SQL_WORDS:
        why = "a word of SQL" if table in SQL_WORDS else "a table of this app"
        refuse("one", f'{table!r} is {why}; say what an entry is called: one = "{table}_entry"')
    if section.icon not in taken.icons:
        refuse("icon", f"there is no icon {section.icon!r}; known: {', '.join(sorted(taken.icons))}")
    for word in (section.label, section.german, section.german_one):
        if word and not is_label(word):
            refuse("", f"{word!r}: {LABEL_RULE}")
    if not section.fields:
        refuse(
            "fields",
            f'[room.{name}.fields] names no field; write one: title = {{ kind = "text", required = true }}',
        )
    if len(section.fields) > _FIELDS_MAX:
        refuse("fields", f"a room has at most {_FIELDS_MAX} fields, not {len(section.fields)}")
    fields = tuple(_field(key, said, others, taken, refuse) for key, said in section.fields.items())
    title = next((f for f in fields if f.kind == "text" and f.is_needed), None)
    if title is None:
        refuse("fields", "one field must be a text that is required: entries are called by it in lists")
    if not _TITLE_CHARS_MIN <= title.section.chars_max <= _INDEXED_CHARS_MAX:
        bounds = f"{_TITLE_CHARS_MIN} to {_INDEXED_CHARS_MAX}"
        why = f"{title.name}: entries are called by it, so its chars_max must be {bounds}"
        refuse(f"fields.{title.name}.chars_max", why)
    _check_columns(fields, table, refuse)
    newest = next((f for f in fields if f.name == section.newest_by), None)
    if section.newest_by and (newest is None or newest.kind != "date" or not newest.is_needed):
        refuse("newest_by", f"newest_by must name a date field that is required, not {section.newest_by!r}")
    return Asked(
        name=name,
        label=section.label or words_of(name),
        table=table,
        icon=section.icon,
        section=section,
        fields=fields,
    )


class _Refusing:
    """Raises SpecRefused with the line of app.toml where it is written."""

    def __init__(self, room: str, text: str) -> None:
        self._room, self._text = room, text

    def __call__(self, place: str, why: str) -> NoReturn:
        line = line_of(self._text, ("room", self._room, *place.split(".")))
        raise SpecRefused(f"app.toml:{line}: {why}" if line else why)


def _check_name(name: str, taken: Taken, refuse: _Refusing) -> None:
    if name in taken.rooms:
        refuse("", f"there is a room {name!r} already; choose another name")
    _check_word(name, "", refuse)
    if name in taken.addresses:
        refuse("", f"the address /{name} is one of the room {taken.addresses[name]!r}; choose another name")


def _check_word(word: str, place: str, refuse: _Refusing) -> None:
    if not is_name(word):
        refuse(
            place,
            f"the name {word!r} must be lower-case letters, digits and single underscores, a letter first, "
            f"at most {NAME_CHARS_MAX}",
        )
    if keyword.iskeyword(word) or keyword.issoftkeyword(word):
        refuse(place, f"{word!r} is a word of Python; choose another name")


def _field(
    name: str, said: FieldSection, others: Mapping[str, RoomSection], taken: Taken, refuse: _Refusing
) -> Field:
    place = f"fields.{name}"
    _check_word(name, place, refuse)
    if name in SQL_WORDS | CODE_WORDS:
        refuse(
            place, f"{name!r} is a word of SQL or of the code; call the field otherwise, such as {name}_of_it"
        )
    _check_options(name, said, refuse)
    target = None
    if said.kind == "reference":
        target = _target(said.to, others, taken)
        if target is None:
            known = [
                *(["customers"] if "invoicing" in taken.in_app else []),
                *(r for r in others if r in taken.in_app),
            ]
            refuse(
                f"{place}.to",
                f"{name}: there is no {said.to!r} to refer to; known: {', '.join(known) or 'none'}",
            )
    return Field(name=name, label=said.label or words_of(name), section=said, target=target)


def _check_options(name: str, said: FieldSection, refuse: _Refusing) -> None:
    """Refuse what says nothing about a field of this kind: it would be read, and do nothing."""
    place = f"fields.{name}"
    if said.unique and said.kind != "text":
        refuse(
            f"{place}.unique", f"{name}: only a text can be unique; write a number that must be so as text"
        )
    if said.unique and not _UNIQUE_CHARS_MIN <= said.chars_max <= _INDEXED_CHARS_MAX:
        bounds = f"{_UNIQUE_CHARS_MIN} to {_INDEXED_CHARS_MAX}"
        refuse(f"{place}.chars_max", f"{name}: the chars_max of what is unique must be {bounds}")
    if said.kind == "choice" and not 2 <= len(set(said.choices)) <= _CHOICES_MAX:
        refuse(f"{place}.choices", f"{name}: a choice needs 2 to {_CHOICES_MAX} different words in choices")
    if said.kind == "choice" and not all(c and is_label(c) for c in said.choices):
        refuse(f"{place}.choices", f"{name}: of its choices, too: {LABEL_RULE}")
    if said.kind != "choice" and said.choices:
        refuse(f"{place}.choices", f'{name}: choices belong to kind = "choice"')
    if said.kind == "money" and said.currency not in CURRENCIES:
        refuse(
            f"{place}.currency", f"{name}: there is no currency {said.currency!r}; write a code such as EUR"
        )
    if said.kind != "reference" and said.to:
        refuse(f"{place}.to", f'{name}: to belongs to kind = "reference"')
    if not 1 <= said.chars_max <= _TEXT_CHARS_MAX:
        refuse(f"{place}.chars_max", f"{name}: chars_max must be 1 to {_TEXT_CHARS_MAX}")
    for word in (said.label, said.german):
        if word and not is_label(word):
            refuse(place, f"{name}: {LABEL_RULE}")


def _target(to: str, others: Mapping[str, RoomSection], taken: Taken) -> Target | None:
    if to == "customers" and "invoicing" in taken.in_app:
        return CUSTOMERS
    other = others.get(to)
    if other is None or to not in taken.in_app:
        return None
    table = other.one or singular(to)
    title = next((key for key, said in other.fields.items() if said.kind == "text" and said.required), None)
    newest = other.newest_by or "created_at"
    return (
        Target(
            room=to,
            table=table,
            id=f"{table}_id",
            name=title,
            order=f"{newest} desc, {table}_id desc",
            index=f"{table}_tenant_{newest}_idx",
        )
        if title
        else None
    )


def _check_columns(fields: tuple[Field, ...], table: str, refuse: _Refusing) -> None:
    columns = [field.column for field in fields] + [
        field.name for field in fields if field.column != field.name
    ]
    for field in fields:
        if columns.count(field.column) > 1 or field.column == f"{table}_id" or field.name == f"{table}_id":
            refuse(
                f"fields.{field.name}",
                f"{field.name}: another field is kept in the column {field.column!r}; rename one",
            )
