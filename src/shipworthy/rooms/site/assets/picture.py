"""A picture as HTML: every form a browser may choose from, its room kept free, its turn known. Pure."""

from __future__ import annotations

from html import escape

from shipworthy.rooms.site.assets.names import Row, address, widths_of

COLUMN = "(min-width: 46rem) 44rem, 100vw"  # as wide as the themes' column of text
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


def _srcset(asset: Row, widths: tuple[int, ...], format: str) -> str:
    return ", ".join(f"{address(asset, width, format)} {width}w" for width in widths)
