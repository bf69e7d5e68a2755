"""The picture of a shared link: drawn once from what stands on it, and only for pages that visitors see.

Covers: draw, keep.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageChops

from shipworthy.rooms.site.cards.draw import draw_card
from tests.rooms.site.assets.conftest import work
from tests.rooms.site.conftest import Author, author
from tests.support.app import RunningApp
from tests.support.page import parse
from tests.support.pictures import opened


def address_of(html: str) -> str:
    """Return the path of the card a page names."""
    (image,) = [e for e in parse(html).all("meta") if e.attributes.get("property") == "og:image"]
    return "/" + str(image.attributes["content"]).split("/", 3)[3]


def cards(app: RunningApp) -> list[Path]:
    return [file for file in app.installation.state.rglob("card/*") if file.is_file()]


async def test_a_page_that_is_published_gets_its_card_from_the_queue(app: RunningApp, acme: Author) -> None:
    page = await acme.show("Spring offer", "/spring")
    assert cards(app) == []
    assert "site.card" in await work(app)
    (file,) = cards(app)
    shown = await acme.visitor.ask(address_of(await acme.visitor.text("/spring")))
    assert (shown.status, shown.header("content-type")) == (200, "image/png")
    assert shown.header("cache-control") == "public, max-age=31536000, immutable"
    assert shown.body == file.read_bytes()
    assert opened(shown.body).size == (1200, 630)
    await acme.publish(page)
    await work(app)
    assert cards(app) == [file]


async def test_a_card_that_is_missing_is_drawn_when_it_is_asked_for(app: RunningApp, acme: Author) -> None:
    await acme.show("Spring offer", "/spring")
    where = address_of(await acme.visitor.text("/spring"))
    assert (await acme.visitor.ask(where)).status == 200
    assert len(cards(app)) == 1


async def test_nobody_can_have_cards_drawn_that_no_page_names(app: RunningApp, acme: Author) -> None:
    page = await acme.show("Spring offer", "/spring")
    where = address_of(await acme.visitor.text("/spring"))
    other = await author(app, "Globex")
    await other.show("Home", "/")
    made_up = where.rpartition("-")[0] + "-0123456789abcdef.png"
    for path in (made_up, where.replace(".png", ".jpg"), where.upper()):
        assert (await acme.visitor.ask(path)).status == 404, path
    assert (await other.visitor.ask(where)).status == 404
    await acme.unpublish(page)
    assert (await acme.visitor.ask(where)).status == 404
    assert cards(app) == []


@pytest.mark.parametrize(
    "title", ["A", "Öl & Gas", "word " * 80, "W" * 200, "日本語", "Fjord 日本 land", " "]
)
def test_every_title_makes_a_card_and_the_same_one_each_time(title: str) -> None:
    drawn = draw_card(title=title, site_title="Acme", accent="pine")
    assert drawn == draw_card(title=title, site_title="Acme", accent="pine")
    assert opened(drawn).size == (1200, 630)
    assert len(drawn) < 100_000


def test_nothing_is_written_past_the_edge() -> None:
    long, none = (
        opened(draw_card(title=title, site_title="Acme", accent="plum")).convert("RGB")
        for title in ("Wohnungsbaugenossenschaft " * 9, "日本")
    )
    apart = ImageChops.difference(long, none).convert("L").point(lambda value: 255 if value > 60 else 0)
    left, top, right, bottom = apart.getbbox()
    assert left >= 80
    assert top >= 80
    assert right <= 1125
    assert bottom < 500
