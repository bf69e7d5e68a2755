"""The Python of a new room, field by field; what is the same in every room stands in the scaffold."""

from __future__ import annotations

import json

from shipworthy.builder.rooms.asked import Asked, Field

_TYPES = {
    "text": "str",
    "integer": "int",
    "money": "str",
    "date": "date",
    "time": "str",
    "choice": "str",
    "reference": "uuid.UUID",
}
_SHORT_CHARS_MAX = 64  # of an amount or a time of day


def text_of(words: str) -> str:
    """Return a text as Python writes it."""
    return json.dumps(words, ensure_ascii=False)


def indented(lines: list[str], by: int) -> str:
    """Return lines with so many spaces before each."""
    return "\n".join(" " * by + line for line in lines)


def bodies(room: Asked) -> dict[str, str]:
    """Return the parts of bodies.py."""
    ordered = sorted(room.fields, key=lambda field: not field.is_needed)
    imports = ["from collections.abc import Mapping"]
    if room.of("reference"):
        imports.insert(0, "import uuid")
    if room.of("date"):
        imports.append("from datetime import date")
    if room.of("money"):
        imports.append("from decimal import Decimal")
    literal = ", Literal" if room.of("choice") else ""
    imports += [f"from typing import Annotated, Any{literal}", "", "from msgspec import Meta, Struct", ""]
    imports += ["from shipworthy.kernel.http.binding import Body"]
    if room.of("money"):
        imports += ["from shipworthy.kernel.money.currencies import currency_of"]
    imports += [
        "",
        "Typed = Annotated[str, Meta(max_length=10_000)]  # what is longer is no slip of the hand",
    ]
    if room.of("integer"):
        imports += ["Integer = Annotated[int, Meta(ge=-2147483648, le=2147483647)]  # what the column holds"]
    helpers = []
    if room.of("integer", "date", "reference"):
        helpers += [
            "",
            "",
            "def _written(value: object) -> str:",
            '    return "" if value is None else str(value)',
        ]
    if room.of("money"):
        helpers += [
            "", "", "def amount_text(amount_minor: int | None, currency: str) -> str:",
            '    """Return an amount as programs write it: 1250 of EUR is `12.50`."""',
            "    if amount_minor is None:",
            '        return ""',
            "    return str(Decimal(amount_minor).scaleb(-currency_of(currency).exponent))",
        ]  # fmt: skip
    return {
        "imports": "\n".join(imports) + "\n",
        "body_fields": indented([_body_field(field) for field in ordered], 4),
        "form_fields": indented([f'{field.name}: Typed = ""' for field in room.fields], 4),
        "typed": indented([f"{f.name}={_typed(f)}," for f in room.fields], 8),
        "form_of": indented([f"{f.name}={_from_row(f)}," for f in room.fields], 8),
        "json_of": indented([line for f in room.fields for line in _json_lines(f)], 8),
        "helpers": "\n".join(helpers),
    }


def _body_field(field: Field) -> str:
    name, said = field.name, field.section
    if field.kind == "choice":
        words = ", ".join(text_of(c) for c in (*said.choices, *([] if field.is_needed else [""])))
        kind = f"Literal[{words}]"
    elif _TYPES[field.kind] == "str":
        kind = (
            f"Annotated[str, Meta(max_length={said.chars_max if field.kind == 'text' else _SHORT_CHARS_MAX})]"
        )
    else:
        kind = "Integer" if field.kind == "integer" else _TYPES[field.kind]
        return f"{name}: {kind}" if field.is_needed else f"{name}: {kind} | None = None"
    return f"{name}: {kind}" if field.is_needed else f'{name}: {kind} = ""'


def _typed(field: Field) -> str:
    is_text = _TYPES[field.kind] == "str"
    return f"body.{field.name}" if is_text else f"_written(body.{field.name})"


def _from_row(field: Field) -> str:
    return {
        "money": f"amount_text(row[{text_of(field.column)}], {text_of(field.section.currency)})",
        "time": f'row["{field.name}"].strftime("%H:%M")'
        + ("" if field.is_needed else f' if row["{field.name}"] else ""'),
        "text": f'row["{field.name}"]',
        "choice": f'row["{field.name}"]',
    }.get(field.kind, f'_written(row["{field.column}"])')


def _json_lines(field: Field) -> list[str]:
    name = text_of(field.name)
    if field.kind == "reference":
        return [f'{name}: row["{field.column}"],', f'"{field.name}_name": row["{field.name}_name"],']
    value = _from_row(field) if field.kind in ("money", "time") else f"row[{name}]"
    return [f"{name}: {value},"]


def reading(room: Asked) -> dict[str, str]:
    """Return the parts of reading.py: the readers that its fields need, and no others."""
    kinds = {field.kind for field in room.fields}
    imports = []
    if kinds & {"integer", "time"}:
        imports.append("import re")
    if "reference" in kinds:
        imports.append("import uuid")
    if days := [name for name, kind in (("date", "date"), ("time", "time")) if kind in kinds]:
        imports.append(f"from datetime import {', '.join(days)}")
    imports += ["from typing import Any", "", "from shipworthy.kernel.errors import Invalid"]
    imports += ["from shipworthy.kernel.language import _"]
    if "money" in kinds:
        imports += ["from shipworthy.kernel.money.parse import parse_minor"]
    imports += [f"from rooms.{room.name}.bodies import {camel(room.table)}Form"]
    if "choice" in kinds:
        imports += [
            "",
            *(
                f"{f.name.upper()}_CHOICES = ({', '.join(text_of(c) for c in f.section.choices)},)"
                for f in room.of("choice")
            ),
        ]
    return {
        "imports": "\n".join(imports),
        "reads": indented([f'"{f.column}": {_read(f)},' for f in room.fields], 8),
        "readers": "".join(_READERS[kind] for kind in _READERS if kind in kinds),
    }


def _read(field: Field) -> str:
    call = f'_{field.kind}(form.{field.name}, "{field.name}", wrong, '
    more = {
        "text": f"chars_max={field.section.chars_max}, ",
        "money": f"currency={text_of(field.section.currency)}, ",
        "choice": f"choices={field.name.upper()}_CHOICES, ",
    }.get(field.kind, "")
    return f"{call}{more}is_needed={field.is_needed})"


def camel(name: str) -> str:
    """Return a name as classes are called: `due_bill` is `DueBill`."""
    return "".join(part.capitalize() for part in name.split("_"))


_READERS = {
    "text": """

def _text(given: str, name: str, wrong: dict[str, str], *, chars_max: int, is_needed: bool) -> str:
    text = given.strip()
    if is_needed and not text:
        wrong[name] = _("This must not be empty.")
    elif len(text) > chars_max:
        wrong[name] = _("At most {most} characters.", most=chars_max)
    return text
""",
    "choice": """

def _choice(
    given: str, name: str, wrong: dict[str, str], *, choices: tuple[str, ...], is_needed: bool
) -> str:
    if given not in choices and (given or is_needed):
        wrong[name] = _("Choose one of the list.")
    return given
""",
    "integer": """

def _integer(given: str, name: str, wrong: dict[str, str], *, is_needed: bool) -> int | None:
    text = given.strip()
    if not text and not is_needed:
        return None
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or not -(2**31) <= int(text) < 2**31:
        wrong[name] = _("Write a whole number.")
        return None
    return int(text)
""",
    "money": """

def _money(given: str, name: str, wrong: dict[str, str], *, currency: str, is_needed: bool) -> int | None:
    if not given.strip() and not is_needed:
        return None
    try:
        return parse_minor(given, currency=currency, field=name)
    except Invalid as refusal:
        wrong[name] = refusal.message
        return None
""",
    "date": """

def _date(given: str, name: str, wrong: dict[str, str], *, is_needed: bool) -> date | None:
    if not given.strip() and not is_needed:
        return None
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        wrong[name] = _("Write a date, like 2027-01-31.")
        return None
""",
    "time": """

def _time(given: str, name: str, wrong: dict[str, str], *, is_needed: bool) -> time | None:
    if not given.strip() and not is_needed:
        return None
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", given.strip())
    if found is None:
        wrong[name] = _("Write a time of day, like 14:30.")
        return None
    return time(int(found[1]), int(found[2]))
""",
    "reference": """

def _reference(given: str, name: str, wrong: dict[str, str], *, is_needed: bool) -> uuid.UUID | None:
    if not given.strip() and not is_needed:
        return None
    try:
        return uuid.UUID(given.strip())
    except ValueError:
        wrong[name] = _("Choose one of the list.")
        return None
""",
}


def entries(room: Asked) -> dict[str, str]:
    """Return the parts of entries.py: what is checked against other rows, and what a race leaves to the database."""
    one, is_checked = room.table, bool(room.unique or room.of("reference"))
    races = [
        *(["ForeignKeyViolation"] if room.of("reference") else []),
        *(["UniqueViolation"] if room.unique else []),
    ]
    violations = sorted({"ForeignKeyViolation", *races})
    create = [f"await ctx.db.run(q.{one}_create, {one}_id={one}_id, now=ctx.now(), **values)"]
    edit = [f"edited = await ctx.db.maybe(q.{one}_edit, {one}_id={one}_id, **values)"]
    if races:
        caught = races[0] if len(races) == 1 else f"({', '.join(races)})"
        create, edit = (
            [
                "try:",
                *(f"    {line}" for line in each),
                f"except {caught} as raced:",
                "    raise _raced() from raced",
            ]
            for each in (create, edit)
        )
    edit += ["if edited is None:", f'    raise Missing(mark("{one.replace("_", " ")}"))']
    return {
        "violations": ", ".join(violations),
        "from_reading": f"read_{one}, refused" if is_checked else f"read_{one}",
        "or_conflict": "; Conflict when somebody was faster" if races else "",
        "checked": f"await _checked(ctx, form, {one}_id)" if is_checked else f"read_{one}(form)",
        "create": indented(create, 4),
        "edit": indented(edit, 4),
        "checks": _checks(room, bool(races)) if is_checked else "",
    }


def _checks(room: Asked, can_race: bool) -> str:
    one = room.table
    lines = [
        "",
        "",
        f"async def _checked(ctx: Ctx, form: {camel(one)}Form, {one}_id: uuid.UUID) -> dict[str, Any]:",
    ]
    lines += ['    """Return what is kept, held against other entries and against what it refers to."""']
    lines += [f"    values = read_{one}(form)", "    wrong: dict[str, str] = {}"]
    for field in room.unique:
        key, taken = f'values["{field.column}"]', f"q.{one}_{field.column}_taken"
        lines += [
            f"    if await ctx.db.maybe({taken}, {field.column}={key}, {one}_id={one}_id):",
            f'        wrong["{field.name}"] = _("Another entry has this already.")',
        ]
    for field in room.of("reference"):
        assert field.target is not None
        key, known = f'values["{field.column}"]', f"q.{one}_{field.name}_known"
        there = f"await ctx.db.maybe({known}, {field.target.id}={key})"
        lines += [
            f"    if not {there}:" if field.is_needed else f"    if {key} is not None and not {there}:",
            f'        wrong["{field.name}"] = _("Choose one of the list.")',
        ]
    lines += ["    if wrong:", "        raise refused(wrong)", "    return values"]
    if can_race:
        lines += [
            "", "", "def _raced() -> Conflict:",
            f'    return Conflict("{room.name}.{one}_raced", _("Somebody else changed what this is about. Look, and try again."))',
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def listing(room: Asked) -> dict[str, str]:
    """Return the parts of listing.py."""
    is_day = room.newest_by != "created_at"
    return {
        "newest_by": room.newest_by,
        "key_imports": "date" if is_day else "UTC, datetime",
        "key_type": "date" if is_day else "datetime",
        "key_max": "date.max" if is_day else "datetime.max.replace(tzinfo=UTC)",
        "key_parse": "date.fromisoformat(key)" if is_day else "datetime.fromisoformat(key).astimezone(UTC)",
    }


def example(room: Asked, *, is_form: bool) -> list[str]:
    """Return the lines of a request that succeeds: what must be unique or is found in the data is a sample."""
    return [f'"{f.name}": {_example(f, room, is_form=is_form)},' for f in room.fields]


def _example(field: Field, room: Asked, *, is_form: bool) -> str:
    if field.section.unique:
        return text_of("{mark}")  # no two entries have the same, so the examiner makes each up
    if field.kind == "reference":
        return text_of(f"${sample_of(room, field)}")
    if field.kind == "integer":
        return '"3"' if is_form else "3"
    if field.kind == "choice":
        return text_of(field.section.choices[0])
    if field.kind == "money":
        from shipworthy.kernel.money.currencies import currency_of

        return '"12.50"' if currency_of(field.section.currency).exponent >= 2 else '"12"'
    return {
        "text": text_of(f"{field.label} of a sample"[: field.section.chars_max]),
        "date": '"2027-01-31"',
        "time": '"14:30"',
    }[field.kind]


def sample_of(room: Asked, field: Field) -> str:
    return f"{room.table}_{field.name}"
