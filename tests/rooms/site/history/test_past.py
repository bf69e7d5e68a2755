"""Versions through the screens and the API: listed, read, restored as a new one, by their own people only.

Covers: web.
"""

from __future__ import annotations

import uuid

from tests.rooms.site.conftest import Author, author
from tests.support.app import RunningApp
from tests.support.page import parse


async def test_versions_are_listed_with_author_and_what_visitors_see(acme: Author) -> None:
    page = await acme.show("First", "/x", body="One.")
    page = await acme.edit(page, title="Second")
    listed = parse((await acme.get(f"/pages/{page['page_id']}/versions")).text)
    rows = [[cell.text for cell in row.all("td")] for row in listed.one("tbody").all("tr")]
    assert [[row[0], row[1], row[2]] for row in rows] == [
        ["Version 2", "Second", "acme@example.test"],
        ["Version 1", "First", "acme@example.test"],
    ]
    assert [e.text for e in listed.all("span", "badge")] == ["Newest", "Visitors see this"]
    told = (await acme.get(f"/api/pages/{page['page_id']}/versions")).json
    assert [(v["version"], v["is_published"]) for v in told["versions"]] == [(2, False), (1, True)]
    assert (await acme.get(f"/api/pages/{page['page_id']}/versions?below=2")).json["versions"][0][
        "version"
    ] == 1


async def test_a_version_shows_what_changed_in_it_and_since_it(acme: Author) -> None:
    page = await acme.write("Offer", body="Call before May.")
    page = await acme.edit(page, body="Call before June.")
    await acme.edit(page, body="Call us.")
    address = f"/pages/{page['page_id']}/versions/2"
    shown = parse((await acme.get(address)).text)
    assert [e.text for e in (*shown.all("del"), *shown.all("ins"))] == ["May.", "June."]
    since = parse((await acme.get(f"{address}?against=newest")).text)
    assert "us." in [e.text for e in since.all("ins")]
    assert "The first version" in (await acme.get(f"/pages/{page['page_id']}/versions/1")).text
    for missing in ("9", "0", "x", "-1", "1" * 30):
        assert (await acme.get(f"/pages/{page['page_id']}/versions/{missing}")).status == 404


async def test_an_earlier_version_is_restored_as_a_new_one_under_the_version_seen(acme: Author) -> None:
    page = await acme.show("First", "/x", body="One.")
    page = await acme.edit(page, title="Second", body="Two.")
    address = f"/pages/{page['page_id']}/versions/1/restore"
    assert (await acme.submit(address, version="1")).status == 412
    assert (await acme.submit(address, version="2")).status == 303
    restored = (await acme.get(f"/api/pages/{page['page_id']}")).json
    assert (restored["title"], restored["body"], restored["version"]) == ("First", "One.", 3)
    api = f"/api{address.replace('/1/', '/2/')}"
    assert (await acme.send("POST", api)).status == 428
    assert (await acme.send("POST", api, if_match='"2"')).status == 412
    assert (await acme.send("POST", api, if_match='"3"')).json["version"] == 4
    assert (await acme.get(f"/api/pages/{page['page_id']}")).json["title"] == "Second"
    kept = await acme.app.admin("select title from page_version order by version")
    assert [row["title"] for row in kept] == ["First", "Second", "First", "Second"]


async def test_a_neighbour_and_a_viewer_restore_nothing(app: RunningApp, acme: Author) -> None:
    page = await acme.write("Secret")
    address = f"/pages/{page['page_id']}/versions"
    globex = await author(app, "Globex")
    await globex.write("Mine")
    nothing = await globex.get(f"/pages/{uuid.uuid4()}/versions")
    for path in (address, f"{address}/1", f"/api{address}"):
        foreign = await globex.get(path)
        assert foreign.status == 404
        assert "Secret" not in foreign.text
    assert nothing.status == 404
    assert (await globex.submit(f"{address}/1/restore")).status == 404
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert "Restore" not in (await viewer.get(f"{address}/1")).text
    assert (await viewer.submit(f"{address}/1/restore")).status == 403
