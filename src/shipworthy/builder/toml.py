"""Writing `app.toml`: the scaffold's own lines with their remarks, and whatever else was asked for behind them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LINE = re.compile(r"^(?P<key>[A-Za-z0-9_-]+) = (?P<value>.*?)(?P<remark>\s+# [^\"]*)?$")


def with_values(text: str, asked: Mapping[str, Any]) -> str:
    """Return the text with these values in their places; sections and keys that it has not come behind its own.

    Owns texts of the scaffold's form only: one key a line, no arrays over several lines.
    """
    left = {section: dict(values) for section, values in asked.items()}
    lines: list[str] = []
    section = ""
    for line in [*text.rstrip().split("\n"), "[]"]:
        if line.startswith("["):
            rest = left.pop(section, {})
            while lines and not lines[-1]:
                lines.pop()
            lines += [*_plain(rest), *_tables(section, rest)]
            section = line.strip("[]")
            if line != "[]":
                lines += ["", line]
        elif (found := _LINE.match(line)) and found["key"] in left.get(section, {}):
            value = left[section].pop(found["key"])
            is_same = tomllib.loads(f"v = {found['value']}")["v"] == value
            lines.append(line if is_same else f"{found['key']} = {_value(value)}")
        else:
            lines.append(line)
    for name, rest in left.items():
        own = list(_plain(rest))
        lines += ["", *([f"[{_key(name)}]", *own] if own else []), *_tables(name, rest)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _plain(values: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{_key(key)} = {_value(v)}" for key, v in values.items() if not isinstance(v, dict))


def _tables(section: str, values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        path = f"{section}.{_key(key)}"
        if not isinstance(value, dict):
            continue
        if key == "fields":  # of a room: one field a line
            yield from ("", f"[{path}]", *(f"{_key(name)} = {_value(said)}" for name, said in value.items()))
        elif value:
            own = list(_plain(value))
            yield from ("", f"[{path}]", *own) if own else ()
            yield from _tables(path, value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    # JSON escapes what TOML does, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
