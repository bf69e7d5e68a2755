"""HTML that cannot be broken out of: text is escaped here and nowhere else.

A `str` is always text. Only `tag` and `joined` make `Html`, so whatever the examined app
said reaches the page as text, in content and in attributes alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from shipworthy.gauntlet.report.words import printable


@dataclass(frozen=True)
class Html:
    """Finished markup."""

    text: str

    def __len__(self) -> int:
        return len(self.text.encode(errors="replace"))


Node = Html | str | None
Attribute = str | float | bool | None

_VOID = frozenset({"meta", "link", "img"})


def tag(name: str, /, *children: Node, **attributes: Attribute) -> Html:
    """Return an element. Attribute names: `class_` is class, `aria_label` is aria-label.

    An attribute that is None or False is left out, one that is True stands bare.
    """
    head = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{head}>")
    return Html(f"<{name}{head}>{joined(children).text}</{name}>")


def joined(children: Iterable[Node]) -> Html:
    """Return nodes one after the other, their text escaped."""
    return Html("".join(_text(child) for child in children if child is not None))


def style_sheet(css: str) -> Html:
    """Return our own style sheet. Never call this with anything that came from outside."""
    return Html(f"<style>{css}</style>")


def _text(node: Html | str) -> str:
    return node.text if isinstance(node, Html) else escape(printable(node))


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.removesuffix("_").replace("_", "-")
    if value is True:
        return f" {name}"
    return f' {name}="{escape(printable(str(value)), quote=True)}"'
