"""robots.txt says what the owner chose, and the site's own host where the sitemap is."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from shipworthy.gauntlet.probes.robots_rules import read_robots
from shipworthy.rooms.site.collectors import COLLECTORS
from shipworthy.rooms.site.robots import PRESETS, robots_txt

DATA = Path(os.environ.get("SHIPWORTHY_TEST_DATA", "../shared/data"))
ASKED_BY_A_PERSON = (
    "ChatGPT-User",
    "Claude-User",
    "Perplexity-User",
    "MistralAI-User",
    "OAI-SearchBot",
    "Claude-SearchBot",
)


def written(crawlers: str, *, is_primary: bool = True) -> str:
    return robots_txt(site_origin="https://acme.example", is_primary=is_primary, crawlers=crawlers).decode()


@pytest.mark.parametrize("crawlers", PRESETS)
def test_only_the_sites_own_host_names_its_sitemap_and_another_forbids_nothing(crawlers: str) -> None:
    other = written(crawlers, is_primary=False)
    assert other == "User-agent: *\nAllow: /\n"  # it is kept out of indexes by a header, which must be seen
    assert ("Sitemap: https://acme.example/sitemap.xml\n" in written(crawlers)) == (crawlers != "closed")


def test_open_lets_everybody_in_and_closed_nobody() -> None:
    everybody = (*COLLECTORS, *ASKED_BY_A_PERSON, "Googlebot", "bingbot")
    assert all(read_robots(written("open")).allows(name, "/x") for name in everybody)
    assert not any(read_robots(written("closed")).allows(name, "/x") for name in everybody)


def test_search_only_refuses_collectors_and_nobody_who_looks_something_up() -> None:
    robots = read_robots(written("search-only"))
    # A token has no digits (RFC 9309, 2.2.1); crawlers that call themselves otherwise look for their own name.
    tokens = [name.partition(" ")[0] for name in COLLECTORS if not re.search(r"[0-9]", name)]
    assert [name for name in tokens if robots.allows(name, "/")] == []
    named = ("GPTBot", "ClaudeBot", "CCBot", "Google-Extended", "Applebot-Extended", "Bytespider")
    assert set(named) <= set(COLLECTORS)
    for name in (
        *ASKED_BY_A_PERSON,
        "Googlebot",
        "bingbot",
        "Applebot",
        "DuckDuckBot",
        "Baiduspider",
        "YandexBot",
    ):
        assert robots.allows(name, "/"), name


def test_every_collector_is_one_that_others_know_too() -> None:
    known = DATA / "ai-robots" / "robots.json"
    if not known.is_file():
        pytest.skip(f"the list of AI agents is not at {known}; set SHIPWORTHY_TEST_DATA")
    assert set(COLLECTORS) <= set(json.loads(known.read_text(encoding="utf-8")))
    assert len(set(COLLECTORS)) == len(COLLECTORS)
