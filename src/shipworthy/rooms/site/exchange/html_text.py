"""HTML as Markdown, for what Markdown can say; None for what it cannot. Pure.

What comes out is read by markup.py like what people type: no tag of the source survives, and a link that leads to no safe
place is its words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from shipworthy.rooms.site.blocks.block import is_safe

Link = Callable[[str], str]

_STRONG, _EMPHASIS, _STRUCK = {"strong", "b"}, {"em", "i", "cite", "dfn", "var"}, {"s", "del", "strike"}
_UNWRAPPED = {
    "span",
    "font",
    "u",
    "ins",
    "big",
    "tt",
    "acronym",
    "abbr",
    "label",
    "bdo",
    "bdi",
    "wbr",
    "time",
    "samp",
    "nobr",
}
_SPECIAL = re.compile(r"([\\`*\[\]<])|(&)(?=#?\w{1,31};)|(~)(?=~)|(?<!\w)(_)|(_)(?!\w)")
_LINE_START = re.compile(r"^(\s*)(#{1,6}(?=\s|$)|>|[+-](?=\s|$)|=+\s*$|-+\s*$)", re.MULTILINE)
_NUMBER_START = re.compile(r"^(\s*\d{1,9})([.)])(?=\s|$)", re.MULTILINE)
_BREAK = "\\\n"


def paragraph(element: Any, link: Link) -> str | None:
    """Return what stands in a paragraph or heading as Markdown; None where it holds what Markdown does not know."""
    said = inline(element, link)
    if said is None:
        return None
    lines = [line.strip() for line in said.split("\n")]
    while lines and lines[-1] in ("", "\\"):
        lines.pop()
    while lines and lines[0] in ("", "\\"):
        lines.pop(0)
    text = "\n".join(line for line in lines if line not in ("", "\\"))
    return _started(text[:-1] if text.endswith("\\") and not text.endswith("\\\\") else text)


def inline(element: Any, link: Link) -> str | None:
    """Return everything inside an element as Markdown of one paragraph; its lines end where it breaks them."""
    said = escaped(element.text or "")
    for child in element:
        part = _inline_one(child, link)
        if part is None:
            return None
        said += part + escaped(child.tail or "")
    return said


def plain_words(element: Any) -> str:
    """Return the words in an element on one line."""
    return " ".join("".join(element.itertext()).split())


def bullet_list(element: Any, link: Link) -> str | None:
    """Return a list and the lists in it; None where an entry holds more than words."""
    number = int(element.get("start", "1")) if element.get("start", "1").isdecimal() else 1
    lines = []
    for child in element:
        if child.tag in ("ul", "ol"):  # as browsers bear with it: a list straight in a list
            part = bullet_list(child, link)
            entry = None if part is None else [part]
        elif child.tag == "li":
            entry = _entry(child, link)
        elif isinstance(child.tag, str):
            return None
        else:
            continue
        if entry is None:
            return None
        marker = f"{number}. " if element.tag == "ol" else "- "
        number += 1
        body = "\n\n".join(part for part in entry if part) if len(entry) > 1 and entry[0] else "".join(entry)
        indented = body.replace("\n", "\n" + " " * len(marker))
        lines.append(re.sub(r"[ ]+$", "", f"{marker}{indented}", flags=re.MULTILINE))
    return "\n".join(line for line in lines if line.strip("-0123456789. ") or len(lines) > 1)


def code_block(element: Any) -> str:
    """Return text that is shown as it stands."""
    text = "".join(element.itertext()).strip("\n").replace("\r", "")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def escaped(text: str) -> str:
    """Return words that mean nothing but themselves in Markdown, with single spaces."""
    return _SPECIAL.sub(lambda found: "\\" + found.group(), re.sub(r"[ \t\r\n\f]+", " ", text))


def link_text(words: str, address: str) -> str:
    """Return a link as Markdown; only its words where its address is no safe one. `words` is Markdown already."""
    if not is_safe(address) or not words.strip():
        return words
    safe = re.sub(r"[\s<>\\]", lambda found: f"%{ord(found.group()):02X}", address)
    before, inner, after = _parted(words)
    target = f"<{safe}>" if re.search(r"[()]", safe) else safe
    return f"{before}[{inner}]({target}){after}"


def _entry(element: Any, link: Link) -> list[str] | None:
    """Return the parts of a list's entry: words, paragraphs and the lists in it."""
    parts, words = [], escaped(element.text or "")
    for child in element:
        if child.tag in ("ul", "ol"):
            inner = bullet_list(child, link)
        elif child.tag == "p":
            inner = paragraph(child, link)
        else:
            inner = _inline_one(child, link)
            if inner is None:
                return None
            words += inner + escaped(child.tail or "")
            continue
        if inner is None:
            return None
        parts += [_started(words.strip()), inner]
        words = escaped(child.tail or "")
    parts.append(_started(words.strip()))
    return [part for part in parts if part]


def _inline_one(child: Any, link: Link) -> str | None:
    tag = child.tag
    if not isinstance(tag, str):
        return ""
    if tag in _ALONE:
        return _ALONE[tag](child, link)
    known = tag in _STRONG | _EMPHASIS | _STRUCK | _UNWRAPPED | {"a"}
    inner = inline(child, link) if known else None
    if inner is None or tag in _UNWRAPPED:
        return inner
    if tag == "a":
        return link_text(inner, link(child.get("href", "")))
    mark = "**" if tag in _STRONG else "*" if tag in _EMPHASIS else "~~"
    before, words, after = _parted(inner)
    is_marked = words and _BREAK not in words and not words.startswith("*") and not words.endswith("*")
    return f"{before}{mark}{words}{mark}{after}" if is_marked else inner


def _image(element: Any, link: Link) -> str:
    address, alt = link(element.get("src", "")), escaped(element.get("alt", ""))
    return f"![{alt}]({link_target(address)})" if address and is_safe(address) else alt


def link_target(address: str) -> str:
    safe = re.sub(r"[\s<>\\]", lambda found: f"%{ord(found.group()):02X}", address)
    return f"<{safe}>" if re.search(r"[()]", safe) else safe


def _code(element: Any, link: Link) -> str:
    del link
    text = " ".join("".join(element.itertext()).split())
    if not text:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _parted(words: str) -> tuple[str, str, str]:
    """Return white space outside of what is marked: Markdown takes no mark that stands beside a space."""
    inner = words.strip()
    start = words.find(inner) if inner else len(words)
    return words[:start], inner, words[start + len(inner) :]


def _started(text: str) -> str:
    """Return text none of whose lines begins as something else would."""
    return _NUMBER_START.sub(r"\1\\\2", _LINE_START.sub(r"\1\\\2", text))


def _line_end(element: Any, link: Link) -> str:
    del element, link
    return _BREAK


_ALONE: dict[str, Callable[[Any, Link], str]] = {"br": _line_end, "code": _code, "img": _image}
