"""No crawler of a search engine is refused or shown something else: all that are known, by their own names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from shipworthy.gauntlet.probes.robots_rules import read_robots
from tests.rooms.site.conftest import Author

KNOWN = Path(os.environ.get("SHIPWORTHY_TEST_DATA", "../shared/data")) / "crawler-user-agents" / "crawler-user-agents.json"  # fmt: skip


def search_engines() -> list[dict[str, Any]]:
    if not KNOWN.is_file():
        pytest.skip(f"the list of crawlers is not at {KNOWN}; set SHIPWORTHY_TEST_DATA")
    return [
        known for known in json.loads(KNOWN.read_text(encoding="utf-8")) if "search-engine" in known["tags"]
    ]


async def test_every_search_engine_reads_what_a_visitor_reads(acme: Author) -> None:
    agents = [agent for known in search_engines() for agent in known["instances"]]
    assert len(agents) > 100
    await acme.show("Home", "/")
    for path in ("/", "/robots.txt", "/sitemap.xml"):
        shown = await acme.visitor.ask(path)
        assert shown.status == 200
        for agent in agents:
            answer = await acme.visitor.ask(path, user_agent=agent.encode("ascii", "ignore").decode())
            assert (answer.status, answer.body) == (200, shown.body), agent
            assert not answer.header("x-robots-tag"), agent


async def test_robots_txt_lets_each_of_them_in(acme: Author) -> None:
    tokens = {known["pattern"].partition("\\/")[0].partition("/")[0] for known in search_engines()}
    await acme.show("Home", "/")
    robots = read_robots((await acme.visitor.ask("/robots.txt")).text)
    assert [token for token in sorted(tokens) if not robots.allows(token, "/")] == []
    assert len(robots.sitemaps) == 1
