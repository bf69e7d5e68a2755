"""The pages of a new room: cells of its list, controls of its form, and what is said in German."""

from __future__ import annotations

from shipworthy.builder.rooms.asked import CUSTOMERS, Asked, Field
from shipworthy.builder.rooms.code import example, indented, text_of

_SHOWN_MAX = 4  # fields in the list; the form shows all
_LINES_FROM = 200  # characters from which on a text is written in a box of several lines


def listed(room: Asked) -> list[Field]:
    """Return the fields that the list shows, the name of an entry first."""
    others = [f for f in room.fields if f is not room.title and not _is_long(f)]
    return [room.title, *others][:_SHOWN_MAX]


def _is_long(field: Field) -> bool:
    return field.kind == "text" and field.section.chars_max > _LINES_FROM


def screens(room: Asked) -> dict[str, str]:
    """Return the parts of screens.py."""
    one, refs, choices = room.table, room.of("reference"), room.of("choice")
    shown = {field.kind for field in listed(room)}
    words = [
        "_",
        *(["day_text"] if "date" in shown else []),
        *(["spoken"] if shown & {"money", "integer"} else []),
    ]
    kernel = [f"from shipworthy.kernel.language import {', '.join(words)}"]
    formats = [
        *(["format_amount"] if "money" in shown else []),
        *(["format_decimal"] if "integer" in shown else []),
    ]
    if formats:
        kernel.append(f"from shipworthy.kernel.money.format import {', '.join(formats)}")
    names = [f"{f.name.upper()}_CHOICES" for f in choices]
    own = [f"from rooms.{room.name}.entries import create_{one}, delete_{one}, edit_{one}, get_{one}"]
    if refs:
        own.insert(0, f"from rooms.{room.name}.catalogue import q")
        kernel.insert(0, "from shipworthy.kernel.db.queries import NamedQuery")
    if names:
        own.append(f"from rooms.{room.name}.reading import {', '.join(names)}")
    typed = example(room, is_form=True)
    is_same = typed == example(room, is_form=False)
    decimal = ["from decimal import Decimal"] if "integer" in shown else []
    helpers = ""
    if refs:
        helpers = _OFFERED
    return {
        "screens_imports": "\n".join([*decimal, "from typing import Any"]),
        "kernel_imports": "\n".join(sorted(kernel)),
        "own_imports": "\n".join(own),
        "labels": indented([f'"{f.name}": _({text_of(f.label)}),' for f in room.fields], 12),
        "choices": indented([line for f in room.fields for line in _choices(f, room)], 8),
        "row_texts": indented([f'"{f.name}": {_shown(f)},' for f in listed(room)], 8),
        "helpers": helpers,
        "example_import": f"from rooms.{room.name}.web import EXAMPLE\n" if is_same else "",
        "form_example": "EXAMPLE" if is_same else "{\n" + indented(typed, 12) + "\n        }",
    }


_OFFERED = '''

async def _offered(
    ctx: Ctx, query: NamedQuery, row: Mapping[str, Any] | None, name: str, *, is_needed: bool
) -> list[list[str]]:
    """Return what may be chosen; of many the first 200, and always the one that is chosen already."""
    offered = {str(each["id"]): each["name"] for each in await ctx.db.all(query)}
    if row is not None and row[f"{name}_id"] is not None:
        offered.setdefault(str(row[f"{name}_id"]), row[f"{name}_name"])
    nothing: list[list[str]] = [] if is_needed else [["", _("None")]]
    return [*nothing, *([key, called] for key, called in offered.items())]
'''


def _choices(field: Field, room: Asked) -> list[str]:
    name = f"{field.name}_choices"
    if field.kind == "reference":
        query = f"q.{room.table}_{field.name}_choices"
        return [f'"{name}": await _offered(ctx, {query}, row, "{field.name}", is_needed={field.is_needed}),']
    if field.kind == "choice":
        nothing = "" if field.is_needed else '["", _("None")], '
        return [f'"{name}": [{nothing}*([each, _(each)] for each in {field.name.upper()}_CHOICES)],']
    return []


def _shown(field: Field) -> str:
    row = f'row["{field.column}"]'
    if field.kind == "money":
        text = f"format_amount({row}, currency={text_of(field.section.currency)}, locale=spoken())"
    else:
        text = {
            "integer": f"format_decimal(Decimal({row}), locale=spoken())",
            "date": f"day_text({row})",
            "time": f'{row}.strftime("%H:%M")',
            "choice": f"_({row})",
            "reference": f'row["{field.name}_name"]',
        }.get(field.kind, row)
    if field.is_needed:
        return text
    if field.kind in ("text", "reference"):
        return f"{text} or _NOTHING_YET"
    test = row if field.kind == "choice" else f"{row} is not None"
    return f"{text} if {test} else _NOTHING_YET"


def list_page(room: Asked) -> dict[str, str]:
    """Return the parts of the list's template."""
    columns, cells = [], []
    places = iter(("sub", "end", "pair"))
    for field in listed(room):
        label = f"_({text_of(field.label)})"
        is_number = field.kind in ("money", "integer")
        columns.append(f'{{"label": {label}, "align": "end"}}' if is_number else label)
        align = ', align="end"' if is_number else ""
        if field is room.title:
            cells.append(
                f'{{{{ ui.cell({label}, r.{field.name}, phone="title", strong=true, href=r.href if may_write else "") }}}}'
            )
        else:
            cells.append(f'{{{{ ui.cell({label}, r.{field.name}, phone="{next(places)}"{align}) }}}}')
    return {"columns": ", ".join(columns), "cells": "\n".join(cells)}


def form_page(room: Asked) -> dict[str, str]:
    """Return the parts of the form's template."""
    return {"controls": "\n".join(_control(field) for field in room.fields)}


def _control(field: Field) -> str:  # noqa: PLR0911 - one answer a kind
    name, said = field.name, field.section
    common = f'"{name}", _({text_of(field.label)})'
    state = f"value=form.{name}, error=errors.{name}"
    needed = f"required={'true' if field.is_needed else 'false'}"
    if _is_long(field):
        return f'{{{{ ui.textarea({common}, {state}, {needed}, attrs={{"maxlength": {said.chars_max}}}) }}}}'
    if field.kind == "text":
        return f'{{{{ ui.field({common}, {state}, {needed}, attrs={{"autocomplete": "off", "maxlength": {said.chars_max}}}) }}}}'
    if field.kind == "integer":
        return f'{{{{ ui.field({common}, {state}, {needed}, width="short", attrs={{"inputmode": "numeric", "autocomplete": "off"}}) }}}}'
    if field.kind == "money":
        return f'{{{{ ui.money_field({common}, "{said.currency}", {state}, {needed}, width="short") }}}}'
    if field.kind == "date":
        return f"{{{{ ui.date_field({common}, {state}, {needed}) }}}}"
    if field.kind == "time":
        return f'{{{{ ui.field({common}, {state}, type="time", {needed}, width="short") }}}}'
    return f'{{{{ ui.select({common}, {name}_choices, {state}, {needed}, width="medium") }}}}'


def steps(room: Asked) -> str:
    """Return the steps of the flow that writes an entry in a browser."""
    lines = [_step(field, room) for field in room.fields if field.is_needed and field.kind != "reference"]
    return indented([line for line in lines if line], 12)


def _step(field: Field, room: Asked) -> str:
    what = text_of(field.label)
    if field.kind == "choice":
        return f'FlowStep(do="choose", what={what}, value={text_of(field.section.choices[0])}),'
    if field is room.title:
        value = f"{room.title.label} {{mark}}"
    elif field.kind == "text":
        value = "{mark}"
    else:
        value = {"integer": "3", "money": "12", "date": "2027-01-31", "time": "14:30"}[field.kind]
    return f'FlowStep(do="fill", what={what}, value={text_of(value)}),'


def seeded(room: Asked) -> dict[str, str]:
    """Return the parts of seed.py."""
    days, refs, choices = room.of("date"), room.of("reference"), room.of("choice")
    names = [f"{f.name.upper()}_CHOICES" for f in choices]
    own = [f"from rooms.{room.name}.catalogue import q"] if refs else []
    own += [f"from rooms.{room.name}.reading import {', '.join(names)}"] if names else []
    before = []
    for field in refs:
        rows = f"{field.name}_rows"
        before.append(f"{rows} = await ctx.db.all(q.{room.table}_{field.name}_choices)")
        if field.is_needed:
            before += [f"if not {rows}:", "    return"]
    if refs:
        before.append("# The oldest ones: those that an example deletes are the newest.")
    values = [f"{f.name}={_seed(f, room)}," for f in room.fields]
    return {
        "imports": "from datetime import timedelta\n" if days else "",
        "own_imports": "\n".join([*own, ""]) if own else "",
        "before": indented(before, 4),
        "values": indented(values, 16),
    }


def _seed(field: Field, room: Asked) -> str:
    if field is room.title:
        return "name"
    if field.kind == "text":
        return f'f"{field.label} {{n}}"' if field.section.chars_max > len(field.label) + 2 else "str(n)"
    if field.kind == "choice":
        return f"{field.name.upper()}_CHOICES[n % len({field.name.upper()}_CHOICES)]"
    if field.kind == "reference":
        picked = f'str({field.name}_rows[-1 - n % len({field.name}_rows)]["id"])'
        return picked if field.is_needed else f'{picked} if {field.name}_rows else ""'
    return {
        "integer": "str(n)",
        "money": "str(n * 10)",
        "date": "(ctx.now().date() + timedelta(days=n)).isoformat()",
        "time": 'f"{8 + n:02}:30"',
    }[field.kind]


def tested(room: Asked) -> list[str]:
    """Return the lines of an entry that the room's test writes down."""
    lines = example(room, is_form=False)
    return [_tested(field, room) or line for field, line in zip(room.fields, lines, strict=True)]


def _tested(field: Field, room: Asked) -> str:
    if field is room.title:
        return f'"{field.name}": name,'
    if field.section.unique:
        return f'"{field.name}": uuid.uuid4().hex[:{field.section.chars_max}],'
    if field.target is None:
        return ""
    place = "customers" if field.target is CUSTOMERS else field.target.room
    found = f'app.signed_in("acme").get("/api/{place}").json["{place}"][-1]["{field.target.id}"]'
    return f'"{field.name}": {found},'


def words(room: Asked) -> dict[str, str]:
    """Return the room's words in German; what nobody translated is left empty, and stays English."""
    label, one = room.section.german, room.section.german_one
    pairs = {
        room.label: label,
        f"New {room.one_label.lower()}": f"{one} anlegen" if one else "",
        f"Edit {room.one_label.lower()}": f"{one} bearbeiten" if one else "",
        room.table.replace("_", " "): one,
        **{field.label: field.section.german for field in room.fields},
        **{choice: "" for field in room.of("choice") for choice in field.section.choices},
        **_SENTENCES,
    }
    return {
        "words": "\n".join(
            f"msgid {text_of(said)}\nmsgstr {text_of(german)}\n" for said, german in pairs.items()
        )
    }


_SENTENCES = {
    "{name} is written down.": "{name} ist eingetragen.",
    "{name} is saved.": "{name} ist gespeichert.",
    "The entry is deleted.": "Der Eintrag ist gelöscht.",
    "Newest first": "Neueste zuerst",
    "Nothing here yet": "Noch nichts da",
    "What you write down is listed here.": "Was Sie eintragen, steht hier.",
    "Delete": "Löschen",
    "Delete this entry?": "Diesen Eintrag löschen?",
    "It is gone then; nobody can bring it back.": "Er ist dann weg; niemand kann ihn zurückholen.",
    "Save": "Speichern",
    "Cancel": "Abbrechen",
    "None": "Keine Angabe",
    "Some fields need another value: {fields}.": "Einige Felder brauchen einen anderen Wert: {fields}.",
    "This must not be empty.": "Das darf nicht leer sein.",
    "At most {most} characters.": "Höchstens {most} Zeichen.",
    "Write a whole number.": "Schreiben Sie eine ganze Zahl.",
    "Write a date, like 2027-01-31.": "Schreiben Sie ein Datum wie 2027-01-31.",
    "Write a time of day, like 14:30.": "Schreiben Sie eine Uhrzeit wie 14:30.",
    "Choose one of the list.": "Wählen Sie etwas aus der Liste.",
    "Another entry has this already.": "Ein anderer Eintrag hat das schon.",
    "Something refers to this entry. Change that first, then delete this.": "Etwas bezieht sich auf diesen Eintrag. Ändern Sie zuerst das, dann löschen Sie diesen.",
    "Somebody else changed what this is about. Look, and try again.": "Jemand anders hat geändert, worum es geht. Sehen Sie nach und versuchen Sie es noch einmal.",
    "This cursor is none of ours; leave it out to start from the beginning.": "Diese Marke ist keine von uns; lassen Sie sie weg, um von vorn zu beginnen.",
    "This is not a cursor of this list.": "Das ist keine Marke dieser Liste.",
}
