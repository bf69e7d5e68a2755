"""A parsed HTML page for tests: elements with their attributes and text, in document order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"source", "meta", "link", "base", "br", "hr", "img", "input"}


@dataclass
class Element:
    """One element; `children` holds elements and texts in order."""

    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    def walk(self) -> Iterator[Element]:
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag: str = "", class_: str = "") -> list[Element]:
        """Return every element below with this tag and class, in order."""
        return [e for e in self.walk() if tag in ("", e.tag) and (not class_ or class_ in e.classes)]

    def one(self, tag: str = "", class_: str = "") -> Element:
        """Return the only such element."""
        found = self.all(tag, class_)
        assert len(found) == 1, f"{len(found)} of {tag}.{class_}"
        return found[0]


def parse(html: str) -> Element:
    """Return the page's root; an element that is not closed, or closed twice, is an error."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert [e.tag for e in builder.stack] == ["document"], "unclosed elements"
    return builder.stack[0]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.stack[-1].children.append(element)
        if tag not in _VOID:
            self.stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack[-1].tag == tag, f"</{tag}> closes <{self.stack[-1].tag}>"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        self.stack[-1].children.append(data)


def without_nonces(text: str) -> str:
    """A page without what names its own scripts: new each time it is shown, whoever asks."""
    return re.sub(r' nonce="[^"]+"', "", text)
