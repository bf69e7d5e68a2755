"""Where a key stands in a TOML or JSON text, so that an error can name the line.

Owns the search only. The text was parsed by the standard library before, so this reads
well-formed text and may be simpler than a parser; where it cannot tell, it names the line
of the key that encloses the place, never a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str, ...]

_KEY_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*\.?""")
_TOML_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_TOML_KEY = re.compile(r"""^\s*((?:(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*\.?\s*)+)=(.*)$""")
_TOML_STRING = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'[^']*'|#.*$")
_JSON_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\]:,\n]')


def line_of(text: str, path: Path) -> int | None:
    """Return the 1-based line of a key path (list positions as digits) in TOML or JSON text.

    The place itself where it is written as a key, else the line of the nearest key around
    it; None when not even that can be told.
    """
    is_json = text.lstrip().startswith("{")  # no TOML starts so, and all our JSON does
    places = dict(_json_places(text) if is_json else _toml_places(text))
    known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in places), None)
    if known is None:
        return None
    line = places[known]
    return line if known == path else _only_mention(text, path[-1], line, places) or line


def _only_mention(text: str, key: str, first: int, places: dict[Path, int]) -> int | None:
    """Return the line between a key and the next one where `key` is written, if there is just one."""
    last = min((n for n in places.values() if n > first), default=len(text.split("\n")) + 1)
    mention = re.compile(rf"(?<![\w.-])[\"']?{re.escape(key)}[\"']?\s*[=:]")
    span = enumerate(text.split("\n")[first - 1 : max(last - 1, first)], first)
    found = [number for number, line in span for _ in mention.finditer(line)]
    return found[0] if len(found) == 1 else None


def _toml_places(text: str) -> Iterator[tuple[Path, int]]:
    table: Path = ()
    positions: dict[Path, int] = {}  # array of tables -> index of its newest entry
    quote, depth = "", 0  # inside a text, or a bracket, that goes on over several lines
    seen: set[Path] = set()
    for number, line in enumerate(text.split("\n"), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if depth:
            quote, depth = _still_open(line, depth)
            continue
        if header := _TOML_HEADER.match(line):
            table = _resolved(_key_parts(header[2]), positions, is_new=header[1] == "[[")
            place = table
        elif key := _TOML_KEY.match(line):
            place = (*table, *_key_parts(key[1]))
            quote, depth = _still_open(key[2], 0)
        else:
            continue
        for length in range(1, len(place) + 1):
            if place[:length] not in seen:
                seen.add(place[:length])
                yield place[:length], number


def _key_parts(text: str) -> Path:
    return tuple(next(part for part in found if part) for found in _KEY_PART.findall(text) if any(found))


def _resolved(names: Path, positions: dict[Path, int], *, is_new: bool) -> Path:
    """Return a header's path with the positions of the arrays it lies in, opening a new entry."""
    path: Path = ()
    for depth, name in enumerate(names, 1):
        path = (*path, name)
        if is_new and depth == len(names):
            positions[path] = positions.get(path, -1) + 1
        if path in positions:
            path = (*path, str(positions[path]))
    return path


def _still_open(rest: str, depth: int) -> tuple[str, int]:
    """Return what a line leaves open: a multi-line quote, and the number of brackets."""
    for quote in ('"""', "'''"):
        if rest.count(quote) % 2:
            return quote, depth
    bare = _TOML_STRING.sub("", rest)
    return "", depth + sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))


def _json_places(text: str) -> Iterator[tuple[Path, int]]:
    number, word = 1, ""
    stack: list[str | int] = []  # the key, or the position, that is being filled at each level
    for piece in _JSON_TOKEN.findall(text):
        if piece == "\n":
            number += 1
        elif piece == "{":
            stack.append("")
        elif piece == "[":
            stack.append(0)
            yield tuple(map(str, stack)), number
        elif piece in "}]":
            stack.pop()
        elif piece == ":":
            stack[-1] = word
            yield tuple(map(str, stack)), number
        elif piece == "," and isinstance(stack[-1], int):
            stack[-1] += 1
            yield tuple(map(str, stack)), number
        else:
            word = piece[1:-1]
