"""The readings of a text: as it is written, and as others down the line would read it. Pure.

An attack is written so that the guard reads something else than the browser or the database: encoded twice, as HTML
entities, with escapes of JavaScript, in full-width letters, in Base64. All of them are undone before any rule looks.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote

CHARS_MAX = 20_000  # of a longer text its two ends are read: padding stands before or after what counts
_TIMES_MAX = 3
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))")
_ENTITY = re.compile(r"&_?(?:#|[a-z]{2,20};?)", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.{0,60}?\*/", re.DOTALL)
_JUNK = re.compile(r"\b(?:x|a)>|&(?:tab|newline|zerowidthspace);|[\u200b-\u200f\ufeff\0]", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_SPACES = re.compile(r"[ \t\f\v\u00a0]+")


def readings(text: str) -> Iterator[str]:
    """Yield the text and what becomes of it when it is decoded, in lower case."""
    if len(text) > CHARS_MAX:
        half = CHARS_MAX // 2
        text = f"{text[:half]}\n{text[-half:]}"
    first = _plain(text)
    yield first
    last = _decoded(text)
    if (plain := _plain(last)) != first:
        yield plain
    if "/*" in last:
        yield _plain(_COMMENT.sub(" ", last))
    if "\\" in last or "'" in last or '"' in last:  # c'a't and c\at are cat to a shell
        yield _plain(re.sub(r"(?<=\w)(?:\\|''|\"\"|'|\")(?=\w)", "", last))
    if (hidden := from_base64(text)) is not None:
        yield hidden


def _decoded(text: str) -> str:
    for _ in range(_TIMES_MAX):
        before = text
        if "%" in text:
            text = unquote(text)
        if "&" in text and _ENTITY.search(text):
            text = unescape(text.replace("&_", "&"))
        if "\\" in text:
            text = _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
        if text == before:
            break
    return text


def _plain(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = _JUNK.sub("", text)
    return _SPACES.sub(" ", text.lower())


def from_base64(text: str) -> str | None:
    """Return the reading of what a whole value hides; None where it is a token, a number, or just a long word."""
    text = unquote(text).strip()
    if _BASE64.fullmatch(text) is None:
        return None
    whole = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        said = base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    is_text = said.isprintable() or all(c.isprintable() or c in "\r\n\t" for c in said)
    return _plain(_decoded(said)) if is_text else None
