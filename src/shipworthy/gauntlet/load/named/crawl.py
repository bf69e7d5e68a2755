"""L3, the crawl: bots that read robots.txt, the sitemap and each listed page, again and again.

`facts` hold "host", "robots" (the text as it was before the load; None where there is none), "sitemaps" and "pages": path -> the address
the page must name as its own, empty where that is not known. Observed: ROBOTS_CHANGED, SITEMAP_BROKEN,
OTHER_CANONICAL, NOT_FOR_INDEX and SENT_AGAIN, a page whole to who has it already.
"""

from __future__ import annotations

from urllib.parse import urljoin

from shipworthy.gauntlet.load.coded import Visit
from shipworthy.gauntlet.probes.crawl_rules import head_of

ROBOTS_CHANGED, SITEMAP_BROKEN, OTHER_CANONICAL, NOT_FOR_INDEX, SENT_AGAIN = (
    "robots_changed",
    "sitemap_broken",
    "canonical_differs",
    "noindex",
    "sent_again",
)
ROBOTS_PATH = "/robots.txt"
# Each as its owner documents it: a site that refuses one of them is not found there.
AGENTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (compatible; Applebot/0.1; +http://www.apple.com/go/applebot)",
)
_ASKED_AGAIN_SHARE = 0.2  # of the pages, by a crawler that has them: it is to be told so
_READ_SHARE = 0.1  # of the others, whose head is looked at: reading HTML costs more than fetching it


async def page(v: Visit) -> None:
    """Read one of the addresses, each as likely as the others."""
    host, pages, sitemaps = v.facts["host"], v.facts["pages"], v.facts["sitemaps"]
    agent = {"User-Agent": v.rng.choice(AGENTS)}
    path = v.rng.choice([*pages, *sitemaps, *((ROBOTS_PATH,) if v.facts["robots"] is not None else ())])
    if path == ROBOTS_PATH:
        answer = await v.get(path, host=host, headers=agent, expect=(200,))
        if answer.text != v.facts["robots"]:
            v.observe(ROBOTS_CHANGED, answer.text)
    elif path in pages:
        await _page(v, path, agent)
    else:
        answer = await v.get(path, host=host, headers=agent, expect=(200,))
        if not answer.body.rstrip().endswith((b"</urlset>", b"</sitemapindex>")):
            v.observe(SITEMAP_BROKEN, answer.text[-200:])


async def _page(v: Visit, path: str, agent: dict[str, str]) -> None:
    host, draw = v.facts["host"], v.rng.random()
    if draw < _ASKED_AGAIN_SHARE:
        known = v.keep.take(path)
        if known is not None:
            again = await v.get(path, host=host, headers={**agent, "If-None-Match": known}, expect=(200, 304))
            if again.status == 200 and again.header("etag") == known:
                v.observe(SENT_AGAIN, f"{path} had {known} already")
            v.keep.give(path, known if again.status == 304 else again.header("etag") or None)
            return
    is_read = draw > 1 - _READ_SHARE
    # What is read comes plain; the rest compressed, as crawlers ask for it.
    answer = await v.get(
        path, host=host, headers=agent if is_read else {**agent, "Accept-Encoding": "gzip"}, expect=(200,)
    )
    if not is_read:
        return
    if answer.header("etag"):
        v.keep.take(path)
        v.keep.give(path, answer.header("etag"))
    head = head_of(answer.text)
    if "noindex" in head.robots or "noindex" in answer.header("x-robots-tag"):
        v.observe(NOT_FOR_INDEX, path)
    own = v.facts["pages"][path]
    if own and {urljoin(own, canonical) for canonical in head.canonicals} != {own}:
        v.observe(OTHER_CANONICAL, f"{path} names {', '.join(head.canonicals) or 'none'}")
