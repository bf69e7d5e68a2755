"""What a page makes a browser fetch before it can be used: the stylesheets and scripts it links.

Pure: text in, addresses out. Images and fonts are not counted, since a page works without them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

_CSS_IMPORT = re.compile(r"""@import\s+(?:url\(\s*)?["']?([^"')\s;]+)""")
# A static import of a module: import x from "./a.js"; import "./b.js"; export … from "./c.js".
_JS_IMPORT = re.compile(
    r"""(?:^|[;}\s])(?:import|export)\s*(?:[\w$*{}\s,]+\s*from\s*)?["'](\.{0,2}/[^"']+)["']"""
)
_FETCHED_AS = ("script", "style")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One thing a page needs. `kind`: "stylesheet", "script" or "module"."""

    kind: str
    url: str


def assets_of_page(html: str, *, page_url: str) -> list[Asset]:
    """Return the stylesheets and scripts a page links, each once, in order, with whole addresses."""
    finder = _Finder()
    finder.feed(html)
    base = urljoin(page_url, finder.base)
    return _once([Asset(kind=kind, url=urljoin(base, address)) for kind, address in finder.found])


def assets_of_asset(asset: Asset, text: str) -> list[Asset]:
    """Return what a stylesheet imports, or what a module imports statically."""
    pattern = {"stylesheet": _CSS_IMPORT, "module": _JS_IMPORT}.get(asset.kind)
    found = pattern.findall(text) if pattern else []
    return _once([Asset(kind=asset.kind, url=urljoin(asset.url, address)) for address in found])


def same_origin(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def path_of(url: str) -> str:
    """Return path and query of an address, as a request line has them."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _once(assets: list[Asset]) -> list[Asset]:
    return list({asset.url: asset for asset in assets if not asset.url.startswith("data:")}.values())


class _Finder(HTMLParser):
    """Reads links and scripts off a page; inline ones are part of the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "base":
            self.base = self.base or facts.get("href", "")
        elif tag == "script" and facts.get("src"):
            kind = "module" if facts.get("type") == "module" else "script"
            self.found.append((kind, facts["src"]))
        elif tag == "link" and facts.get("href"):
            self._link(facts)

    def _link(self, facts: dict[str, str]) -> None:
        relations = facts.get("rel", "").lower().split()
        if "stylesheet" in relations:
            self.found.append(("stylesheet", facts["href"]))
        elif "modulepreload" in relations:
            self.found.append(("module", facts["href"]))
        elif "preload" in relations and facts.get("as") in _FETCHED_AS:
            self.found.append(("stylesheet" if facts["as"] == "style" else "script", facts["href"]))
