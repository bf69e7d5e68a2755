"""robots.txt as a crawler reads it. Pure; a reader of the examiner's own, whatever the app writes it with.

Source: RFC 9309, Robots Exclusion Protocol (2022).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

BYTES_MAX = 500 * 1024  # RFC 9309, 2.5: a crawler must read this much, and need not read more
_TOKEN = re.compile(r"[A-Za-z_-]+")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
# Spoken by some crawlers and no part of the RFC: not a mistake of whoever writes them.
_OTHER_KEYS = {
    "crawl-delay",
    "host",
    "clean-param",
    "noindex",
    "request-rate",
    "visit-time",
    "content-signal",
}


@dataclass(frozen=True, kw_only=True)
class Robots:
    """What the file says. `odd` are lines no crawler understands, with their number."""

    rules: dict[str, tuple[tuple[bool, str], ...]] = field(default_factory=dict)  # token -> (allows, pattern)
    sitemaps: tuple[str, ...] = ()
    odd: tuple[tuple[int, str], ...] = ()

    def allows(self, token: str, path: str) -> bool:
        """Say whether the crawler with this product token may read `path`, query included.

        The longest pattern that matches decides; of two as long, the one that allows (2.2.2).
        """
        if path == "/robots.txt":
            return True
        asked = _comparable(path)
        fitting = [
            (len(pattern), allows)
            for allows, pattern in self.rules.get(token.lower(), self.rules.get("*", ()))
            if _fits(pattern, asked)
        ]
        return max(fitting, default=(0, True))[1]


def read_robots(text: str) -> Robots:
    """Read a robots.txt. What it does not understand it steps over, as crawlers do."""
    rules: dict[str, list[tuple[bool, str]]] = {}
    sitemaps, odd = [], []
    tokens: list[str] = []
    is_group_open = False  # agents that follow one another share the rules that follow them
    for number, key, value in _lines(text):
        if key == "user-agent":
            tokens = [*tokens, _token(value)] if is_group_open else [_token(value)]
            rules.setdefault(tokens[-1], [])
            is_group_open = True
        elif key in ("allow", "disallow"):
            is_group_open = False
            if not tokens:
                odd.append((number, f"{key}: {value}"))  # of nobody's group
            if value:  # an empty one says nothing
                for token in tokens:
                    rules[token].append((key == "allow", _comparable(value)))
        elif key == "sitemap":
            sitemaps.append(value)
        elif key not in _OTHER_KEYS:
            odd.append((number, f"{key}: {value}" if value else key))
    return Robots(
        rules={token: tuple(said) for token, said in rules.items()},
        sitemaps=tuple(dict.fromkeys(sitemaps)),
        odd=tuple(odd),
    )


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), 1):
        said = line.partition("#")[0].strip()
        if said:
            key, _, value = said.partition(":")
            yield number, key.strip().lower(), value.strip()


def _token(value: str) -> str:
    if value.startswith("*"):
        return "*"
    found = _TOKEN.match(value)
    return found.group(0).lower() if found else value.lower()


def _fits(pattern: str, path: str) -> bool:
    """Say whether a pattern matches from the start of the path: * is anything, $ at the end is the end."""
    is_whole = pattern.endswith("$")
    first, *pieces = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for piece in pieces[:-1] if is_whole else pieces:
        at = path.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    if not is_whole:
        return True
    return path.endswith(pieces[-1]) and len(path) - len(pieces[-1]) >= at if pieces else at == len(path)


def _comparable(path: str) -> str:
    """Return a path in the one form two of them are compared in (2.2.2): what need not be encoded is not."""

    def plain(found: re.Match[str]) -> str:
        char = chr(int(found.group(1), 16))
        return char if _UNRESERVED.fullmatch(char) else found.group(0).upper()

    return _PERCENT.sub(plain, quote(path, safe="!#$%&'()*+,/:;=?@[]~"))
