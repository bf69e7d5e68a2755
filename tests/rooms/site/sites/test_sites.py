"""Several sites of one tenant: each is a website of its own, and what was begun on one never lands on another.

Covers: chosen, many, web.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from shipworthy.rooms.site.sites.many import SITES_MAX
from shipworthy.rooms.site.sites.web import ROUTES
from tests.rooms.site.conftest import PORT, Author, Counted, author, work
from tests.support.app import RunningApp


async def add(person: Author, title: str, **fields: str) -> dict[str, Any]:
    person.app.runtime.now.move(1)  # type: ignore[attr-defined]  # the first site is the oldest
    answer = await person.send("POST", "/api/sites", {"title": title, **fields})
    assert answer.status == 201, answer.text
    site: dict[str, Any] = answer.json
    return site


async def on(person: Author, site: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
    """Ask as a program that says which site it means."""
    answer = await person.send(method, path, body, x_site=site["site_id"])
    assert answer.status in (200, 201), answer.text
    return answer.json


async def test_each_site_is_a_website_of_its_own(acme: Author) -> None:
    await acme.show("Welcome", "/")
    (first,) = (await acme.get("/api/sites")).json["sites"]
    assert (first["host"], first["locale"]) == (acme.host, None)
    shop = await add(acme, "Acme Laden", label="Shop", tagline="Alles für den Garten", locale="de")
    assert shop["host"] == f"shop.{acme.host}"
    page = await on(
        acme, shop, "POST", "/api/pages", {"title": "Willkommen", "path": "/", "body": "Guten Tag."}
    )
    assert page["url"] == f"http://shop.{acme.host}:{PORT}/"
    await acme.publish(page)
    await acme.publish(
        await on(acme, shop, "POST", "/api/pages", {"title": "Preise", "path": "/preise", "body": "x"})
    )
    await on(acme, shop, "PUT", "/api/site/look", {"theme": "letter", "accent": "plum", "crawlers": "open"})
    item = {"url": "https://elsewhere.example/", "label": "Woanders"}
    await on(acme, shop, "PUT", "/api/menus/footer", {"items": [item]})
    await on(acme, shop, "POST", "/api/redirects", {"from_path": "/alt", "to": "/preise"})
    await work(acme.app)

    there = (await acme.visitor.ask("/", host=shop["host"])).text
    for said in (
        'lang="de"',
        'data-accent="plum"',
        "Zum Inhalt springen",
        "Acme Laden",
        "Alles für den Garten",
        "Woanders",
    ):
        assert said in there
    here = await acme.visitor.text("/")
    for said in ("Acme Laden", "Woanders", "Preise"):
        assert said not in here
    assert 'lang="en"' in here
    for path, own, foreign in (
        ("/sitemap.xml", f"http://shop.{acme.host}:{PORT}/preise", f"http://{acme.host}:{PORT}/"),
        ("/feed.xml", "Preise", "Welcome"),
        (
            "/robots.txt",
            f"http://shop.{acme.host}:{PORT}/sitemap.xml",
            f"http://{acme.host}:{PORT}/sitemap.xml",
        ),
    ):
        text = (await acme.visitor.ask(path, host=shop["host"])).text
        assert own in text
        assert foreign not in text
    assert "/preise" not in (await acme.visitor.ask("/sitemap.xml")).text
    assert (await acme.visitor.ask("/preise")).status == (await acme.visitor.ask("/alt")).status == 404
    assert (await acme.visitor.ask("/alt", host=shop["host"])).status == 301

    async def titles(path: str, **headers: str) -> list[str]:
        answer = await acme.client.request(
            "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        return sorted(page["title"] for page in answer.json["pages"])

    assert await titles("/api/pages") == ["Welcome"]
    assert await titles("/api/pages", x_site=shop["site_id"]) == ["Preise", "Willkommen"]
    assert await titles("/api/pages/tree", x_site=shop["site_id"]) == ["Preise", "Willkommen"]
    await acme.send("DELETE", f"/api/pages/{page['page_id']}")
    assert await titles("/api/pages/bin") == []
    assert await titles("/api/pages/bin", x_site=shop["site_id"]) == ["Willkommen"]


async def test_a_choice_holds_and_a_form_stays_with_the_site_it_was_made_for(acme: Author) -> None:
    await acme.show("Welcome", "/")
    shop = await add(acme, "Shop")
    chosen = await acme.submit(f"/sites/{shop['site_id']}/choose")
    assert (chosen.status, chosen.header("location")) == (303, "/pages")
    assert acme.client.cookies["site"] == shop["site_id"]
    form = (await acme.get("/pages/new")).text
    fields = dict(re.findall(r'type="hidden" name="(site)" value="([^"]+)"', form))
    assert fields == {"site": shop["site_id"]}
    (first, _) = (await acme.get("/api/sites")).json["sites"]
    await acme.submit(f"/sites/{first['site_id']}/choose")  # in another tab, meanwhile
    made = await acme.submit("/pages", title="In the shop", body="x", **fields)
    assert made.status == 303
    await acme.submit("/site/look", theme="letter", accent="plum", crawlers="open", **fields)
    sites = {site["title"]: site["theme"] for site in (await acme.get("/api/sites")).json["sites"]}
    assert sites["Shop"] == "letter"
    assert [p["title"] for p in (await acme.get("/api/pages")).json["pages"]] == ["Welcome"]
    assert "In the shop" in (await acme.get(made.header("location") or "")).text
    switch = (await acme.get("/sites/switcher")).text
    assert "Shop" in switch
    assert "<b>Welcome" not in switch
    # What was chosen and is no site of the tenant's is as if nothing had been.
    for nonsense in ("", "nonsense", "00000000-0000-0000-0000-000000000000"):
        acme.client.cookies["site"] = nonsense
        assert "Welcome" in (await acme.get("/pages")).text


async def test_a_domain_that_was_not_shown_yet_goes_to_the_site_it_is_claimed_for_last(acme: Author) -> None:
    await acme.show("Welcome", "/")
    shop = await add(acme, "Shop")
    mine = f"www.{acme.host}"
    first = await on(acme, shop, "POST", "/api/domains", {"host": mine})
    again = (await acme.send("POST", "/api/domains", {"host": mine})).json
    assert (again["claim_id"], again["txt_value"]) == (first["claim_id"], first["txt_value"])
    assert (await on(acme, shop, "GET", "/api/domains"))["claims"] == []
    assert (await acme.send("POST", f"/api/domains/{first['claim_id']}/verify")).status == 200
    taken = await acme.send("POST", "/api/domains", {"host": mine}, x_site=shop["site_id"])
    assert (taken.status, taken.json["code"]) == (409, "site.host_taken")


async def test_a_name_and_a_language_are_seen_at_once_on_every_page(acme: Author) -> None:
    await acme.show("Welcome", "/")
    await acme.visitor.until_hit("/")
    (site,) = (await acme.get("/api/sites")).json["sites"]
    named = {"title": " Acme  & Töchter ", "tagline": "Seit 1998", "locale": "de"}
    answer = await acme.send("PUT", f"/api/sites/{site['site_id']}", named)
    assert (answer.status, answer.json["title"]) == (200, "Acme & Töchter")
    text = await acme.visitor.text("/")
    assert 'lang="de"' in text
    assert "Seit 1998" in text
    assert 'inLanguage": "de"' in text
    assert "Hier ist keine Seite" in (await acme.visitor.ask("/nothing")).text
    assert "Acme &amp; T" in (await acme.get(f"/sites/{site['site_id']}")).text


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"title": ""}, "title"), ({"title": "x" * 201}, "title"), ({"title": "a\u202eb"}, "title"),
     ({"title": "A", "locale": "fr"}, "locale"), ({"title": "A", "label": "a.b"}, "label"),
     ({"title": "A", "label": "preview"}, "label"), ({"title": "A", "label": "-a"}, "label"),
     ({"title": "A", "tagline": "x" * 201}, "tagline")],
)  # fmt: skip
async def test_what_no_site_can_be_called_is_refused_by_its_field(
    acme: Author, fields: Any, field: str
) -> None:
    await acme.show("Welcome", "/")
    refused = await acme.send("POST", "/api/sites", fields)
    assert (refused.status, refused.json["code"]) == (422, "site.naming_invalid")
    assert field in refused.text
    screen = await acme.submit("/sites", **fields)
    assert screen.status == 422
    assert f'id="f-{field}-error"' in screen.text
    assert len((await acme.get("/api/sites")).json["sites"]) == 1


async def test_a_host_is_made_from_the_name_and_never_taken_from_another(
    app: RunningApp, acme: Author
) -> None:
    await acme.show("Welcome", "/")
    made = [
        (await add(acme, title))["host"] for title in ("Grüne Häuser!", "Grüne Häuser!", "Preview", "北京")
    ]
    assert made[0] == f"grune-hauser.{acme.host}"
    assert re.fullmatch(rf"grune-hauser-[0-9a-f]{{6}}\.{acme.host}", made[1])
    assert re.fullmatch(rf"preview-[0-9a-f]{{6}}\.{acme.host}", made[2])
    assert made[3] == f"site.{acme.host}"
    taken = await acme.send("POST", "/api/sites", {"title": "x", "label": "grune-hauser"})
    assert (taken.status, taken.json["code"]) == (409, "site.host_taken")
    for n in range(SITES_MAX - 5):
        await add(acme, f"Site {n}")
    full = await acme.send("POST", "/api/sites", {"title": "One more"})
    assert (full.status, full.json["code"]) == (409, "site.sites_full")


async def test_sites_are_the_tenants_alone_and_each_route_keeps_its_statements(
    app: RunningApp, acme: Author
) -> None:
    globex = await author(app, "Globex")
    await acme.show("Welcome", "/")
    await globex.show("Mine", "/")
    shop = await add(acme, "Secret shop")
    one = {"site_id": shop["site_id"]}
    for method, path in (("GET", ""), ("PUT", "")):
        body = {"title": "Taken"} if method == "PUT" else None
        assert (await globex.send(method, f"/api/sites/{shop['site_id']}{path}", body)).status == 404
    assert (await globex.submit(f"/sites/{shop['site_id']}/choose")).status == 404
    assert (await globex.get(f"/sites/{shop['site_id']}")).status == 404
    for nobodys in (shop["site_id"], "nonsense"):  # named, so nothing lands on another site instead
        listed = await globex.client.request("GET", "/api/pages", headers={"x-site": nobodys})
        assert listed.status == 404
        assert (await globex.submit("/pages", title="x", site=nobodys)).status == 404
    assert [page["title"] for page in (await globex.get("/api/pages")).json["pages"]] == ["Mine"]
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.send("POST", "/api/sites", {"title": "x"})).status == 403
    counted = Counted()
    await counted.ask(acme, "GET /api/sites")
    await counted.ask(acme, "POST /api/sites", body={"title": "A"})
    await counted.ask(acme, "GET /api/sites/{site_id}", **one)
    await counted.ask(acme, "PUT /api/sites/{site_id}", body={"title": "B"}, **one)
    await counted.ask(acme, "GET /sites")
    await counted.ask(acme, "GET /sites/switcher")
    await counted.ask(acme, "POST /sites", form={"title": "C"})
    await counted.ask(acme, "POST /sites/{site_id}/choose", form={}, **one)
    await counted.ask(acme, "GET /sites/{site_id}", **one)
    await counted.ask(acme, "POST /sites/{site_id}", form={"title": "D"}, **one)
    assert counted.seen == {f"{route.method} {route.path}" for route in ROUTES}
