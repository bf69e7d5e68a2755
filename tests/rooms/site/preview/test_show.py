"""A draft on the preview host: for whoever holds a token that is good, and for nobody's index or log."""

from __future__ import annotations

import logging
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest

from shipworthy.rooms.site.preview.token import TOKEN_TTL_S
from tests.rooms.site.conftest import PORT, Author, Clock, Visitor, author
from tests.support.app import RunningApp
from tests.support.client import Answer


async def opened(person: Author, page: dict[str, Any]) -> str:
    """Press the button; return the path and query it leads to on the preview host."""
    answer = await person.get(f"/pages/{page['page_id']}/preview")
    assert answer.status == 303, answer.text
    parts = urlsplit(str(answer.header("location")))
    assert parts.netloc == f"preview.{person.host}:{PORT}"
    return f"{parts.path}?{parts.query}"


async def look(person: Author, path: str) -> Answer:
    """Ask the preview host, and see that whatever it says is for no index."""
    answer = await Visitor(person.app.asgi, f"preview.{person.host}").ask(path)
    assert "noindex" in str(answer.header("x-robots-tag")), path
    return answer


async def test_a_draft_is_seen_in_its_newest_version_by_token_and_kept_by_nobody(acme: Author) -> None:
    page = await acme.show("Offer", "/offer", body="Published.")
    page = await acme.edit(page, body="Not yet.")
    path = await opened(acme, page)
    assert path.startswith("/offer?preview=")
    seen = await look(acme, path)
    assert (seen.status, "<p>Not yet.</p>" in seen.text) == (200, True)
    assert (seen.header("cache-control"), seen.header("referrer-policy")) == ("no-store", "no-referrer")
    policy = str(seen.header("content-security-policy"))
    assert "frame-ancestors http://localhost" in policy
    assert policy.startswith("sandbox")
    await acme.edit(page, body="Better.")
    assert "<p>Better.</p>" in (await look(acme, path)).text
    assert "Published." in await acme.visitor.text("/offer")


async def test_without_a_good_token_there_is_nothing(app: RunningApp, acme: Author, clock: Clock) -> None:
    page = await acme.show("Offer", "/offer")
    path = await opened(acme, page)
    globex = await author(app, "Globex")
    theirs = await opened(globex, await globex.write("Theirs", path="/offer"))
    for wrong in ("/offer", "/", "/offer?preview=", path[:-1], path[:-3] + "AAA", theirs, "/offer?preview=%ff",
                  "/offer?" + "&".join(["preview=a"] * 30)):  # fmt: skip
        assert (await look(acme, wrong)).status == 404, wrong
    assert (await acme.visitor.ask(path)).text == (await acme.visitor.ask("/offer")).text
    clock.move(TOKEN_TTL_S - 1)
    assert (await look(acme, path)).status == 200
    clock.move(1)
    assert (await look(acme, path)).status == 404


async def test_a_token_opens_no_page_that_is_gone_and_the_door_is_for_its_people(
    app: RunningApp, acme: Author
) -> None:
    page = await acme.write("Offer")
    globex = await author(app, "Globex")
    await globex.write("Mine")
    assert (await globex.get(f"/pages/{page['page_id']}/preview")).status == 404
    assert (await acme.get(f"/pages/{uuid.uuid4()}/preview")).status == 404
    assert (await app.client().get(f"/pages/{page['page_id']}/preview")).status in (303, 401)
    assert "Disallow: /" not in (await look(acme, "/robots.txt")).text  # or nobody would read the noindex


async def test_a_token_stands_in_no_log_even_when_showing_the_page_breaks(
    acme: Author, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = await opened(acme, await acme.write("Offer"))
    token = path.partition("preview=")[2]

    def broken(*_: Any, **__: Any) -> bytes:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("shipworthy.rooms.site.preview.show.render_preview", broken)
    with caplog.at_level(logging.DEBUG):
        answer = await Visitor(acme.app.asgi, f"preview.{acme.host}").ask(path)
    assert answer.status == 500
    logged = [str(vars(record)) for record in caplog.records]
    assert any("page crashed" in line for line in logged)
    assert not any(token in line for line in logged)
