"""Addresses that never break: whatever people do with pages, in any order, every address that was ever shown leads
in one step to the page that stood there last, or says that it is gone; and nothing that is sent changes that."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.site.tree.move import TOP
from tests.rooms.site.conftest import PORT, Author, author, site_app

PATHS = ("/", "/a", "/a/x", "/b", "/b/y", "/c")
ELSEWHERE = "https://elsewhere.example/"
NUMBERS = itertools.count()

paths, pages = st.sampled_from(PATHS), st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("create"), paths),
    st.tuples(st.just("publish"), pages),
    st.tuples(st.just("publish"), pages),
    st.tuples(st.just("move"), pages, paths),
    st.tuples(st.just("move"), pages, paths),
    st.tuples(st.just("order"), pages, st.sampled_from(("up", "down", "in", "out"))),
    st.tuples(st.just("place"), pages, pages, st.sampled_from(("", "x", "z"))),
    st.tuples(st.just("unpublish"), pages),
    st.tuples(st.just("delete"), pages),
    st.tuples(st.just("restore"), pages),
    st.tuples(st.just("redirect"), paths, st.sampled_from((*PATHS, ELSEWHERE))),
    st.tuples(st.just("unredirect"), paths),
)


class World:
    """One tenant's website, what was done to it, and where its addresses have to lead by now."""

    def __init__(self, person: Author) -> None:
        self.person = person
        self.made: list[str] = []  # pages, in the order they were written
        self.shown: dict[str, str] = {}  # address -> the page that was shown there last
        self.by_hand: dict[str, tuple[str, str, str]] = {}  # address -> redirect, what it names, which
        self.pages: dict[str, tuple[str, str]] = {}  # page -> address and status

    async def step(self, what: str, *of: Any) -> None:
        send = self.person.send
        if what == "create":
            answer = await send("POST", "/api/pages", {"title": "A page", "path": of[0], "body": "Text."})
            if answer.status == 201:
                self.made.append(answer.json["page_id"])
        elif what == "redirect":
            await self._redirect(*of)
        elif what == "unredirect":
            redirect, *_ = self.by_hand.pop(of[0], ("",))
            if redirect:
                self.shown.pop(of[0], None)  # somebody decided that nothing leads on from there
                assert (await send("DELETE", f"/api/redirects/{redirect}")).status == 204
        elif self.made:
            path = f"/api/pages/{self.made[of[0] % len(self.made)]}"
            if what == "move":
                answer = await send(
                    "PUT", path, {"title": "A page", "path": of[1], "body": "Text."}, if_match="*"
                )
            elif what == "order":
                answer = await send("POST", f"{path}/order", {"way": of[1]})
            elif what == "place":
                below = self.made[of[1] % len(self.made)]
                answer = await send("POST", f"{path}/place", {"parent_id": below, "rest": of[2]})
            elif what == "delete":
                answer = await send("DELETE", path)
            else:
                answer = await send("POST", f"{path}/{what}")
            assert answer.status in (200, 204, 404, 409, 422), f"{what}: {answer.status} {answer.text[:300]}"
        await self._look()

    async def _redirect(self, path: str, to: str) -> None:
        answer = await self.person.send("POST", "/api/redirects", {"from_path": path, "to": to})
        assert answer.status in (201, 409, 422), answer.text
        if answer.status == 201:
            one = answer.json
            names = ("page", one["to_page_id"]) if one["to_page_id"] else ("url", one["to_url"])
            self.by_hand[path] = (one["redirect_id"], *names)

    async def _look(self) -> None:
        rows = await self.person.app.admin(
            "select page_id, parent_id, path, status from page where tenant_id = $1", self.person.tenant_id
        )
        there = {row["path"]: row["page_id"] for row in rows if row["status"] != "deleted"}
        for path, parent in ((row["path"], row["parent_id"]) for row in rows if row["status"] != "deleted"):
            above = [path[:end] for end in range(1, len(path)) if path[end] == "/" and path[:end] in there]
            assert parent == (there[above[-1]] if above else TOP), (path, there)
        self.pages = {str(row["page_id"]): (row["path"], row["status"]) for row in rows}
        for page, (path, status) in self.pages.items():
            if status == "published":
                self.shown[path] = page
                self.by_hand.pop(path, None)  # a page that is shown wins

    async def check(self) -> None:
        own = f"http://{self.person.host}:{PORT}"
        for path in {*self.shown, *self.by_hand}:
            answer = await self.person.visitor.ask(path)
            got = (answer.status, answer.header("location"))
            assert got == self._expected(path, own), (path, self.pages, self.shown, self.by_hand)
            if got[1] and got[1].startswith(own):  # one step, and there is a page
                assert (await self.person.visitor.ask(got[1].removeprefix(own))).status == 200
        redirects = (await self.person.get("/api/redirects")).json["redirects"]
        live = {path for path, status in self.pages.values() if status == "published"}
        assert not live & {redirect["from_path"] for redirect in redirects}

    def _expected(self, path: str, own: str) -> tuple[int, str | None]:
        if (path, "published") in self.pages.values():
            return 200, None
        _, kind, to = self.by_hand.get(path, ("", "page", self.shown.get(path, "")))
        if kind == "url":
            return 301, to
        there, status = self.pages[to]
        return {"published": (301, own + there), "deleted": (410, None), "draft": (404, None)}[status]


class Running:
    """An app on an event loop of its own, for tests that are no coroutines."""

    def __init__(self, cluster: PostgresAddress, state: Path) -> None:
        self._runner = asyncio.Runner()
        self._context = site_app(cluster, state)
        self.app = self._runner.run(self._context.__aenter__())

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)

    def stop(self) -> None:
        self._runner.run(self._context.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(scope="module")
def running(cluster: PostgresAddress) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as state:
        app = Running(cluster, Path(state))
        yield app
        app.stop()


@settings(max_examples=25)
@given(steps=st.lists(STEPS, min_size=6, max_size=24))
def test_every_address_ever_shown_leads_in_one_step_to_where_it_should(running: Running, steps: Any) -> None:
    async def story() -> None:
        world = World(await author(running.app, f"T{next(NUMBERS)}"))
        for path in PATHS[:4]:
            await world.step("create", path)
            await world.step("publish", len(world.made) - 1)
        for number, step in enumerate(steps):
            await world.step(*step)
            if number % 4 == 3:
                await world.check()
        await world.check()

    running.run(story())


def test_the_check_sees_an_address_that_leads_nowhere_and_one_that_leads_to_the_wrong_page(
    running: Running,
) -> None:
    async def story() -> None:
        world = World(await author(running.app, "Broken"))
        for step in (("create", "/a"), ("publish", 0), ("move", 0, "/b"), ("create", "/c"), ("publish", 1)):
            await world.step(*step)
        await world.check()
        hosts = running.app.runtime.state["site.lane"]._hosts
        for broken in (
            "update redirect set to_page_id = $1 where from_path = '/a' and tenant_id = (select tenant_id from page where page_id = $1)",
            "delete from redirect where to_page_id = $1",
        ):
            await running.app.admin(broken, world.made[1])
            hosts.everything_changed()  # nobody announced that
            with pytest.raises(AssertionError):
                await world.check()

    running.run(story())


HOSTILE = {
    "host-like": ("x-forwarded-host", "x-host", "x-forwarded-server", "x-http-host-override", "forwarded",
                  "x-original-host", "x-backend-host", "cf-connecting-host"),
    "path-like": ("x-original-url", "x-rewrite-url", "x-forwarded-path", "x-forwarded-prefix", "x-envoy-original-path",
                  "x-script-name", "x-original-uri", "request-uri", "destination", "x-waws-unencoded-url"),
    "scheme-like": ("x-forwarded-proto", "x-forwarded-scheme", "x-url-scheme", "x-forwarded-ssl", "front-end-https",
                    "x-scheme", "upgrade-insecure-requests", "x-arr-ssl"),
    "who": ("x-forwarded-for", "x-real-ip", "true-client-ip", "cf-connecting-ip", "x-client-ip", "fastly-client-ip",
            "via", "user-agent", "referer", "origin", "authorization", "cookie", "x-user", "x-tenant-id"),
    "form": ("accept", "accept-language", "accept-charset", "rsc", "next-router-state-tree", "x-nextjs-data",
             "x-middleware-prefetch", "x-requested-with", "x-http-method-override", "x-method-override", "purpose",
             "sec-purpose", "save-data", "dnt", "sec-gpc", "width", "viewport-width", "content-type", "range",
             "cache-control", "pragma", "if-modified-since", "x-cache-key", "surrogate-capability"),
}  # fmt: skip


def test_sixty_headers_change_neither_an_answer_nor_what_is_kept(running: Running) -> None:
    names = [name for group in HOSTILE.values() for name in group]
    assert len(set(names)) >= 60

    async def story() -> None:
        acme = await author(running.app, "Hostile")
        page = await acme.show("Home", "/home")
        await acme.edit(page, path="/moved")
        shelf = running.app.runtime.state["site.lane"]._shelf
        for path in ("/moved", "/home", "/nothing", "/robots.txt"):
            await acme.visitor.until_hit(path)
            plain, kept = await acme.visitor.ask(path), len(shelf)
            for name in names:
                for value in ("evil.example", "https://evil.example/x", "1"):
                    answer = await acme.visitor.ask(path, **{name.replace("-", "_"): value})
                    assert (answer.status, answer.headers, answer.body) == (
                        plain.status, plain.headers, plain.body,
                    ), (path, name)  # fmt: skip
            assert len(shelf) == kept

    running.run(story())


def test_however_an_address_is_written_there_is_one_step_or_none(running: Running) -> None:
    async def story() -> None:
        acme = await author(running.app, "Forms")
        await acme.edit(await acme.show("Café", "/old/café"), path="/new/café")
        own = f"http://{acme.host}:{PORT}"
        new, old = "/new/caf%C3%A9", "/old/caf%C3%A9"
        for form in ("{}/", "/{}", "/x/..{}", "/.{}", "{}/.", "{}//", "/%2e{}", "{}?", "{}/?a=1"):
            for path, status in ((new, 308), (old, 301)):
                answer = await acme.visitor.ask(form.format(path))
                query = "?a=1" if "a=1" in form else ""
                wanted = 200 if form == "{}?" and status == 308 else status
                assert answer.status == wanted, form.format(path)
                assert answer.header("location") in (None if wanted == 200 else f"{own}{new}{query}",)
            missing = await acme.visitor.ask(form.format("/nothing"))
            assert (missing.status, missing.header("location")) == (404, None)
        for written in (
            new.upper(),
            new.replace("C3%A9", "c3%a9"),
            "/new/cafe%CC%81",
            "/new%2Fcaf%C3%A9",
            "/NEW/CAF%C3%89",
        ):
            assert (await acme.visitor.ask(written)).header("location") == own + new, written
        for written in (old.upper(), "/old/cafe%CC%81", "/old%2fcaf%C3%A9/"):
            answer = await acme.visitor.ask(written)
            assert (answer.status, answer.header("location")) == (301, own + new), written

    running.run(story())
