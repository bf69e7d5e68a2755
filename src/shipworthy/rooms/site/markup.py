"""Markdown to clean HTML, once, when a page is saved: a visitor never waits for it.

What a person writes cannot become script: raw HTML in it is text, links lead to http, https,
mail and telephone only, and nh3 removes what the parser should not have let through.

Three conventions make plain text look designed: the paragraphs a page begins with are its intro; a paragraph that is one link alone is a button; a list whose items all begin in bold is
a row of cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _

BODY_CHARS_MAX = 60_000  # about 10,000 words
# The parser is quadratic in unclosed brackets (40,000 of them took 3.3 s, 2026-11), and nearly so in
# emphasis marks. No text of this length needs more, and the worst one then takes well under a second.
_BRACKETS_MAX, _EMPHASIS_MAX = 2_000, 6_000
_SHORT_CHARS = 2_000  # 2,048 of them with their HTML are 10 MB at most
_HEADING_MIN, _HEADING_MAX = 2, 4  # the page's title is its only h1

SCHEMES = {"http", "https", "mailto", "tel"}


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Let links lead to safe places only; what is refused stays text."""
        scheme, colon, _ = url.partition(":")
        return not colon or any(c in scheme for c in "/?#") or scheme.strip().lower() in SCHEMES


_MARKDOWN = _Markdown("commonmark", {"html": False}).enable(["table", "strikethrough"])
_TAGS = {
    "p", "h2", "h3", "h4", "ul", "ol", "li", "a", "em", "strong", "s", "code", "pre", "blockquote", "hr", "br", "img",
    "table", "thead", "tbody", "tr", "th", "td", "div",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "loading", "decoding"},
    "ol": {"start"},
    "div": {"role", "tabindex", "aria-label"},
    "pre": {"tabindex"},
}
_CLASSES = {
    "p": {"action"},
    "ul": {"cards"},
    "div": {"scroll"},
    "th": {"center", "right"},
    "td": {"center", "right"},
}
_SCROLLING = {"class": "scroll", "role": "group", "tabindex": "0", "aria-label": "Table"}


@dataclass(frozen=True, slots=True)
class Markup:
    """Clean HTML: the paragraphs it begins with, and the rest."""

    intro: str
    rest: str


def refuse_tangled(texts: Sequence[str]) -> None:
    """Refuse what nobody writes and what would take seconds to read.

    Errors:  Invalid `site.body_invalid` for texts so full of brackets or stars.
    """
    brackets = sum(text.count("[") for text in texts)
    if brackets > _BRACKETS_MAX or sum(t.count("*") + t.count("_") for t in texts) > _EMPHASIS_MAX:
        message = _(
            "The text has more than {brackets} brackets or {stars} stars. Split the page.",
            brackets=_BRACKETS_MAX,
            stars=_EMPHASIS_MAX,
        )
        raise Invalid("site.body_invalid", message, fields={"body": message})


def render_markdown(markdown: str) -> Markup:
    """Return clean HTML. Cost: about 1 ms for each 100 words; nothing for a short text that was read lately."""
    return _read_lately(markdown) if len(markdown) <= _SHORT_CHARS else _rendered(markdown)


# An editor saves a page of many short texts every few seconds, and one of them is new.
@lru_cache(maxsize=2_048)
def _read_lately(markdown: str) -> Markup:
    return _rendered(markdown)


def _rendered(markdown: str) -> Markup:
    tokens = _MARKDOWN.parse(markdown)
    _level_headings(tokens)
    _mark_buttons(tokens)
    _mark_cards(tokens)
    _hurry_images(tokens)
    tokens = _boxed(tokens)
    end = next((at for at, token in enumerate(tokens) if _ends_intro(token)), len(tokens))
    return Markup(_html(tokens[:end]), _html(tokens[end:]))


def _html(tokens: Sequence[Token]) -> str:
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=SCHEMES,
        link_rel=None,
    ).strip()


def _ends_intro(token: Token) -> bool:
    return token.level == 0 and token.type not in ("paragraph_open", "paragraph_close")


def _level_headings(tokens: Sequence[Token]) -> None:
    """Begin at h2 and skip no level downwards: screen readers walk by levels."""
    level = 1
    for token in tokens:
        if token.type == "heading_open":
            level = min(max(int(token.tag[1]), _HEADING_MIN), level + 1, _HEADING_MAX)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"


def _mark_buttons(tokens: Sequence[Token]) -> None:
    for opening, inline in pairwise(tokens):
        parts = inline.children or []
        is_one_link = len(parts) > 2 and parts[0].type == "link_open" and parts[-1].type == "link_close"
        if (
            opening.type == "paragraph_open"
            and is_one_link
            and sum(p.type == "link_open" for p in parts) == 1
        ):
            opening.attrSet("class", "action")


def _mark_cards(tokens: Sequence[Token]) -> None:
    for at, token in enumerate(tokens):
        if token.type == "bullet_list_open" and all(_begins_in_bold(i) for i in _items(tokens, at)):
            token.attrSet("class", "cards")


def _items(tokens: Sequence[Token], at: int) -> list[Token]:
    """Return the first inline token of each item of the list that opens at `at`."""
    level, first = tokens[at].level, []
    for i in range(at + 1, len(tokens)):
        if tokens[i].type == "bullet_list_close" and tokens[i].level == level:
            break
        if tokens[i].type == "list_item_open" and tokens[i].level == level + 1:
            first.append(tokens[min(i + 2, len(tokens) - 1)])  # item, paragraph, inline
    return first


def _begins_in_bold(inline: Token) -> bool:
    shown = [part for part in inline.children or [] if part.type != "text" or part.content]
    return bool(shown) and shown[0].type == "strong_open"


def _hurry_images(tokens: Sequence[Token]) -> None:
    """Let the first picture come at once, for it may be the largest thing in sight, and the others when near."""
    images = [part for token in tokens for part in token.children or [] if part.type == "image"]
    for image in images[1:]:
        image.attrSet("loading", "lazy")
        image.attrSet("decoding", "async")


def _boxed(tokens: Sequence[Token]) -> list[Token]:
    """Put wide tables into a box that scrolls, and let keyboards reach code that does. No inline style."""
    boxed: list[Token] = []
    for token in tokens:
        if token.type == "table_open":
            boxed.append(Token("box_open", "div", 1, attrs=dict(_SCROLLING), block=True))
        if token.type in ("fence", "code_block"):
            token.type, token.info = "code_block", ""  # no language class: there is nothing to colour it
            token.attrSet("tabindex", "0")
        if token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", "")):
            token.attrSet("class", str(style).removeprefix("text-align:"))
        boxed.append(token)
        if token.type == "table_close":
            boxed.append(Token("box_close", "div", -1, block=True))
    return boxed
