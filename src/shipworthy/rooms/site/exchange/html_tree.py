"""HTML of others as a tree: parsed with nothing fetched, and what its elements are to us. Pure."""

from __future__ import annotations

from typing import Any

from lxml import etree, html

LEFT_OUT = {
    "script": "script", "style": "style", "noscript": "script", "template": "script", "link": "style", "meta": "style",
    "form": "form", "input": "form", "button": "form", "select": "form", "textarea": "form", "fieldset": "form",
    "svg": "drawing", "canvas": "drawing", "math": "drawing", "map": "drawing", "base": "script", "frameset": "script",
}  # fmt: skip
FRAMED = {"iframe", "embed", "object", "video", "audio", "playlist", "source"}
WORDS = {
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "br", "cite", "code", "del", "dfn", "em", "font", "i", "img", "ins", "kbd",
    "label", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
}  # fmt: skip


def parsed(text: str) -> Any:
    """Return the body of a text as a browser would build it; None where there is nothing."""
    if not text.strip():
        return None
    parser = html.HTMLParser(
        remove_comments=True, remove_pis=True, no_network=True, huge_tree=False, encoding="utf-8"
    )
    try:
        return html.document_fromstring(f"<body><div>{text}</div></body>".encode(), parser=parser).find(
            "body"
        )
    except (etree.ParserError, etree.XMLSyntaxError):
        return None


def drop(element: Any) -> None:
    """Take an element out of its parent and leave the words that stand behind it."""
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    tail = element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


def holds_blocks(element: Any) -> bool:
    """Say whether an element holds more than what stands in a line of words."""
    return any(isinstance(inner.tag, str) and inner.tag not in WORDS for inner in element.iterdescendants())
