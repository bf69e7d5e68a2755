"""Markdown from a folder as blocks: text stays text; a picture alone in a paragraph, a line and HTML become blocks of their
own. Links between the files lead to the pages they become. Pure."""

from __future__ import annotations

import re

from shipworthy.rooms.site.blocks.block import is_safe
from shipworthy.rooms.site.exchange.html_blocks import Converted, blocks_of_html
from shipworthy.rooms.site.exchange.items import Note
from shipworthy.rooms.site.exchange.places import Places

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_PICTURE_ALONE = re.compile(
    r"^!\[([^\]\n]{0,300})\]\(\s*<?([^)>\s]{1,1000})>?(?:\s+[\"']([^\"'\n]{0,300})[\"'])?\s*\)$"
)
_INLINE = re.compile(
    r"(!?)\[((?:[^\[\]\\\n]|\\.){0,500})\]\(\s*<?([^)>\s]{1,1000})>?((?:\s+\"[^\"\n]{0,300}\")?)\s*\)"
)
_REF = re.compile(r"\{\{[<%]\s*(?:rel)?ref\s+\"?([^\"\s%>]{1,500})\"?\s*[%>]\}\}")
_SHORTCODE = re.compile(
    r"\{\{[<%]\s*/?\s*([\w-]{1,40})[^}\n]{0,500}[%>]\}\}|\{%\s*(\w{1,40})[^%\n]{0,500}%\}"
)
_RULE = re.compile(r"^ {0,3}([-*_])(?: *\1){2,} *$")
_HTML = re.compile(r"^ {0,3}</?[A-Za-z][A-Za-z0-9-]*(?:\s|/?>|$)|^ {0,3}<!--")
_TEXT_CHARS = 12_000


def blocks_of_markdown(text: str, *, places: Places) -> Converted:
    """Return the blocks that say what the text says."""
    made, waiting = Converted(), list[str]()

    def note(told: Note) -> None:
        if told not in made.notes:
            made.notes.append(told)

    def flush() -> None:
        body = "\n\n".join(waiting).strip("\n")
        if body.strip():
            made.blocks.append({"type": "text", "data": {"body": body}})
        waiting.clear()

    for part in _parts(text.replace("\r\n", "\n").replace("\r", "\n")):
        bare = part.strip()
        if _FENCE.match(part):
            waiting.append(part)
        elif (alone := _PICTURE_ALONE.match(bare)) and (shown := places.picture(alone[2])):
            flush()
            data = {"asset": str(shown.asset_id), "alt": alone[1], "caption": alone[3] or ""}
            made.blocks.append({"type": "image", "data": data})
        elif _RULE.match(part) and "\n" not in part:
            flush()
            made.blocks.append({"type": "divider", "data": {}})
        elif _HTML.match(part):
            flush()
            inner = blocks_of_html(part, places=places)
            made.blocks += inner.blocks
            for told in inner.notes:
                note(told)
        else:
            for name in _SHORTCODE.findall(_REF.sub("", part)):
                note(["shortcode", name[0] or name[1]])
            waiting.append(_linked(part, places, note))
        if sum(map(len, waiting)) > _TEXT_CHARS:
            flush()
    flush()
    return made


def _parts(text: str) -> list[str]:
    """Return paragraphs as they stand between empty lines; what stands in a fence is one, however many it has."""
    parts: list[str] = []
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            lines.append(line)
            if mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence):
                parts.append("\n".join(lines))
                lines, fence = [], ""
        elif mark:
            if lines:
                parts.append("\n".join(lines))
            lines, fence = [line], mark[1]
        elif line.strip():
            lines.append(line)
        elif lines:
            parts.append("\n".join(lines))
            lines = []
    return [*parts, "\n".join(lines)] if lines else parts


def _linked(part: str, places: Places, note: object) -> str:
    """Return a paragraph whose links and pictures lead where they lead here."""
    part = _REF.sub(lambda found: found[1], part)

    def led(found: re.Match[str]) -> str:
        mark, words, address, title = found.groups()
        if mark:
            shown = places.picture(address)
            if shown is None:
                note(["picture_elsewhere", address[:200]])  # type: ignore[operator]
            to = shown.address if shown else places.link(address)
        else:
            to = places.link(address)
        return f"{mark}[{words}]({to}{title})" if to and is_safe(to) else words

    return _INLINE.sub(led, part)
