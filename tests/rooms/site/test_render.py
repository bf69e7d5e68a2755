"""A rendered page: its head follows from the page alone, its styles are the ones its policy names. Covers: policy."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.http.pages import Pages
from shipworthy.kernel.settings import AppSection, HttpSection, Settings
from shipworthy.rooms.site.policy import source_of
from shipworthy.rooms.site.render import (
    ACCENTS,
    CSP,
    WORDS,
    origin,
    preview_csp,
    ready,
    render_missing,
    render_page,
    render_preview,
)
from shipworthy.rooms.site.room import ROOM
from shipworthy.rooms.site.themes import STYLES
from shipworthy.rooms.site.visits.beacon import SCRIPT_SOURCE
from tests.support.page import Element, parse

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
PAGE: dict[str, Any] = {
    "page_id": uuid.UUID(int=7),
    "path": "/über-uns",
    "title": "About us",
    "description": "Who we are.",
    "top_html": "",
    "json_ld": [],
    "menu_items": [],
    "crumbs": [],
    "intro_html": "<p>Hello.</p>",
    "body_html": "<h2>More</h2>",
    "published_at": AT,
    "content_changed_at": AT,
    "site_title": "Acme",
    "tagline": "Since 1998",
    "theme": "harbour",
    "accent": "ocean",
}
MENU = [("/", "Welcome"), ("/über-uns", "About us"), ("/contact", "Contact")]
HOSTILE = """'"><script>alert(1)</script></style></title>{{ 7*7 }}&"""


@pytest.fixture
def pages() -> Pages:
    return Pages({"site": ROOM.templates}, static_url=lambda name: name)


def rendered(pages: Pages, **changes: Any) -> str:
    page = render_page(pages, {**PAGE, **changes}, MENU, site_origin="https://acme.example", locale="en")
    assert gzip.decompress(page.gzipped) == page.body
    return page.body.decode()


def meta(page: Element) -> dict[str, str | None]:
    named = [e.attributes for e in page.all("meta")]
    return {a.get("name") or a.get("property") or "": a.get("content") for a in named}


def test_the_head_says_what_search_engines_and_networks_ask_for(pages: Pages) -> None:
    page = parse(rendered(pages))
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("title").text == "About us · Acme"
    (canonical,) = [e for e in page.all("link") if e.attributes.get("rel") == "canonical"]
    assert canonical.attributes["href"] == "https://acme.example/%C3%BCber-uns"
    said = meta(page)
    assert said["description"] == said["og:description"] == "Who we are."
    assert (said["og:title"], said["og:site_name"]) == ("About us", "Acme")
    assert said["og:url"] == canonical.attributes["href"]


def test_the_linked_data_is_json_about_this_page(pages: Pages) -> None:
    (script,) = [
        e for e in parse(rendered(pages)).all("script") if e.attributes["type"] == "application/ld+json"
    ]
    said = json.loads(script.text)
    (page,) = [part for part in said["@graph"] if part["@type"] == "WebPage"]
    assert page["url"] == "https://acme.example/%C3%BCber-uns"
    assert page["dateModified"] == "2026-03-01T12:30:00+00:00"


@pytest.mark.parametrize("theme", STYLES)
def test_the_styles_are_the_bytes_the_policy_names(pages: Pages, theme: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", rendered(pages, theme=theme), re.DOTALL)
    named = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    for policy in (CSP, preview_csp("https://acme.example", frame_ancestors=())):
        (sources,) = [part for part in policy.split("; ") if part.startswith("style-src ")]
        assert f"'sha256-{named}'" in sources
        assert "unsafe" not in sources


def test_no_other_script_may_run_and_none_is_there(pages: Pages) -> None:
    assert "unsafe" not in CSP
    # One may: the script that counts a visit (visits/test_beacon.py), named by its hash.
    # And what browsers may fetch ahead, by its hash too: Chromium 156 takes no keyword beside a hash.
    (sources,) = re.findall(r"script-src ([^;]+)(?:;|$)", CSP)
    (ahead,) = re.findall(r'<script type="?speculationrules"?>(.*?)</script>', rendered(pages), re.DOTALL)
    assert sources.split() == [source_of(ahead), SCRIPT_SOURCE]
    kinds = {e.attributes["type"] for e in parse(rendered(pages)).all("script")}
    assert kinds == {"application/ld+json", "speculationrules"}


@pytest.mark.parametrize("field", ["title", "description", "site_title", "tagline"])
def test_a_script_in_any_field_comes_out_as_text(pages: Pages, field: str) -> None:
    html = rendered(pages, **{field: HOSTILE})
    assert "<script>" not in html
    page = parse(html)
    assert len(page.all("script")) == 2
    assert len(page.all("style")) == len(page.all("title")) == 1
    assert "49" not in html.replace(STYLES["harbour"], "")
    (data,) = [e for e in page.all("script") if e.attributes["type"] == "application/ld+json"]
    assert (
        HOSTILE in json.dumps(json.loads(data.text), ensure_ascii=False).replace('\\"', '"')
        or field == "tagline"
    )


def test_a_script_in_the_menu_comes_out_as_text(pages: Pages) -> None:
    page = render_page(pages, PAGE, [("/x", HOSTILE)], site_origin="https://acme.example", locale="en")
    assert "<script>alert" not in page.body.decode()


def test_the_home_page_shows_the_tagline_and_is_left_out_of_the_menu(pages: Pages) -> None:
    home, other = parse(rendered(pages, path="/")), parse(rendered(pages))
    assert home.one("body").classes == ["home"]
    assert [e.text for e in home.all("p", "tagline")] == ["Since 1998"]
    assert other.all("p", "tagline") == []
    main_menu = other.all("nav")[0]
    assert [e.text for e in main_menu.all("a")] == ["About us", "Contact"]
    assert [e.attributes.get("aria-current") for e in main_menu.all("a")] == ["page", None]


def test_what_is_missing_has_no_canonical_address_and_is_kept_out_of_indexes(pages: Pages) -> None:
    body = render_missing(pages, PAGE, MENU, site_origin="https://acme.example", locale="en").body.decode()
    page = parse(body)
    assert meta(page)["robots"] == "noindex"
    assert [e for e in page.all("link") if e.attributes.get("rel") == "canonical"] == []
    assert page.one("h1").text == WORDS["en"]["missing_title"]


def test_a_preview_leads_to_the_site_and_is_cut_off_from_the_console(pages: Pages) -> None:
    page = parse(render_preview(pages, PAGE, MENU, site_origin="https://acme.example", locale="en").decode())
    assert page.one("base").attributes["href"] == "https://acme.example/%C3%BCber-uns"
    assert page.all("p", "preview")
    policy = preview_csp("https://acme.example", frame_ancestors=["https://app.example"])
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "frame-ancestors https://app.example;" in policy
    assert "base-uri https://acme.example" in policy
    assert "script-src" not in policy


def test_every_language_has_every_word_and_every_accent_its_colours(pages: Pages) -> None:
    assert WORDS["en"].keys() == WORDS["de"].keys()
    for accent in ACCENTS:
        assert accent == "ocean" or STYLES["harbour"].count(f'[data-accent="{accent}"]') == 2
        assert f'data-accent="{accent}"' in rendered(pages, accent=accent)


@pytest.mark.parametrize(
    ("scheme", "port", "shown"),
    [("http", 0, "http://a.example"), ("http", 80, "http://a.example"), ("https", 443, "https://a.example"),
     ("http", 8000, "http://a.example:8000"), ("https", 80, "https://a.example:80")],
)  # fmt: skip
def test_an_origin_names_its_port_only_where_it_is_unusual(scheme: Any, port: int, shown: str) -> None:
    settings = Settings(
        app=AppSection(name="x", rooms=("site",)), http=HttpSection(public_scheme=scheme, public_port=port)
    )
    assert origin(settings, "a.example") == shown


def test_bytes_are_compressed_to_the_same_bytes_each_time_and_named_by_content() -> None:
    for body in (b"<style>a</style>" + b"text" * 99, b"no styles"):
        first, second = ready("text/html", body), ready("text/html", body)
        assert first == second
        assert gzip.decompress(first.gzipped) == body
    assert ready("text/html", b"a").etag != ready("text/html", b"b").etag


def test_the_theme_names_no_address_of_another_host() -> None:
    theme = "".join(path.read_text(encoding="utf-8") for path in Path(ROOM.templates).glob("*.html"))
    assert not re.search(r"https?://\w", theme)
