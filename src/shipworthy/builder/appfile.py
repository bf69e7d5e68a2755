"""Changing `app.toml` where a person wrote it: one place is changed, every other character stays."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from shipworthy.builder.spec import SpecRefused

_ROOMS = re.compile(r"^(\s*rooms\s*=\s*)\[([^\]#]*)\]", re.MULTILINE)


def with_room(text: str, name: str) -> str:
    """Return the text with one more room in app.rooms, as the last one.

    Errors:  SpecRefused when the list is written in a way that cannot be changed safely.
    """
    before = tomllib.loads(text)
    names = before["app"]["rooms"]
    found = _ROOMS.search(text)
    if found is not None:
        listed = json.dumps([*names, name])
        changed = f"{text[: found.start()]}{found[1]}{listed}{text[found.end() :]}"
        expected = {**before, "app": {**before["app"], "rooms": [*names, name]}}
        if _parsed(changed) == expected:
            return changed
    raise SpecRefused(
        f'app.toml: its list of rooms could not be changed; add "{name}" to app.rooms, then run this again'
    )


def with_fields(text: str, room: str, fields: dict[str, dict[str, Any]]) -> str:
    """Return the text with the fields of a new room behind everything else. Errors: SpecRefused where there are some."""
    if room in tomllib.loads(text).get("room", {}):
        raise SpecRefused(
            f"app.toml says already what [room.{room}] is; leave --field out, or change it there"
        )
    lines = [
        f"{name} = {{ {', '.join(f'{k} = {_toml(v)}' for k, v in said.items())} }}"
        for name, said in fields.items()
    ]
    changed = f"{text.rstrip()}\n\n[room.{room}.fields]\n" + "\n".join(lines) + "\n"
    if _parsed(changed) is None:
        raise SpecRefused("the fields cannot be written into app.toml; write them there by hand")
    return changed


def read_field(text: str) -> tuple[str, dict[str, Any]]:
    """Return a field as it is written on the command line: `guest=text,required,chars_max=120`.

    Errors:  SpecRefused showing how one is written.
    """
    name, sign, rest = text.partition("=")
    kind, *options = (part.strip() for part in rest.split(","))
    said: dict[str, Any] = {"kind": kind}
    for option in options:
        key, is_set, value = option.partition("=")
        if key == "choices":
            said[key] = value.split("|")
        elif key == "chars_max" and value.isdecimal():
            said[key] = int(value)
        elif is_set:
            said[key] = value
        else:
            said[key] = True
    if not (sign and name.strip() and kind):
        raise SpecRefused(
            f"--field {text!r}: write NAME=KIND,OPTION…, such as guest=text,required or state=choice,choices=open|done"
        )
    return name.strip(), said


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
