"""What stands above the text of a Markdown file: YAML between lines of ---, or TOML between lines of +++. Pure.

Of YAML only what people write there is read: names with one value, lists, and text over several lines. What is nested deeper
is passed over; anchors and types do not exist, so nothing can be built that was not written.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime
from typing import Any

_FENCED = re.compile(r"^\ufeff?(---|\+\+\+)[ \t]*\n(.*?)(?:^|\n)(?:\1|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_PAIR = re.compile(r"^([A-Za-z_][\w .-]{0,60}?)\s*:(?:[ \t]+(.*))?$")
_ENTRY = re.compile(r"^\s*-\s+(.*)$")
_CHARS_MAX = 50_000

Facts = dict[str, Any]


class BadFrontMatter(ValueError):
    """What stands above a text cannot be read."""


def parted(text: str) -> tuple[Facts, str]:
    """Return what is said of a file, by lower-case names, and the text below it. Errors: BadFrontMatter."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = _FENCED.match(text)
    if found is None:
        return {}, text.removeprefix("\ufeff")
    head, body = found[2], text[found.end() :]
    if len(head) > _CHARS_MAX:
        raise BadFrontMatter("too long")
    facts = _toml(head) if found[1] == "+++" else _yaml(head)
    return {name.strip().lower(): value for name, value in facts.items()}, body


def as_text(value: Any) -> str:
    """Return a value as one line of text."""
    if isinstance(value, (list, dict)):
        return ""
    return value.isoformat() if isinstance(value, (date, datetime)) else " ".join(str(value).split())


def as_list(value: Any) -> list[str]:
    """Return a list of texts; one value is a list of one."""
    values = value if isinstance(value, list) else [value] if value not in (None, "") else []
    return [text for one in values if (text := as_text(one))]


def as_bool(value: Any) -> bool | None:
    """Return yes or no; None for what is neither."""
    said = as_text(value).lower()
    return (
        True if said in ("true", "yes", "on", "1") else False if said in ("false", "no", "off", "0") else None
    )


def _toml(head: str) -> Facts:
    try:
        return tomllib.loads(head)
    except (tomllib.TOMLDecodeError, RecursionError) as broken:
        raise BadFrontMatter(str(broken)) from None


def _yaml(head: str) -> Facts:
    facts: Facts = {}
    name, block = "", ""
    for line in head.split("\n"):
        is_inner = line[:1] in (" ", "\t", "-") or not line.strip()
        if not is_inner:
            if line.lstrip().startswith("#"):
                continue
            pair = _PAIR.match(line)
            if pair is None:
                raise BadFrontMatter(line[:60])
            name, value = pair[1], (pair[2] or "").strip()
            block = value[:1] if value[:1] in ("|", ">") and len(value) <= 3 else ""
            facts[name] = "" if block else _value(value)
        elif name and block:
            joint = "\n" if block == "|" else " "
            facts[name] = f"{facts[name]}{joint}{line.strip()}".strip()
        elif name and (entry := _ENTRY.match(line)):
            if not isinstance(facts[name], list):
                facts[name] = []
            if not _PAIR.match(entry[1]):
                facts[name].append(_value(entry[1].strip()))
        elif (
            name
            and line.strip()
            and isinstance(facts[name], str)
            and facts[name]
            and not _PAIR.match(line.strip())
        ):
            facts[name] = f"{facts[name]} {line.strip()}"  # a value that goes on in the next line
    return facts


def _value(text: str) -> Any:
    if text[:1] in ('"', "'") and len(text) > 1 and text.rstrip()[-1] == text[0]:
        inner = text.strip()[1:-1]
        return inner.replace("''", "'") if text[0] == "'" else inner.replace('\\"', '"').replace("\\\\", "\\")
    text = re.sub(r"\s+#.*$", "", text)
    if text.startswith("[") and text.endswith("]"):
        return [_value(part.strip()) for part in _split(text[1:-1]) if part.strip()]
    return "" if text in ("null", "~", "{}") else text


def _split(text: str) -> list[str]:
    return re.findall(r"""\s*("[^"]*"|'[^']*'|[^,]+)""", text)
