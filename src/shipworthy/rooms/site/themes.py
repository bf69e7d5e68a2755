"""The themes of a website: each is one stylesheet, inlined into every page and named to the browser by its hash.

`theme.css` is the structure all of them share, with the colours of the accents; a theme of another name is that
and a file of its own on top.
"""

from __future__ import annotations

import re
from pathlib import Path

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.policy import source_of

_FOLDER = Path(__file__).parent / "templates"
# Name -> how it is called, and what it is like.
THEMES = {
    "harbour": (mark("Harbour"), mark("Clear and open: plain letters, rounded boxes, room to breathe.")),
    "letter": (mark("Letter"), mark("Like a printed page: serif letters, hairlines, one quiet column.")),
}


def _read(name: str) -> str:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*\n\s*", "", text)
    return re.sub(r"\s*([{};])\s*", r"\1", re.sub(r":\s+(?=[^;{}]*[;}])", ":", text)).replace(";}", "}")


STYLES = {"harbour": _read("theme.css"), "letter": _read("theme.css") + _read("theme_letter.css")}
STYLE_SOURCES = " ".join(map(source_of, STYLES.values()))
