"""robots.txt, one for each host. Pure: it is answered even while the database is away."""

from __future__ import annotations

from shipworthy.kernel.edge.traps import TRAP_PATH
from shipworthy.kernel.language import mark
from shipworthy.rooms.site.addresses import SITEMAP_PATH
from shipworthy.rooms.site.collectors import COLLECTORS

OPEN, SEARCH_ONLY, CLOSED = "open", "search-only", "closed"
# What a site's owner may choose, and how it is said to them.
PRESETS = {
    OPEN: (mark("Everybody"), mark("Search engines and AI may read the site.")),
    SEARCH_ONLY: (
        mark("Search engines only"),
        mark(
            "They, and assistants that look something up for a person, may read it. Collectors that train models or sell data may not."
        ),
    ),
    CLOSED: (
        mark("Nobody"),
        mark("Every crawler is asked to stay away. What is in an index already may stay there for a while."),
    ),
}


def robots_txt(*, site_origin: str, is_primary: bool, crawlers: str = OPEN) -> bytes:
    """Return robots.txt as the owner chose; the site's own host names its sitemap.

    Another host of the site is kept out of indexes by a header instead: a crawler that may not fetch a page never
    sees its noindex. Source: RFC 9309; a group is several names above one set of rules (2.2.1).
    """
    if not is_primary:
        return b"User-agent: *\nAllow: /\n"
    if crawlers == CLOSED:
        return b"User-agent: *\nDisallow: /\n"
    refused = ""
    if crawlers == SEARCH_ONLY:
        refused = "".join(f"User-agent: {name}\n" for name in COLLECTORS) + "Disallow: /\n\n"
    return f"{refused}User-agent: *\nAllow: /\nDisallow: {TRAP_PATH}\n\nSitemap: {site_origin}{SITEMAP_PATH}\n".encode()
