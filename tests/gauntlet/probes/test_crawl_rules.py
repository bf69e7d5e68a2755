"""Each rule for crawlers accepts what the protocols allow and names what they do not."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from shipworthy.gauntlet.probes.crawl_rules import (
    Entry,
    head_of,
    moments_of,
    moved_wrongs,
    page_wrongs,
    read_sitemap,
    robots_wrongs,
)

PUBLIC = "https://www.site.example"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
GOOD = (
    '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    f"<url><loc>{PUBLIC}/a</loc><lastmod>2026-05-31</lastmod></url>"
    f"<url><loc> {PUBLIC}/b </loc></url></urlset>"
)


def sitemap_says(text: str | bytes) -> list[str]:
    body = text.encode() if isinstance(text, str) else text
    return [w.what for w in read_sitemap(body, address="/sitemap.xml", public=PUBLIC, now=NOW)[1]]


def test_a_sound_sitemap_is_read_plain_and_packed_and_an_index_too() -> None:
    for body in (GOOD.encode(), gzip.compress(GOOD.encode())):
        file, wrongs = read_sitemap(body, address="/sitemap.xml", public=PUBLIC, now=NOW)
        assert (wrongs, file.is_index) == ([], False)
        assert [entry.loc for entry in file.entries] == [f"{PUBLIC}/a", f"{PUBLIC}/b"]
    index = (
        GOOD.replace("urlset", "sitemapindex").replace("<url>", "<sitemap>").replace("</url>", "</sitemap>")
    )
    file, wrongs = read_sitemap(index.encode(), address="/sitemap.xml", public=PUBLIC, now=NOW)
    assert (wrongs, file.is_index, len(file.entries)) == ([], True, 2)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (GOOD[:-9], "not well-formed"),
        ("<!doctype html><html></html>", "document type"),
        ("<html></html>", "its root is html"),
        (GOOD.replace("sitemaps.org", "other.example"), "its root is"),
        (GOOD.replace(f"{PUBLIC}/b", "/b"), "is no whole address"),
        (GOOD.replace(f"{PUBLIC}/b", "https://elsewhere.example/b"), "is on another host"),
        (GOOD.replace(f"{PUBLIC}/b", f"{PUBLIC}.elsewhere.example/b"), "is on another host"),
        (GOOD.replace("/b", "/a"), "listed twice"),
        (GOOD.replace("/b", "/" + "b" * 2_100), "longer than"),
        (GOOD.replace("2026-05-31", "31.05.2026"), "no W3C date"),
        (GOOD.replace("2026-05-31", "2026-06-01T12:02:00Z"), "in the future"),
        ('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>', "lists nothing"),
        (b"\x1f\x8b nothing packed", "cannot be unpacked"),
    ],
)
def test_what_is_wrong_with_a_sitemap_is_named(body: str | bytes, says: str) -> None:
    found = sitemap_says(body)
    assert len(found) == 1 and says in found[0]


def test_a_list_beyond_the_protocols_limit_is_named_and_entities_do_not_grow() -> None:
    many = "".join(f"<url><loc>{PUBLIC}/{n}</loc></url>" for n in range(50_001))
    assert "50,001" in sitemap_says(GOOD.partition("<url>")[0] + many + "</urlset>")[0]
    bomb = '<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + GOOD.partition("?>")[2]
    assert "document type" in sitemap_says(bomb)[0]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-02", datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-03", datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 2, 3, 23, tzinfo=UTC)),
        ("2026-02-03T10:20+02:00", datetime(2026, 2, 3, 8, 20, tzinfo=UTC), datetime(2026, 2, 3, 8, 20, tzinfo=UTC)),
        ("2026-02-03T10:20:30.5Z", datetime(2026, 2, 3, 10, 20, 30, tzinfo=UTC), datetime(2026, 2, 3, 10, 20, 30, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_w3c_date_means_a_span_of_time(text: str, first: datetime, last: datetime) -> None:
    moments = moments_of(text)
    assert moments is not None
    assert moments[0] == first and moments[1] >= last


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13", "2026-02-30", "2026-02-03T10:20", "2026-02-03 10:20:30"]
)
def test_what_is_no_w3c_date_has_no_moment(text: str) -> None:
    assert moments_of(text) is None


def test_a_date_that_moves_by_itself_is_named_and_a_new_page_is_not() -> None:
    before = [Entry("https://a/1", "2026-05-01"), Entry("https://a/2", "2026-05-01")]
    same = [*before, Entry("https://a/3", "2026-06-01")]
    moved = [Entry("https://a/1", "2026-06-01"), before[1]]
    assert moved_wrongs(before, same, address="/sitemap.xml") == []
    assert "1 of 2" in moved_wrongs(before, moved, address="/sitemap.xml")[0].what


@pytest.mark.parametrize(
    ("status", "head", "header", "rule"),
    [
        (200, '<link rel="canonical" href="{loc}">', "", ""),
        (200, '<link rel="canonical" href="/a"><link rel="stylesheet canonical" href="{loc}">', "", ""),
        (404, "", "", "pages"),
        (301, "", "", "pages"),
        (
            200,
            '<link rel="canonical" href="{loc}"><meta name="ROBOTS" content="follow, NOINDEX">',
            "",
            "pages",
        ),
        (200, '<link rel="canonical" href="{loc}">', "noindex", "pages"),
        (200, "", "", "canonical"),
        (200, '<link rel="canonical" href="/">', "", "canonical"),
        (200, '<link rel="canonical" href="{loc}"><link rel="canonical" href="/">', "", "canonical"),
    ],
)
def test_a_listed_page_is_there_for_indexes_and_names_its_own_address(
    status: int, head: str, header: str, rule: str
) -> None:
    loc = f"{PUBLIC}/a"
    found = page_wrongs("/a", status, head_of(head.format(loc=loc)), loc=loc, header_robots=header)
    assert [wrong.rule for wrong in found] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("status", "media", "body", "says"),
    [
        (200, "text/plain; charset=utf-8", "User-agent: *\nAllow: /\nSitemap: {public}/sitemap.xml", ""),
        (200, "text/plain", "User-agent: *\nDisallow: /b\nSitemap: {public}/s.xml", ""),
        (503, "text/plain", "", "read nothing of the site"),
        (404, "text/plain", "", "told of no sitemap"),
        (200, "text/html", "Sitemap: {public}/s.xml", "not text/plain"),
        (200, "text/plain", "User-agent: *\nAllow: /", "names no sitemap"),
        (200, "text/plain", "Sitemap: https://elsewhere.example/s.xml", "not on this host"),
        (
            200,
            "text/plain",
            "Sitemap: {public}/s.xml\nUser-agent: *\nDisallow: /a",
            "keeps everybody from /a",
        ),
        (
            200,
            "text/plain",
            "Sitemap: {public}/s.xml\nUser-agent: bingbot\nDisallow: /",
            "keeps Bingbot from /a",
        ),
        (200, "text/plain", "Sitemap: {public}/s.xml\nUser agent: *", "line 2"),
        (200, "text/plain", "Sitemap: {public}/s.xml\n" + "#" * 600_000, "crawlers read"),
    ],
)
def test_what_is_wrong_with_robots_is_named(status: int, media: str, body: str, says: str) -> None:
    text = body.replace("{public}", PUBLIC).encode()
    _, found = robots_wrongs(status, media, text, public=PUBLIC, listed=["/a", "/a/c"])
    assert [says in wrong.what for wrong in found] == ([True] if says else [])
