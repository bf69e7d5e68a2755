"""A whole website saved, fetched by its signed address, and sent to another organisation: what visitors get is the same, and
so is the archive made of it there.

Covers: archive_lines, restoring, saving.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from shipworthy.rooms.site.addresses import encoded
from tests.rooms.site.conftest import Author, author, seeded, site_of
from tests.rooms.site.exchange.conftest import act, bring, items, list_pages, send, work, zipped
from tests.support.app import RunningApp


async def saved(person: Author) -> bytes:
    """Have the site saved, and fetch it as a person does: by the address that is told."""
    asked = await person.send("POST", "/api/site/export")
    assert asked.status == 200 and asked.json["status"] == "making", asked.text
    await work(person.app, "site.export")
    told = (await person.get("/api/site/export")).json
    assert told["status"] == "made"
    fetched = await person.app.client().get(told["path"])  # without a session: the address is the permission
    assert fetched.status == 200 and len(fetched.body) == told["bytes"]
    assert fetched.header("content-type") == "application/zip"
    return bytes(fetched.body)


async def seen_by_visitors(person: Author, paths: list[str]) -> dict[str, tuple[int, str, str]]:
    """Return what stands at each address, without the host it stands on."""
    await work(person.app, "site.sitemap", "site.variants")
    told, own = {}, str(await site_of(person))  # a feed names the site it is of
    for path in paths:
        answer = await person.visitor.ask(path)
        text = answer.body.decode("utf-8", "replace").replace(person.host, "HOST").replace(own, "SITE")
        told[path] = (answer.status, (answer.header("location") or "").replace(person.host, "HOST"), text)
    return told


async def test_a_saved_website_is_the_same_one_elsewhere(app: RunningApp) -> None:
    acme, _ = await seeded(app)
    later = (app.runtime.now() + timedelta(days=3)).isoformat()
    draft = await acme.write("Half done", path="/half", body="Not yet.")
    planned = await acme.write("To come", path="/to-come", body="Soon.")
    plan = await acme.send("PUT", f"/api/pages/{planned['page_id']}/plan", {"publish_at": later})
    assert plan.status in (200, 204), plan.text
    home = next(page for page in await list_pages(acme) if page["path"] == "/")
    whole = (await acme.get(f"/api/pages/{home['page_id']}")).json
    await acme.edit(whole, body=whole["body"] + "\n\nOnly in the draft.") if whole["body"] else None
    await acme.send("PUT", "/api/site/look", {"theme": "letter", "accent": "plum", "crawlers": "search-only"})
    menu = [
        {
            "page_id": next(p["page_id"] for p in await list_pages(acme) if p["path"] == "/contact"),
            "label": "Ask us",
        },
        {"url": "https://shop.example/", "label": "Shop", "is_below": True},
    ]
    assert (await acme.send("PUT", "/api/menus/main", {"items": menu})).status in (200, 204)
    naming = {"title": "Nordwind", "tagline": "Plumbing", "locale": "de"}
    own = await site_of(acme)
    assert (await acme.send("PUT", f"/api/sites/{own}", naming)).status in (200, 204)
    archive = await saved(acme)
    assert menu_of(archive) == ["Ask us", "Shop"]

    beta = await author(app, "Beta")
    import_id = await bring(beta, archive)
    refused = [item for item in await items(beta, import_id) if item["outcome"] != "done"]
    assert refused == []
    assert await saved(beta) == archive  # byte for byte

    pages = await list_pages(acme)
    redirects = (await acme.get("/api/redirects")).json["redirects"]
    paths = [
        *(encoded(page["path"]) for page in pages),
        *(encoded(r["from_path"]) for r in redirects if not r["is_gone"]),
    ]
    files = ["/sitemap.xml", "/feed.xml", "/atom.xml", "/robots.txt", draft["path"]]
    contact = (await acme.visitor.ask("/contact")).text
    pictures = sorted(
        {part.partition('"')[0] for part in contact.split('src="')[1:] if part.startswith("/_a/")}
    )
    assert pictures and len(paths) > 8
    assert await seen_by_visitors(beta, [*paths, *files, *pictures]) == await seen_by_visitors(
        acme, [*paths, *files, *pictures]
    )
    (there,) = await app.admin(
        "select count(*) as n from page where publish_at is not null and tenant_id = $1", beta.tenant_id
    )
    assert there["n"] == 1
    assert await list_pages(acme) == await list_pages(beta)  # ids, versions and days, too

    # It comes back to where it was made, and changes nothing there.
    again = await send(acme, archive)
    kinds = {(item["kind"], item["outcome"]) for item in await items(acme, again["import_id"])}
    assert {kind for kind in kinds if kind[0] != "settings"} <= {
        ("page", "known"),
        ("picture", "known"),
        ("redirect", "skipped"),
        ("redirect", "new"),
    }

    # And it can be taken out again: how the other site was called and looked comes back.
    await act(beta, import_id, "undo")
    assert await list_pages(beta) == []
    (site,) = await app.admin("select title, theme, locale from site where tenant_id = $1", beta.tenant_id)
    assert (site["title"], site["theme"], site["locale"]) == ("Beta", "harbour", None)
    assert (await beta.get("/api/menus")).json["main"] == []


def menu_of(archive: bytes) -> list[str]:
    lines = zipfile.ZipFile(io.BytesIO(archive)).read("menus.jsonl").splitlines()
    return [json.loads(line)["label"] for line in lines]


async def test_a_domain_of_an_archive_is_told_and_not_taken(app: RunningApp, acme: Author) -> None:
    await acme.show("Home", "/")
    archive = await saved(acme)
    beta = await author(app, "Beta")
    import_id = await bring(
        beta,
        changed(
            archive, "site.json", lambda body: body.replace(b'"domains": []', b'"domains": ["acme.example"]')
        ),
    )
    told = next(item for item in await items(beta, import_id) if item["title"] == "acme.example")
    assert told["outcome"] == "skipped" and "TXT" in told["reason"]
    assert await app.admin("select * from site_domain where host = 'acme.example'") == []


async def test_a_menu_comes_without_the_pages_that_did_not(app: RunningApp, acme: Author) -> None:
    page = await acme.show("Home", "/")
    other = {"url": "https://shop.example/", "label": "Shop", "is_below": True}
    menu = {"items": [{"page_id": page["page_id"]}, other]}
    assert (await acme.send("PUT", "/api/menus/main", menu)).status in (200, 204)
    archive = await saved(acme)
    beta = await author(app, "Beta")
    await bring(beta, changed(archive, "pages.jsonl", lambda _: b""))
    (item,) = (await beta.get("/api/menus")).json["main"]
    assert (item["label"], item["is_below"]) == ("Shop", False)


async def test_an_archive_is_fetched_only_as_long_and_only_as_signed(
    app: RunningApp, acme: Author, clock: Any
) -> None:
    await acme.show("Home", "/")
    await saved(acme)
    path = (await acme.get("/api/site/export")).json["path"]
    stranger = app.client()
    assert (await stranger.get(path)).status == 200
    assert (await stranger.get(path.replace("export/", "import/"))).status == 403
    assert (await stranger.get(path[:-2] + "xx")).status == 403
    clock.move(3 * 3_600)
    assert (await stranger.get(path)).status == 403
    viewer = await author(app, "Acme", role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.get("/api/site/export")).status == 403
    assert "/files/" not in (await viewer.get("/imports")).text


def changed(archive: bytes, name: str, change: Any) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        files: dict[str, bytes | str] = {entry: read.read(entry) for entry in read.namelist()}
    files[name] = change(files[name])
    return zipped(files)


async def test_an_archive_that_somebody_changed_is_refused_or_comes_in_clean(
    app: RunningApp, acme: Author
) -> None:
    page = await acme.show("Home", "/")
    archive = await saved(acme)
    beta = await author(app, "Beta")
    line = json.loads(zipfile.ZipFile(io.BytesIO(archive)).read("pages.jsonl"))
    evil = {
        "type": "html",
        "v": 1,
        "id": "x",
        "data": {"code": "<script>alert(1)</script><b onclick=x()>hello</b>"},
    }

    def lines(**changes: Any) -> Any:
        return lambda _: json.dumps({**line, **changes}).encode() + b"\n"

    for change in (
        lines(path=5),
        lines(version=0),
        lines(versions=[]),
        lines(published_version=9),
        lines(page_id="../../etc"),
        lambda _: b"{" * 100_000,
    ):
        sent = await send(beta, changed(archive, "pages.jsonl", change))
        assert sent["status"] == "refused" and "pages.jsonl" in sent["refusal"], sent
    newer = await send(
        beta, changed(archive, "site.json", lambda body: body.replace(b'"version": 1', b'"version": 2'))
    )
    assert newer["status"] == "refused" and "newer" in newer["refusal"]
    assert await list_pages(beta) == []
    version = {**line["versions"][0], "blocks": [evil]}
    await bring(beta, changed(archive, "pages.jsonl", lines(versions=[version])))
    shown = (await beta.visitor.ask("/")).text
    assert "hello" in shown and "alert(1)" not in shown and "onclick" not in shown
    # The neighbour's page of the same id is another's.
    assert (await acme.get(f"/api/pages/{page['page_id']}")).json["blocks"] == page["blocks"]


async def test_redirects_of_an_archive_cannot_go_in_a_circle(app: RunningApp, acme: Author) -> None:
    await acme.show("Home", "/")
    archive = await saved(acme)
    rows = [
        {
            "from_path": "/a",
            "to_page_id": None,
            "to_url": f"http://{acme.host}/b",
            "status": 301,
            "origin": "manual",
        },
        {
            "from_path": "/b",
            "to_page_id": None,
            "to_url": "javascript:alert(1)",
            "status": 301,
            "origin": "manual",
        },
        {"from_path": "/c", "to_page_id": None, "to_url": None, "status": 301, "origin": "manual"},
        {"from_path": "/d", "to_page_id": None, "to_url": None, "status": 410, "origin": "manual"},
        {
            "from_path": "/e",
            "to_page_id": None,
            "to_url": "https://other.example/",
            "status": 302,
            "origin": "manual",
        },
        {
            "from_path": "/-/visit",
            "to_page_id": None,
            "to_url": "https://other.example/",
            "status": 302,
            "origin": "manual",
        },
    ]
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    await bring(acme, changed(archive, "redirects.jsonl", lambda _: body))
    answers = {row["from_path"]: (await acme.visitor.ask(row["from_path"])).status for row in rows}
    assert answers == {"/a": 404, "/b": 404, "/c": 404, "/d": 410, "/e": 302, "/-/visit": answers["/-/visit"]}


@pytest.mark.parametrize("times", [1])
async def test_a_second_archive_takes_the_place_of_the_first(
    app: RunningApp, acme: Author, times: int
) -> None:
    del times
    await acme.show("Home", "/")
    first = await saved(acme)
    await acme.show("More", "/more")
    assert await saved(acme) != first
    rows = await app.admin("select count(*) as n from site_export")
    assert rows[0]["n"] == 1
