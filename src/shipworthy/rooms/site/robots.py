"""robots.txt, one for each host. Pure: it is answered even while the database is away."""

from __future__ import annotations

from shipworthy.rooms.site.addresses import SITEMAP_PATH


def robots_txt(*, site_origin: str, is_primary: bool) -> bytes:
    """Return robots.txt: everything may be read, and the site's own host names its sitemap.

    Another host of the site is kept out of indexes by a header instead: a crawler that may not
    fetch a page never sees its noindex.
    """
    if not is_primary:
        return b"User-agent: *\nAllow: /\n"
    return f"User-agent: *\nAllow: /\n\nSitemap: {site_origin}{SITEMAP_PATH}\n".encode()
