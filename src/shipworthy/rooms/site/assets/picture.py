"""A picture as HTML: every form a browser may choose from, its room kept free, its turn known. Pure."""

from __future__ import annotations

import re
from html import escape, unescape

from shipworthy.rooms.site.assets.names import Row, address, widths_of

COLUMN = "(min-width: 46rem) 44rem, 100vw"  # as wide as the themes' column of text
_PICTURE = re.compile(r"<picture\b.*?</picture>", re.DOTALL)
_AVIF = re.compile(r"<source\b[^>]*image/avif[^>]*>")
_SET = re.compile(r'\b(srcset|sizes)="([^"]*)"')
_FALLBACK_WIDTH = 960  # for who knows neither AVIF nor WebP, nor srcset


def picture(asset: Row, *, alt: str, is_lead: bool = False, sizes: str = COLUMN) -> str:
    """Return `<picture>` for an asset's row. Its size is always said, so nothing moves when it comes.

    The lead picture, one a page and the first to be seen, is fetched before everything else; the others when
    they are about to be seen. An empty `alt` says that it is there for looks.
    """
    widths = widths_of(asset["width"])
    chosen = escape(sizes)
    sources = "".join(
        f'<source type="image/{format}" srcset="{_srcset(asset, widths, format)}" sizes="{chosen}">'
        for format in ("avif", "webp")
    )
    turn = 'loading="eager" fetchpriority="high"' if is_lead else 'loading="lazy" decoding="async"'
    fallback = address(asset, max((w for w in widths if w <= _FALLBACK_WIDTH), default=widths[0]), "jpg")
    return (
        f'<picture>{sources}<img src="{fallback}" srcset="{_srcset(asset, widths, "jpg")}" sizes="{chosen}" '
        f'width="{asset["width"]}" height="{asset["height"]}" alt="{escape(alt)}" {turn}></picture>'
    )


def lead_link(html: str) -> str:
    """Return the Link header that has a page's lead picture fetched before the page is read; empty without one.

    Source:  HTML, 4.6.7.6 (preload with imagesrcset); a browser that knows no AVIF skips it by its type.
    """
    for found in _PICTURE.findall(html):
        source = _AVIF.search(found)
        if 'fetchpriority="high"' in found and source is not None:
            said = {name: unescape(value) for name, value in _SET.findall(source.group())}
            first = said["srcset"].partition(" ")[0]
            return (
                f'<{first}>; rel=preload; as=image; type="image/avif"; imagesrcset="{said["srcset"]}"; '
                f'imagesizes="{said["sizes"]}"; fetchpriority=high'
            )
    return ""


def _srcset(asset: Row, widths: tuple[int, ...], format: str) -> str:
    return ", ".join(f"{address(asset, width, format)} {width}w" for width in widths)
