"""The raw lane: host -> site, path -> bytes. No session, no template, and on a hit no database (D7).

A miss reads and renders once, however many ask. A publish tells every process at its commit (NOTIFY): what was made
of what changed is out of date. While the listening connection is broken, everything is asked of the database; while
that is away or slow, what is kept is served, however old. There is no second cache in the database (ADR 0010).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shipworthy.kernel.context import Scope
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.edge.crawlers import says_it_crawls
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.addresses import (
    ATOM_PATH,
    ROBOTS_PATH,
    RSS_PATH,
    encoded,
    is_sitemap,
    requested_path,
)
from shipworthy.rooms.site.answers import Answers, refusal, shared
from shipworthy.rooms.site.asked import Asked, asked_of, is_known
from shipworthy.rooms.site.assets.names import PREFIX
from shipworthy.rooms.site.assets.private import PRIVATE, answer_private
from shipworthy.rooms.site.assets.serve import load_picture
from shipworthy.rooms.site.cards.keep import load_card
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import CHANNEL, announced, on_change
from shipworthy.rooms.site.codings import coding_of
from shipworthy.rooms.site.crawled import Crawled
from shipworthy.rooms.site.feeds import load_feed
from shipworthy.rooms.site.flights import Flights
from shipworthy.rooms.site.forms.taking import FORMS, Forms
from shipworthy.rooms.site.head import CARDS
from shipworthy.rooms.site.hosts import PATIENCE_S, Hosts, Site
from shipworthy.rooms.site.preview.show import show_preview
from shipworthy.rooms.site.redirects.hits import Hits
from shipworthy.rooms.site.redirects.leads import GONE, STATUSES, leads_to, with_query
from shipworthy.rooms.site.render import render_missing, render_page
from shipworthy.rooms.site.robots import robots_txt
from shipworthy.rooms.site.shelf import (
    HIT,
    MISS,
    NO_BODY,
    STALE,
    Entry,
    Form,
    Shelf,
    make_form,
    send_bytes,
    start_message,
)
from shipworthy.rooms.site.sitemap import load_sitemap
from shipworthy.rooms.site.tags import LOOK, SITEMAP, path_tag
from shipworthy.rooms.site.telling.indexnow import key_of
from shipworthy.rooms.site.visits.beacon import BEACON_PATH, SCRIPT
from shipworthy.rooms.site.visits.taking import Visits

_READING = ("GET", "HEAD")
_ROUTE = "site"  # the name of this lane in the metrics
_VISIT = BEACON_PATH.encode()
_ROBOTS = ROBOTS_PATH.encode()
_PICTURES, _CARDS = f"{PREFIX}/".encode(), CARDS.encode()
_FEEDS = (RSS_PATH.encode(), ATOM_PATH.encode())
_PAUSE_S = 1.0  # after the database failed to answer, until it is asked again for what is kept anyway
_HEARD_MAX = 1_000  # announcements remembered, for the second time they are heard
_BEAT_S, _BEAT_TIMEOUT_S, _RELISTEN_S = 1.0, 2.0, 0.5

_UNKNOWN_HOST = refusal(421, "This server does not serve that address.")
_ONLY_GET = refusal(405, "This address takes GET only.", (b"allow", b"GET, HEAD"))
_NO_PREVIEW = refusal(
    404, "There is nothing here. A link to a preview ends after an hour: open it again in the editor."
)
_TOO_MUCH = refusal(413, "That is more than a page says.")
_NOTHING = make_form(204, [(b"cache-control", b"no-store")], b"", etag=b"", kept=())
_CRASH = refusal(500, "Something broke on our side. The error is logged.")
_BUSY = refusal(
    503, "We cannot show this page at the moment. Try again in a few seconds.", (b"retry-after", b"5")
)


class Lane:
    """An ASGI application for every host that is not the console's."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._hosts = Hosts(runtime)
        self._answers = Answers(runtime.settings.site)
        self._shelf = Shelf(bytes_max=runtime.settings.site.cache_bytes_max)
        self._flights: Flights[Entry] = Flights()
        self.visits = Visits(runtime)
        self._forms = Forms(runtime)
        self._script = SCRIPT if runtime.settings.site.visits_counted else ""
        self._heard: OrderedDict[str, None] = OrderedDict()
        self.hits = Hits(runtime)
        self.crawled = Crawled(runtime)
        self._is_listening = False
        self._ask_again_at = 0.0
        counter = runtime.metrics.counter(
            "site_cache_answers_total", "Answers of the website, by where they came from.", "state"
        )
        self._counted = {state: counter.labels(state.decode()) for state in (HIT, MISS, STALE)}
        on_change(runtime, self.changed)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began = time.perf_counter()
        try:
            status = await self._serve(scope, receive, send)
        except Busy:
            status = await _refuse(send, scope, 503, _BUSY)
        except Exception:  # the edge of the lane: the one place where a crash becomes an answer
            log.exception("page crashed", extra={"path": scope["path"]})
            status = await _refuse(send, scope, 500, _CRASH)
        self._runtime.metrics.request(_ROUTE, status, time.perf_counter() - began, 0)

    def at_once(self, request: Mapping[str, Any]) -> tuple[bytes, bytes] | None:
        """Return the kept answer of a request as bytes, when there is one and it is fresh.

        Cost:    about 6 us where the same answer costs 60 as messages through the server (2026-11).
        """
        began = time.perf_counter()
        method = request["method"]
        asked = asked_of(request["headers"])
        site = self._hosts.known(asked.host)
        if site is None or method not in _READING:
            return None
        entry = self._shelf.get(site.prefix + request["raw_path"])
        if entry is None or not self._is_current(entry) or _carries_query(entry, request):
            return None
        bot = says_it_crawls(asked.user_agent)
        if bot and self.crawled.is_scarce(site.tenant_id):
            return None
        self._counted[HIT].inc()
        if entry.hit is not None:
            self.hits.count((entry.hit,))
        form = entry.forms[coding_of(asked.accept_encoding)]
        is_there = is_known(form, asked)
        status = 304 if is_there else entry.status
        self._runtime.metrics.request(_ROUTE, status, time.perf_counter() - began, 0)
        if is_there:
            return form.wire_not_modified, b""
        if method != "GET":
            return form.wire, b""
        if bot:
            self.crawled.count(site.tenant_id, len(form.wire_body))
        return form.wire, form.wire_body

    async def _serve(self, scope: Any, receive: Any, send: Any) -> int:
        asked = asked_of(scope["headers"])
        site = await self._hosts.find(asked.host)
        if site is None:
            return await _refuse(send, scope, 421, _UNKNOWN_HOST)
        raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
        if scope["method"] not in _READING:
            return await self._taken(site, scope, receive, send, raw_path)
        if site.role == "preview" and raw_path != _ROBOTS:
            return await self._preview(site, scope, send)
        if raw_path.startswith(PRIVATE):
            return await answer_private(self._runtime, site, scope, send, raw_path)
        return await self._read(site, asked, scope, send, raw_path)

    async def _read(self, site: Site, asked: Asked, scope: Any, send: Any, raw_path: bytes) -> int:
        bot = says_it_crawls(asked.user_agent) and raw_path != _ROBOTS
        if bot and (refused := self.crawled.refusal(site.tenant_id, asked.user_agent, scope)):
            return await _refuse(send, scope, *refused)
        key = site.prefix + raw_path
        entry, state = self._shelf.get(key), HIT
        if entry is None or not self._is_current(entry):
            entry, state = await self._fetch(site, raw_path, key, entry)
        self._counted[state].inc()
        if entry.hit is not None:
            self.hits.count((entry.hit,))
        form = entry.forms[coding_of(asked.accept_encoding)]
        if is_known(form, asked):
            is_hit = state is HIT
            headers = form.not_modified_headers
            await send(form.not_modified if is_hit else start_message(304, [*headers, (b"x-cache", state)]))
            await send(NO_BODY)
            return 304
        if state is HIT and not _carries_query(entry, scope):
            await send(form.start)
        else:
            await send(start_message(entry.status, [*_headers(entry, form, scope), (b"x-cache", state)]))
        if bot and scope["method"] == "GET":
            self.crawled.count(site.tenant_id, len(form.wire_body))
        await send(NO_BODY if scope["method"] == "HEAD" else form.body)
        return entry.status

    async def _taken(self, site: Site, scope: Any, receive: Any, send: Any, raw_path: bytes) -> int:
        is_post = scope["method"] == "POST"
        if is_post and site.is_primary and raw_path.startswith(FORMS):
            return await self._forms.answer(scope, receive, send, site, raw_path.decode("latin-1"))
        if not is_post or raw_path != _VISIT:
            return await _refuse(send, scope, 405, _ONLY_GET)
        status = await self.visits.take(scope, receive, site)
        return await _refuse(send, scope, status, _NOTHING if status == 204 else _TOO_MUCH)

    async def _preview(self, site: Site, scope: Any, send: Any) -> int:
        """Answer the preview host: the page a token opens, or that nothing is there."""
        shown = await show_preview(self._runtime, site, scope["query_string"])
        if shown is None:
            return await _refuse(send, scope, 404, _NO_PREVIEW)
        return await send_bytes(send, scope, 200, *shown)

    def _is_current(self, entry: Entry) -> bool:
        return self._is_listening and entry.is_fresh

    async def _fetch(
        self, site: Site, raw_path: bytes, key: bytes, kept: Entry | None
    ) -> tuple[Entry, bytes]:
        """Return a fresh answer, or the kept one while the database does not say better."""
        if (text := self._fixed_text(site, raw_path)) is not None:
            if kept is None:
                kept = self._answers.fixed(text, site)
                self._shelf.keep(key, kept)
            return kept, HIT
        if kept is not None and time.monotonic() < self._ask_again_at:
            return kept, STALE
        count = site.freshness.count
        try:
            # The count is in the key: who asks after a change does not join a fetch from before it.
            async with asyncio.timeout(None if kept is None else PATIENCE_S):
                made = self._runtime.tracer.traced(_ROUTE, lambda: self._load(site, raw_path, key, count))
                return await self._flights.once((key, count), made), MISS
        except (Busy, TimeoutError):
            if kept is None:
                raise
            self._ask_again_at = time.monotonic() + _PAUSE_S
            return kept, STALE

    def _fixed_text(self, site: Site, raw_path: bytes) -> bytes | None:
        """Return a text that needs no database: robots.txt, and the key of IndexNow where that is on."""
        if raw_path == _ROBOTS:
            return robots_txt(site_origin=site.origin, is_primary=site.is_primary, crawlers=site.crawlers)
        if self._runtime.settings.site.indexnow_url:
            key = key_of(self._runtime.signing_key, site.site_id)
            if raw_path == f"/{key}.txt".encode():
                return key.encode()
        return None

    async def _load(self, site: Site, raw_path: bytes, key: bytes, count: int) -> Entry:
        if is_sitemap(raw_path.decode("latin-1")):
            entry = await self._load_sitemap(site, raw_path, count)
        elif raw_path in _FEEDS:
            entry = await self._load_feed(site, raw_path, count)
        elif raw_path.startswith(_PICTURES):
            entry = await self._load_picture(site, raw_path, count)
        else:
            entry = await self._load_page(site, raw_path, count)
        self._shelf.keep(key, entry)
        return entry

    async def _load_sitemap(self, site: Site, raw_path: bytes, count: int) -> Entry:
        async with self._runtime.database.begin(Scope(self._runtime.realm_id, site.tenant_id)) as tx:
            rendered = await load_sitemap(tx, site.site_id, raw_path.decode(), site_origin=site.origin)
        if rendered is None:
            missing = await self._load_page(site, raw_path, count)  # where no page can be
            return shared(missing, count, SITEMAP)
        if site.role == "alias":
            to = site.origin + raw_path.decode()
            return self._answers.redirect(301, to, site, count, tags=(SITEMAP,))
        return self._answers.found(rendered, site, count)

    async def _load_feed(self, site: Site, raw_path: bytes, count: int) -> Entry:
        around = {"site_origin": site.origin, "locale": site.locale}
        async with self._runtime.database.begin(Scope(self._runtime.realm_id, site.tenant_id)) as tx:
            rendered = await load_feed(tx, site.site_id, raw_path.decode(), **around)
        if rendered is None:
            missing = await self._load_page(site, raw_path, count)  # where no page can be
            return shared(missing, count, SITEMAP)
        return self._answers.found(rendered, site, count)

    async def _load_picture(self, site: Site, raw_path: bytes, count: int) -> Entry:
        if raw_path.startswith(_CARDS):
            card = await load_card(self._runtime, site.tenant_id, raw_path)
            return self._answers.picture(card, site, count, tag=SITEMAP)
        picture = await load_picture(self._runtime.files, site.tenant_id, raw_path)
        return self._answers.picture(picture, site, count)

    async def _load_page(self, site: Site, raw_path: bytes, count: int) -> Entry:
        """Return the page; where it stands elsewhere, or is asked for in another way of writing or at another
        host, one redirect to it; else that it is missing, or gone."""
        path = requested_path(raw_path) or ""
        async with self._runtime.database.begin(Scope(self._runtime.realm_id, site.tenant_id)) as tx:
            page = await tx.one(q.published_page, site_id=site.site_id, path=path)
        around = {"site_origin": site.origin, "locale": site.locale}
        if page["path"] is None:
            return self._elsewhere(site, path, page, around, count)
        address = encoded(path)
        if site.role == "alias":
            return self._answers.redirect(301, site.origin + address, site, count, tags=(path_tag(path),))
        if address.encode() != raw_path:
            return self._answers.respelled(site.origin + address, site, count, tags=(path_tag(path),))
        rendered = render_page(self._runtime.pages, page, page["menu"], **around, script=self._script)
        return self._answers.found(rendered, site, count)

    def _elsewhere(self, site: Site, path: str, page: Record, around: Any, count: int) -> Entry:
        """Return where the address leads that shows no page, however it was written: one step, or none."""
        leads = leads_to(page, self._runtime.settings)
        tags = (path_tag(path), *((path_tag(page["target_path"]),) if page["target_path"] else ()))
        if leads is None:
            return shared(self._missing(site, page, around, count), count, *tags)
        hit = (site.tenant_id, leads.redirect_id)
        if leads.status != GONE:
            return self._answers.redirect(leads.status, leads.to, site, count, tags=tags, hit=hit)
        gone = shared(self._missing(site, page, around, count, status=GONE), count, *tags)
        gone.hit = hit
        return gone

    def _missing(self, site: Site, page: Record, around: Any, count: int, *, status: int = 404) -> Entry:
        """Return that nothing is there. All addresses of a site with that answer share its memory."""
        key = site.prefix + b"%d" % status
        entry = self._shelf.get(key)
        if entry is None or not entry.is_fresh:
            rendered = render_missing(self._runtime.pages, page, page["menu"], status=status, **around)
            entry = self._answers.missing(rendered, site, count, status=status)
            self._shelf.keep(key, entry)
        return entry

    def changed(self, payload: str) -> None:
        """Something of a site changed: what is kept and was made of it is out of date."""
        site_id, tags, name = announced(payload)
        if LOOK in tags:
            self._hosts.ask_again(site_id)
        freshness = self._hosts.freshness_of(site_id)
        if freshness is not None and self._is_news(name):
            freshness.changed(tags)

    def _is_news(self, name: str) -> bool:
        """Say whether an announcement is heard for the first time. The process that made it hears it twice,
        both times after its commit, and would fetch twice whatever is asked for in between."""
        if not name:
            return True
        if name in self._heard:
            del self._heard[name]
            return False
        self._heard[name] = None
        while len(self._heard) > _HEARD_MAX:
            self._heard.popitem(last=False)
        return True

    async def listen_forever(self) -> None:
        """Hear of changes; while that is not certain, nothing that is kept counts as fresh."""
        while True:
            try:
                await self._listen()
            except Busy as away:
                log.warning("site cache waits for the database", extra={"reason": away.code})
            await asyncio.sleep(_RELISTEN_S)

    async def _listen(self) -> None:
        database = self._runtime.database
        connection = await database.listen(CHANNEL, self.changed)
        try:
            self._hosts.everything_changed()  # what changed while nobody listened is unknown
            self._is_listening = True
            while await database.hears(connection, timeout_s=_BEAT_TIMEOUT_S):  # noqa: ASYNC110
                await asyncio.sleep(_BEAT_S)  # a heartbeat: silence must be noticed
            log.warning("site cache no longer hears of changes")
        finally:
            self._is_listening = False
            await database.unlisten(connection)


def _carries_query(entry: Entry, request: Mapping[str, Any]) -> bool:
    """Say whether the answer depends on the query: a redirect takes it along."""
    return entry.status in STATUSES and bool(request["query_string"])


def _headers(entry: Entry, form: Form, scope: Any) -> list[tuple[bytes, bytes]]:
    """Return the headers; a redirect takes the query along, for links carry trackers."""
    if not _carries_query(entry, scope):
        return form.headers
    query = scope["query_string"]
    return [
        (name, with_query(value, query) if name == b"location" else value) for name, value in form.headers
    ]


async def _refuse(send: Any, scope: Any, status: int, form: Form) -> int:
    await send(start_message(status, form.headers))
    await send(NO_BODY if scope["method"] == "HEAD" else form.body)
    return status
