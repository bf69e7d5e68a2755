"""A site's domains: whose they are, which one is its own, and that every other leads there.

Covers: web.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.settings import HttpSection, SiteSection
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site.domains.web import ROUTES
from shipworthy.rooms.site.room import ROOM
from tests.rooms.site.conftest import PORT, Author, Clock, Counted, author, site_app, work
from tests.rooms.site.domains.conftest import Dns
from tests.support.app import RunningApp, make_settings


@pytest.fixture
async def app(cluster: PostgresAddress, tmp_path: Path, clock: Clock, dns: Dns) -> AsyncIterator[RunningApp]:
    settings = make_settings(
        (ROOM,),
        http=HttpSection(public_port=PORT),
        site=replace(SiteSection(), dns_server=f"127.0.0.1:{dns.port}"),
    )
    async with site_app(cluster, tmp_path, now=clock, settings=settings) as running:
        yield running


async def claim(person: Author, host: str) -> dict[str, Any]:
    answer = await person.send("POST", "/api/domains", {"host": host})
    assert answer.status == 201, answer.text
    claimed: dict[str, Any] = answer.json
    return claimed


async def verify(person: Author, claimed: dict[str, Any]) -> tuple[int, Any]:
    answer = await person.send("POST", f"/api/domains/{claimed['claim_id']}/verify")
    return answer.status, answer.json


async def own(person: Author, dns: Dns, host: str) -> dict[str, Any]:
    """Claim a domain and show that it is ours."""
    claimed = await claim(person, host)
    dns.texts[claimed["txt_name"]] = ["v=spf1 -all", claimed["txt_value"]]
    assert (await verify(person, claimed))[0] == 200
    return claimed


async def hosts(person: Author) -> dict[str, str]:
    return {row["host"]: row["role"] for row in (await person.get("/api/domains")).json["hosts"]}


async def test_a_domain_leads_to_the_site_once_its_record_is_there(acme: Author, dns: Dns) -> None:
    await acme.show("About", "/about")
    claimed = await claim(acme, " HTTPS://WWW.Example.org/shop ")
    assert (claimed["host"], claimed["txt_name"]) == ("www.example.org", "_shipworthy.www.example.org")
    status, refused = await verify(acme, claimed)
    assert (status, refused["code"]) == (409, "site.host_unproven")
    assert "_shipworthy.www.example.org" in refused["detail"]
    dns.texts[claimed["txt_name"]] = ["somebody else's"]
    status, refused = await verify(acme, claimed)
    assert (status, refused["code"]) == (409, "site.host_unproven")
    assert claimed["txt_value"] in refused["detail"]
    assert (await acme.visitor.ask("/about", host="www.example.org")).status == 421
    dns.texts[claimed["txt_name"]] = [claimed["txt_value"]]
    assert (await verify(acme, claimed))[0] == 200
    assert (await verify(acme, claimed))[0] == 200  # again: it is so already
    lane = acme.app.runtime.state["site.lane"]
    lane._hosts._known.clear()  # within ten seconds by itself
    answer = await acme.visitor.ask("/about", host="www.example.org")
    assert (answer.status, answer.header("location")) == (301, f"http://{acme.host}:{PORT}/about")
    missing = await acme.visitor.ask("/nothing", host="www.example.org")
    assert (missing.status, missing.header("x-robots-tag")) == (404, "noindex")
    assert (await acme.visitor.ask("/about", host="other.example.org")).status == 421


async def test_the_site_moves_to_its_own_domain_in_one_step_everywhere(acme: Author, dns: Dns) -> None:
    await acme.show("About", "/about")
    await own(acme, dns, "example.org")
    await own(acme, dns, "www.example.org")
    lane = acme.app.runtime.state["site.lane"]
    lane._hosts._known.clear()
    for path in ("/about", "/sitemap.xml", "/robots.txt", "/feed.xml"):
        await acme.visitor.ask(path)
        await acme.visitor.ask(path, host="www.example.org")
    answer = await acme.send("POST", "/api/hosts/www.example.org/primary")
    assert answer.status == 200, answer.text
    assert await hosts(acme) == {
        acme.host: "alias", "example.org": "alias", "www.example.org": "primary", f"preview.{acme.host}": "preview",
    }  # fmt: skip
    await work(acme.app)
    there = f"http://www.example.org:{PORT}"
    page = await acme.visitor.ask("/about", host="www.example.org")
    assert (page.status, page.header("x-robots-tag")) == (200, None)
    assert f'<link rel="canonical" href="{there}/about">' in page.text
    assert acme.host not in page.text
    for host in (acme.host, "example.org"):
        answer = await acme.visitor.ask("/about", host=host)
        assert (answer.status, answer.header("location")) == (301, f"{there}/about")
        assert answer.header("x-robots-tag") == "noindex"
        assert "Sitemap" not in (await acme.visitor.ask("/robots.txt", host=host)).text
    for path in ("/sitemap.xml", "/feed.xml"):
        text = (await acme.visitor.ask(path, host="www.example.org")).text
        assert f"{there}/about" in text
        assert acme.host not in text
    assert (
        f"Sitemap: {there}/sitemap.xml"
        in (await acme.visitor.ask("/robots.txt", host="www.example.org")).text
    )
    assert (await acme.get("/api/pages")).status == 200


async def test_a_domain_that_one_tenant_showed_no_other_can_take(
    app: RunningApp, acme: Author, dns: Dns
) -> None:
    globex = await author(app, "Globex")
    await acme.show("Home", "/")
    await globex.show("Home", "/")
    theirs = await claim(globex, "shop.example")  # both may say so: it is theirs who shows it first
    mine = await own(acme, dns, "shop.example")
    assert theirs["txt_value"] != mine["txt_value"]
    dns.texts[theirs["txt_name"]] = [theirs["txt_value"]]
    status, refused = await verify(globex, theirs)
    assert (status, refused["code"]) == (409, "site.host_taken")
    for host in ("shop.example", acme.host, f"preview.{acme.host}", f"new.{acme.host}"):
        refused = await globex.send("POST", "/api/domains", {"host": host})
        assert refused.status in (201, 409, 422)
        assert (refused.status == 201) == (host == "shop.example")  # it was claimed before; it is not theirs
    for foreign in (
        await globex.send("POST", "/api/hosts/shop.example/primary"),
        await globex.send("DELETE", f"/api/domains/{mine['claim_id']}"),
        await globex.send("POST", f"/api/domains/{mine['claim_id']}/verify"),
    ):
        assert foreign.status == 404
    assert "shop.example" not in await hosts(globex)
    assert (await hosts(acme))["shop.example"] == "alias"


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "example", "127.0.0.1", "a..example", "-a.example", "a_b.example", "globex.localhost",
     f"{'a' * 64}.example", ".".join(["a" * 60] * 4) + ".example", "a.example:80x", "<b>.example", "a.1", "\u2026.example"],
)  # fmt: skip
async def test_what_is_no_domain_of_anybodys_is_refused(acme: Author, host: str) -> None:
    await acme.show("Home", "/")
    refused = await acme.send("POST", "/api/domains", {"host": host})
    assert (refused.status, refused.json["code"]) == (422, "site.host_invalid"), refused.text
    assert list(await hosts(acme)) == [acme.host, f"preview.{acme.host}"]


async def test_a_host_below_the_one_the_app_gave_needs_no_record(acme: Author, dns: Dns) -> None:
    await acme.show("Home", "/")
    assert (await verify(acme, await claim(acme, f"www.{acme.host}")))[0] == 200
    assert (await hosts(acme))[f"www.{acme.host}"] == "alias"
    assert dns.asked == []
    other = await claim(acme, "bücher.example")
    assert other["host"] == "xn--bcher-kva.example"


async def test_a_domain_is_removed_but_never_the_one_the_site_lives_on(acme: Author, dns: Dns) -> None:
    await acme.show("Home", "/")
    mine = await own(acme, dns, "example.org")
    waiting = await claim(acme, "waiting.example")
    assert (await acme.send("DELETE", f"/api/domains/{waiting['claim_id']}")).status == 204
    await acme.send("POST", "/api/hosts/example.org/primary")
    refused = await acme.send("DELETE", f"/api/domains/{mine['claim_id']}")
    assert (refused.status, refused.json["code"]) == (409, "site.host_needed")
    await acme.send("POST", f"/api/hosts/{acme.host}/primary")
    acme.app.runtime.state["site.lane"]._hosts._known.clear()
    assert (await acme.visitor.ask("/", host="example.org")).status == 301
    assert (await acme.send("DELETE", f"/api/domains/{mine['claim_id']}")).status == 204
    assert (await acme.visitor.ask("/", host="example.org")).status == 421
    assert (await acme.get("/api/domains")).json["claims"] == []
    for role in ("preview.", "nobody."):
        assert (await acme.send("POST", f"/api/hosts/{role}{acme.host}/primary")).status == 404


async def test_twenty_at_once_leave_one_claim_one_host_and_one_primary(acme: Author, dns: Dns) -> None:
    await acme.show("Home", "/")
    claims = await asyncio.gather(*(claim(acme, "example.org") for _ in range(20)))
    assert len({one["txt_value"] for one in claims}) == 1
    dns.texts["_shipworthy.example.org"] = [claims[0]["txt_value"]]
    proofs = await asyncio.gather(*(verify(acme, claims[0]) for _ in range(20)))
    assert {status for status, _ in proofs} == {200}
    chosen = await asyncio.gather(
        *(acme.send("POST", f"/api/hosts/{host}/primary") for host in ("example.org", acme.host) * 10)
    )
    assert {answer.status for answer in chosen} == {200}
    assert sorted((await hosts(acme)).values()) == ["alias", "preview", "primary"]


async def test_a_dns_that_says_nothing_is_no_proof_and_nothing_is_lost(acme: Author, dns: Dns) -> None:
    await acme.show("Home", "/")
    claimed = await claim(acme, "example.org")
    dns.code = 2
    status, refused = await verify(acme, claimed)
    assert (status, refused["code"]) == (502, "site.dns_unavailable")
    screen = await acme.submit(f"/site/domains/{claimed['claim_id']}/verify")
    assert screen.status == 502
    assert claimed["txt_value"] in screen.text  # what to type still stands there
    assert len((await acme.get("/api/domains")).json["claims"]) == 1


async def test_the_screen_says_what_to_type_and_each_route_keeps_its_statements(
    app: RunningApp, acme: Author, dns: Dns
) -> None:
    await acme.show("Home", "/")
    counted = Counted()
    await counted.ask(acme, "POST /api/domains", body={"host": "a.example"})
    added = await counted.ask(acme, "POST /site/domains", form={"host": "b.example"})
    claim_id = (added.header("location") or "").partition("#claim-")[2]
    text = (await counted.ask(acme, "GET /site/domains")).text
    for said in ("_shipworthy.b.example", "shipworthy-site=", "TXT", "CNAME", acme.host):
        assert said in text
    claims = (await counted.ask(acme, "GET /api/domains")).json["claims"]
    for one in claims:
        dns.texts[one["txt_name"]] = [one["txt_value"]]
    await counted.ask(acme, "POST /api/domains/{claim_id}/verify", claim_id=claims[0]["claim_id"])
    await counted.ask(acme, "POST /site/domains/{claim_id}/verify", form={}, claim_id=claim_id)
    await counted.ask(acme, "POST /api/hosts/{host}/primary", host="a.example")
    await counted.ask(acme, "POST /site/hosts/{host}/primary", form={}, host=acme.host)
    await counted.ask(acme, "DELETE /api/domains/{claim_id}", claim_id=claims[0]["claim_id"])
    await counted.ask(acme, "POST /site/domains/{claim_id}/remove", form={}, claim_id=claim_id)
    assert counted.seen == {f"{route.method} {route.path}" for route in ROUTES}
    viewer = await author(app, "Viewer", role="viewer", tenant_id=acme.tenant_id)
    assert (await viewer.send("POST", "/api/domains", {"host": "c.example"})).status == 403
    assert not re.search('action="/site/domains', (await viewer.get("/site/domains")).text)
