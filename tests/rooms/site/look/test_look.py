"""Choosing a theme, a colour and who may crawl: seen on every page at once, refused when it is none of ours.

Covers: change, web.
"""

from __future__ import annotations

import pytest

from shipworthy.gauntlet.probes.robots_rules import read_robots
from tests.rooms.site.conftest import Author, author, until
from tests.support.app import RunningApp
from tests.support.page import parse

LOOK = {"theme": "letter", "accent": "plum", "crawlers": "search-only"}


async def test_a_site_looks_as_chosen_at_once(acme: Author) -> None:
    await acme.show("Home", "/")
    before = await acme.visitor.text("/")
    changed = await acme.send("PUT", "/api/site/look", LOOK)
    assert (changed.status, changed.json) == (200, LOOK)
    after = await acme.visitor.text("/")
    assert parse(after).one("html").attributes["data-accent"] == "plum"
    assert parse(before).one("style").text != parse(after).one("style").text
    assert (await acme.get("/api/site/look")).json == LOOK


async def test_it_is_chosen_by_form_and_shown_there(acme: Author) -> None:
    assert (await acme.submit("/site/look", **LOOK)).status == 303
    chosen = [
        e.attributes["value"] for e in parse((await acme.get("/site/look")).text).all("option")
        if "selected" in e.attributes
    ]  # fmt: skip
    assert chosen == list(LOOK.values())


@pytest.mark.parametrize("field", ["theme", "accent", "crawlers"])
async def test_what_nobody_can_choose_is_refused_by_field(acme: Author, field: str) -> None:
    refused = await acme.send("PUT", "/api/site/look", {**LOOK, field: "sunset"})
    assert (refused.status, list(refused.json["fields"])) == (422, [field])
    assert (await acme.submit("/site/look", **{**LOOK, field: "sunset"})).status == 422
    assert (await acme.get("/api/site/look")).json[field] != "sunset"


async def test_who_may_only_read_chooses_nothing(app: RunningApp, acme: Author) -> None:
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.send("PUT", "/api/site/look", LOOK)).status == 403
    assert "Save" not in (await viewer.get("/site/look")).text.partition('<main id="main"')[2]


async def test_robots_txt_follows_the_choice(acme: Author) -> None:
    await acme.show("Home", "/")
    assert read_robots((await acme.visitor.ask("/robots.txt")).text).allows("GPTBot", "/")
    for crawlers, gptbot, googlebot in (
        ("search-only", False, True),
        ("closed", False, False),
        ("open", True, True),
    ):
        await acme.send("PUT", "/api/site/look", {**LOOK, "crawlers": crawlers})

        async def robots() -> tuple[bool, bool]:
            found = read_robots((await acme.visitor.ask("/robots.txt")).text)
            return found.allows("GPTBot", "/"), found.allows("Googlebot", "/")

        await until(robots, lambda allowed, want=(gptbot, googlebot): allowed == want)
