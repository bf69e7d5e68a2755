"""HTML of another website as blocks of this one: words become Markdown, pictures, quotes, tables and buttons blocks of their
own, and what no block can say becomes HTML that was cleaned. Pure.

Both of WordPress's editors come through here: the newer one's marks are comments around the same HTML. Nothing of the
source is kept unread: scripts, styles, frames and forms are left out and named.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from shipworthy.rooms.site.blocks.block import is_safe
from shipworthy.rooms.site.blocks.gallery import PICTURES_MAX
from shipworthy.rooms.site.blocks.raw_html import clean_html
from shipworthy.rooms.site.exchange.classic import addresses_alone, is_classic, paragraphs, without_shortcodes
from shipworthy.rooms.site.exchange.html_text import (
    bullet_list,
    code_block,
    escaped,
    link_target,
    link_text,
    paragraph,
    plain_words,
)
from shipworthy.rooms.site.exchange.html_tree import FRAMED, LEFT_OUT, WORDS, drop, holds_blocks, parsed
from shipworthy.rooms.site.exchange.items import Note
from shipworthy.rooms.site.exchange.places import Places, Shown

Stored = dict[str, Any]

_TEXT_CHARS = 12_000  # of one block of text; a longer page has several
_TEXT_CHARS_MAX, _CODE_CHARS_MAX, _LINE_CHARS_MAX = 55_000, 20_000, 300
_COLUMNS_MAX = 20
_DYNAMIC = re.compile(r"<!--\s*wp:([a-z0-9/-]{1,60})(?:\s[^>]*?)?/-->")
_NO_CONTENT = {"more", "nextpage", "spacer", "separator"}
_ID_CLASS = re.compile(r"\bwp-image-(\d{1,12})\b")
_ADDRESS = re.compile(r"https?://\S{1,1900}")


@dataclass(slots=True)
class Converted:
    """A page's blocks, and what people should know of how they were made."""

    blocks: list[Stored] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def blocks_of_html(content: str, *, places: Places) -> Converted:
    """Return the blocks that say what `content` says."""
    text, unknown = without_shortcodes(content)
    text = addresses_alone(text)
    if is_classic(content):
        text = paragraphs(text)
    walk = _Walk(places)
    for name in unknown:
        walk.note("shortcode", name)
    for name in _DYNAMIC.findall(text):
        if name not in _NO_CONTENT:
            walk.note("widget_left", name)
    root = parsed(text)
    if root is not None:
        walk.children(root)
    walk.flush()
    return walk.made


class _Walk:
    """One way through a page, from top to bottom."""

    def __init__(self, places: Places) -> None:
        self.made = Converted()
        self._places = places
        self._text: list[str] = []
        self._chars = 0

    def note(self, code: str, *facts: object) -> None:
        told = [code, *map(str, facts)]
        if told not in self.made.notes:
            self.made.notes.append(told)

    def flush(self) -> None:
        """End the block of text that is being written."""
        if self._text:
            self.made.blocks.append({"type": "text", "data": {"body": "\n\n".join(self._text)}})
        self._text, self._chars = [], 0

    def children(self, parent: Any) -> None:
        """Take what stands in an element that means nothing itself; words between its parts are paragraphs."""
        words = etree.Element("p")
        words.text = parent.text
        for child in list(parent):
            tail, child.tail = child.tail, None
            if child.tag in WORDS and not holds_blocks(child):
                words.append(child)
                child.tail = tail
                continue
            self._paragraph(words)
            words = etree.Element("p")
            self._block(child)
            words.text = tail
        self._paragraph(words)

    def _block(self, element: Any) -> None:
        tag = element.tag
        if not isinstance(tag, str):
            return
        if tag in LEFT_OUT:
            self.note("left_out", LEFT_OUT[tag])
        elif (take := _WAYS.get(tag)) is not None:
            take(self, element)
        else:
            self._by_class(element)

    def _by_class(self, element: Any) -> None:
        """Take an element that means something by its class, or nothing but what is in it."""
        classes = element.get("class", "")
        if "data-ids" in element.attrib or "wp-block-gallery" in classes:
            self._gallery(element)
        elif "wp-block-button" in classes.split() or "wp-block-file" in classes:
            self._buttons(element)
        else:
            self.children(element)

    def _paragraph(self, element: Any) -> None:
        for framed in list(element.iter(*FRAMED, *LEFT_OUT)):
            if framed is not element and framed.getparent() is not None:
                self._block(framed)
                drop(framed)
        if holds_blocks(element):
            self.children(element)
            return
        for image in list(element.iter("img")):
            if self._known(image) is not None:
                self._picture(image)
                drop(image)
        self._picture_notes(element)
        said = paragraph(element, self._link)
        if said is None:
            self._as_html(element)
        else:
            self._say(said)

    def _heading(self, element: Any) -> None:
        for image in list(element.iter("img")):
            self._picture(image)
            drop(image)
        said = paragraph(element, self._link)
        words = (said or escaped(plain_words(element))).replace("\\\n", " ").replace("\n", " ")
        if words.strip():
            self._say(f"{'#' * int(element.tag[1])} {words}")

    def _list(self, element: Any) -> None:
        if "blocks-gallery-grid" in element.get("class", "") or "wp-block-gallery" in element.get(
            "class", ""
        ):
            self._gallery(element)
            return
        has_pictures = any(self._known(image) for image in element.iter("img"))
        said = None if has_pictures else bullet_list(element, self._link)
        if said is None:
            self._as_html(element)
        elif said.strip():
            self._picture_notes(element)
            self._say(said)

    def _quote(self, element: Any) -> None:
        cited = next(iter(element.iter("cite", "footer")), None)
        by = plain_words(cited) if cited is not None else ""
        if cited is not None:
            drop(cited)
        inner = _Walk(self._places)
        inner.children(element)
        inner.flush()
        self._take_notes(inner)
        text = "\n\n".join(block["data"].get("body", "") for block in inner.made.blocks)
        is_words = all(block["type"] == "text" for block in inner.made.blocks)
        if not is_words or len(text) > _CODE_CHARS_MAX or len(by) > _LINE_CHARS_MAX:
            self.flush()
            self.made.blocks += inner.made.blocks
            self._say(escaped(by))
        elif text or by:
            self._add("quote", {"text": text, "by": by})

    def _table(self, element: Any, caption: str = "") -> None:
        caption = caption or next((plain_words(found) for found in element.iter("caption")), "")
        rows = [list(row.iterchildren("td", "th")) for row in element.iter("tr")]
        cells = [cell for row in rows for cell in row]
        is_plain = not any(len(cell) or cell.get("colspan") or cell.get("rowspan") for cell in cells)
        words = [[plain_words(cell) for cell in row] for row in rows]
        fits = all(len(row) <= _COLUMNS_MAX and not any("|" in cell for cell in row) for row in words)
        has_head = bool(rows) and all(cell.tag == "th" for cell in rows[0])
        text = "\n".join(f"| {' | '.join(row)} |" for row in words)
        if (
            is_plain
            and fits
            and has_head
            and len(text) <= _CODE_CHARS_MAX
            and len(caption) <= _LINE_CHARS_MAX
        ):
            self._add("table", {"caption": caption, "rows": text})
            return
        self._as_html(element)
        if caption and next(element.iter("caption"), None) is None:
            self._say(escaped(caption))

    def _figure(self, element: Any) -> None:
        caption_element = next(iter(element.iter("figcaption")), None)
        images = list(element.iter("img"))
        if len(images) > 1 or "wp-block-gallery" in element.get("class", ""):
            self._gallery(element)
            return
        caption = plain_words(caption_element) if caption_element is not None else ""
        if caption_element is not None:
            drop(caption_element)
        table = next(iter(element.iter("table")), None)
        if table is not None:
            self._table(table, caption)
        elif images:
            self._picture(images[0], caption)
        else:
            self.children(element)
            self._say(escaped(caption))

    def _gallery(self, element: Any) -> None:
        ids = [number for number in element.get("data-ids", "").split(",") if number]
        shown = [(found, "") for number in ids if (found := self._places.picture_ids.get(number))]
        for image in element.iter("img"):
            found = self._known(image)
            if found is None:
                self._picture(image)
            else:
                holder = image.getparent()
                while holder is not None and holder.tag not in ("figure", "li"):
                    holder = holder.getparent()
                words = next(iter(holder.iter("figcaption")), None) if holder is not None else None
                shown.append((found, plain_words(words)[:_LINE_CHARS_MAX] if words is not None else ""))
        if missing := len(ids) - sum(number in self._places.picture_ids for number in ids):
            self.note("pictures_missing", missing)
        if not ids and not shown and next(iter(element.iter("img")), None) is None:
            self.note("gallery_empty")
        for start in range(0, len(shown), PICTURES_MAX):
            part = shown[start : start + PICTURES_MAX]
            self._add(
                "gallery", {"pictures": [{"asset": str(one.asset_id), "caption": said} for one, said in part]}
            )

    def _picture(self, image: Any, caption: str = "") -> None:
        found = self._known(image)
        alt = " ".join(image.get("alt", "").split())[:_LINE_CHARS_MAX]
        if found is not None:
            self._add(
                "image", {"asset": str(found.asset_id), "alt": alt, "caption": caption[:_LINE_CHARS_MAX]}
            )
            return
        self._picture_notes(image)
        address = self._link(image.get("src", ""))
        if address and is_safe(address):
            self._say(f"![{escaped(alt)}]({link_target(address)})")
        if caption:
            self._say(escaped(caption))

    def _buttons(self, element: Any) -> None:
        for anchor in element.iter("a"):
            words, address = plain_words(anchor), self._link(anchor.get("href", ""))
            if (
                words
                and is_safe(address)
                and len(words) <= _LINE_CHARS_MAX
                and len(address) <= _LINE_CHARS_MAX
            ):
                self._add("button", {"text": words, "address": address})
            elif words:
                self._say(link_text(escaped(words), address))

    def _framed(self, element: Any) -> None:
        """What another website shows in a frame becomes a link to it: no page of ours loads another."""
        sources = [
            element.get("src") or element.get("data") or "",
            *(found.get("src", "") for found in element.iter("source")),
        ]
        address = next((found for found in sources if found), "")
        if element.tag == "source":
            return
        self.note("frame_left", element.tag)
        whole = self._link(address)
        if _ADDRESS.fullmatch(whole):
            self._say(link_text(escaped(whole), whole))

    def _as_html(self, element: Any) -> None:
        for anchor in element.iter("a"):
            if (href := anchor.get("href")) is not None:
                anchor.set("href", self._link(href))
        for image in element.iter("img"):
            found = self._known(image)
            image.set("src", found.address if found else self._link(image.get("src", "")))
        self._picture_notes(element)
        for left in list(element.iter(*LEFT_OUT, *FRAMED)):
            self.note("left_out", LEFT_OUT.get(left.tag, "frame"))
        code = clean_html(etree.tostring(element, encoding="unicode", method="html", with_tail=False)).strip()
        if not re.sub(r"<(?!img)[^>]*>|\s", "", code):
            return
        if len(code) > _CODE_CHARS_MAX:
            self.note("html_flat")
            self._say(escaped(plain_words(element)))
            return
        self.note("kept_as_html", element.tag)
        self._add("html", {"code": code})

    def _code(self, element: Any) -> None:
        self._say(code_block(element))

    def _rule(self, element: Any) -> None:
        del element
        self._add("divider", {})

    def _say(self, text: str) -> None:
        """Add Markdown to the block of text that is being written; a long one ends it first."""
        for start in range(0, len(text), _TEXT_CHARS_MAX):
            piece = text[start : start + _TEXT_CHARS_MAX].strip("\n")
            if not piece.strip():
                continue
            if self._chars + len(piece) > _TEXT_CHARS:
                self.flush()
            self._text.append(piece)
            self._chars += len(piece)

    def _add(self, type_: str, data: Stored) -> None:
        self.flush()
        self.made.blocks.append({"type": type_, "data": data})

    def _take_notes(self, inner: _Walk) -> None:
        for told in inner.made.notes:
            self.note(*told)

    def _picture_notes(self, element: Any) -> None:
        elsewhere = [
            image for image in element.iter("img") if self._known(image) is None and image.get("src")
        ]
        for image in elsewhere:
            self.note("picture_elsewhere", self._link(image.get("src", ""))[:200])

    def _known(self, image: Any) -> Shown | None:
        found = self._places.picture(image.get("src", ""))
        if found is None and (numbered := _ID_CLASS.search(image.get("class", ""))):
            found = self._places.picture_ids.get(numbered[1])
        return found or self._places.picture_ids.get(image.get("data-id", ""))

    def _link(self, address: str) -> str:
        return self._places.link(address) if address else ""


_WAYS: dict[str, Callable[[_Walk, Any], None]] = {
    **dict.fromkeys(FRAMED, _Walk._framed),
    **{f"h{level}": _Walk._heading for level in range(1, 7)},
    **dict.fromkeys(("ul", "ol"), _Walk._list),
    **dict.fromkeys(("dl", "details"), _Walk._as_html),
    "p": _Walk._paragraph,
    "hr": _Walk._rule,
    "pre": _Walk._code,
    "blockquote": _Walk._quote,
    "table": _Walk._table,
    "figure": _Walk._figure,
    "img": _Walk._picture,
}
