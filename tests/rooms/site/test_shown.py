"""How pages look on the screens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shipworthy.rooms.site.shown import moment, snippet, status_of

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
SITE = {"site_title": "Acme", "host": "acme.example"}


@pytest.mark.parametrize(
    ("when", "zone", "text"),
    [
        (datetime(2026, 11, 23, 23, 5, tzinfo=UTC), "Europe/Berlin", "Today, 00:05"),
        (datetime(2026, 11, 23, 22, 5, tzinfo=UTC), "Europe/Berlin", "Yesterday, 23:05"),
        (datetime(2026, 11, 23, 22, 5, tzinfo=UTC), "UTC", "Today, 22:05"),
        (datetime(2026, 11, 3, 22, 5, tzinfo=UTC), "UTC", "3 Nov 2026"),
    ],
)
def test_a_moment_is_told_by_the_clock_its_people_read(when: datetime, zone: str, text: str) -> None:
    assert moment(when, now=NOW, time_zone=zone) == text


def test_a_published_page_with_a_newer_version_says_so() -> None:
    assert status_of({"status": "draft", "version": 3, "published_version": None})["status"] == "draft"
    assert status_of({"status": "published", "version": 3, "published_version": 3})["status"] == "published"
    changed = status_of({"status": "published", "version": 3, "published_version": 2})
    assert changed == {"status": "changed", "label": "Unpublished changes"}


def test_a_snippet_follows_what_is_typed_even_when_it_is_not_right_yet() -> None:
    full = snippet("About us", "/Team/About", "Who we are.", SITE)
    assert full["address"].split(" \u203a ") == ["acme.example", "team", "about"]
    assert (full["title"], full["description"]) == ("About us · Acme", "Who we are.")
    assert snippet("About us", "", "", SITE)["address"].endswith("about-us")
    assert snippet("", "", "", None)["address"].startswith("your site")
    assert snippet("x", "/a?b", "", SITE)["address"].endswith("a?b")
    assert len(snippet("x", "", "word " * 99, SITE)["description"]) <= 157
