"""What stands in the head of a page, and what search engines and shared links are told of it. Pure.

Everything follows from the page and the site's own host: nothing a visitor sends can reach it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

import nh3

from shipworthy.rooms.site.addresses import encoded

DESCRIPTION_CHARS = 155  # what a list of search results shows
_HEADLINE_CHARS = 110  # of an Article, by Google's guide
CARD_SIZE = (1200, 630)  # what Open Graph readers crop to
CARDS = "/_a/card"
_TERRITORIES = {"en": "en_GB", "de": "de_DE"}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one page. `social` are Open Graph's properties and Twitter's names."""

    title: str
    description: str
    canonical: str
    social: tuple[tuple[str, str, str], ...]  # attribute, name, content
    json_ld: str


def head_of(page: Row, *, site_origin: str, locale: str, start: str = "Home") -> Head:
    """Return the head of a published page. Its canonical address is a function of the page and the site's host.

    `start` is what the home page is called on the way down to a page.
    """
    canonical = site_origin + encoded(page["path"])
    description = description_of(page["description"], page["intro_html"])
    image = site_origin + card_address(page)
    return Head(
        title=title_of(page["title"], page["site_title"]),
        description=description,
        canonical=canonical,
        social=_social(page, description, canonical, image, locale),
        json_ld=_written(
            [
                *_graph(page, description, canonical, image, site_origin, locale),
                *_way_down(page, canonical, site_origin, start),
                *page["json_ld"],  # what its blocks are
            ]
        ),
    )


def title_of(title: str, site_title: str) -> str:
    """Return the title as browsers and search results show it."""
    return title if site_title in title else f"{title} · {site_title}"


def description_of(description: str, intro_html: str) -> str:
    """Return the description, or one made from the first words of the page."""
    if description:
        return description
    text = " ".join(unescape(nh3.clean(intro_html, tags=set())).split())
    return text if len(text) <= DESCRIPTION_CHARS else text[:DESCRIPTION_CHARS].rpartition(" ")[0] + " …"


def is_article(page: Row) -> bool:
    """Say whether a page is an article: one that stands below another and not in the menu of the whole site."""
    return str(page["path"]).count("/") > 1


def card_name(page: Row) -> str:
    """Return the name of the picture for shared links: it says everything that can be seen on it."""
    seen = [page["title"], page["site_title"], page["accent"]]
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode()).hexdigest()[:16]


def card_address(page: Row) -> str:
    return f"{CARDS}/{page['page_id']}-{card_name(page)}.png"


def _social(
    page: Row, description: str, canonical: str, image: str, locale: str
) -> tuple[tuple[str, str, str], ...]:
    kind = "article" if is_article(page) else "website"
    said = [
        ("property", "og:type", kind),
        ("property", "og:site_name", page["site_title"]),
        ("property", "og:title", page["title"]),
        ("property", "og:description", description),
        ("property", "og:url", canonical),
        ("property", "og:locale", _TERRITORIES[locale]),
        ("property", "og:image", image),
        ("property", "og:image:width", str(CARD_SIZE[0])),
        ("property", "og:image:height", str(CARD_SIZE[1])),
        ("property", "og:image:alt", page["title"]),
        ("name", "twitter:card", "summary_large_image"),
    ]
    if kind == "article" and page["published_at"]:
        said += [
            ("property", "article:published_time", _moment(page["published_at"])),
            ("property", "article:modified_time", _moment(page["content_changed_at"])),
        ]
    return tuple(part for part in said if part[2])


def _graph(
    page: Row, description: str, canonical: str, image: str, site_origin: str, locale: str
) -> list[dict[str, Any]]:
    """Return what the page is, whose it is and what stands on it, each named by an address of its own.

    Source:  schema.org; developers.google.com/search/docs/appearance/structured-data/article.
    """
    home = f"{site_origin}/"
    owner, site = {"@id": f"{home}#organization"}, {"@id": f"{home}#website"}
    organization = {"@type": "Organization", **owner, "name": page["site_title"], "url": home}
    website = {
        "@type": "WebSite",
        **site,
        "name": page["site_title"],
        "url": home,
        "inLanguage": locale,
        "publisher": owner,
        **({"description": page["tagline"]} if page["tagline"] else {}),
    }
    document: dict[str, Any] = {
        "@type": "WebPage",
        "@id": f"{canonical}#page",
        "name": page["title"],
        "url": canonical,
        "inLanguage": locale,
        "isPartOf": site,
        "primaryImageOfPage": {"@type": "ImageObject", "url": image},
        **({"description": description} if description else {}),
        **_dates(page),
    }
    graph = [organization, website, document]
    if is_article(page):
        graph.append(
            {
                "@type": "Article",
                "@id": f"{canonical}#article",
                "headline": page["title"][:_HEADLINE_CHARS],
                "mainEntityOfPage": {"@id": document["@id"]},
                "author": owner,
                "publisher": owner,
                "image": image,
                "inLanguage": locale,
                **_dates(page),
            }
        )
    return graph


def _way_down(page: Row, canonical: str, site_origin: str, start: str) -> list[dict[str, Any]]:
    """Return the pages from the home page down to one that stands below others.

    Source:  schema.org/BreadcrumbList; developers.google.com/search/docs/appearance/structured-data/breadcrumb.
    """
    if not page["crumbs"]:
        return []
    way = [("/", start), *page["crumbs"], (page["path"], page["title"])]
    items = [
        {"@type": "ListItem", "position": number, "name": title, "item": site_origin + encoded(path)}
        for number, (path, title) in enumerate(way, 1)
    ]
    return [{"@type": "BreadcrumbList", "@id": f"{canonical}#way", "itemListElement": items}]


def _dates(page: Row) -> dict[str, str]:
    if not page["published_at"]:
        return {}
    return {
        "datePublished": _moment(page["published_at"]),
        "dateModified": _moment(page["content_changed_at"]),
    }


def _moment(when: Any) -> str:
    text: str = when.isoformat(timespec="seconds")
    return text


def _written(graph: list[dict[str, Any]]) -> str:
    """Return the graph for its script element. "<" is escaped so that no title can end it."""
    document = {"@context": "https://schema.org", "@graph": graph}
    return json.dumps(document, ensure_ascii=False).replace("<", "\\u003c")
