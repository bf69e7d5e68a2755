"""The raw lane: host -> site, path -> bytes. No session, no template, and on a hit no database (D7).

L1 is this process's memory, L2 the `page_render` table; a miss renders once however many ask.
A publish tells every process at its commit (NOTIFY), and they forget that address. When the
listening connection breaks, everything is asked of L2 until it is back; when the database is
away, what is in memory is served, however old.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from shipworthy.kernel.context import Scope
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.addresses import canonical_path, encoded
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.render import (
    CSP,
    Rendered,
    origin,
    ready,
    render_missing,
    render_page,
    revision,
    robots_txt,
)
from shipworthy.rooms.site.sitemap import render_sitemap

_HOST_TTL_S = 10.0
_HOSTS_MAX = 20_000
_RELISTEN_S = 1.0

_Header = tuple[bytes, bytes]
_COMMON: list[_Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"vary", b"accept-encoding"),
]


@dataclass(frozen=True, slots=True)
class Site:
    """What a host shows."""

    tenant_id: uuid.UUID
    site_id: uuid.UUID
    host: str  # the site's own host
    is_primary: bool


@dataclass(slots=True)
class Entry:
    """One cached answer with its headers built. `fresh` turns false when the page changed."""

    rendered: Rendered
    plain: list[_Header]
    gzipped: list[_Header]
    unchanged: list[_Header]
    fresh: bool = True

    @property
    def size_bytes(self) -> int:
        return len(self.rendered.body) + len(self.rendered.gzipped)


class Lane:
    """An ASGI application for every host that is not the console's."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._hosts: OrderedDict[str, tuple[float, Site | None]] = OrderedDict()
        self._entries: OrderedDict[tuple[uuid.UUID, str], Entry] = OrderedDict()
        self._entries_bytes = 0
        self._flights: dict[tuple[uuid.UUID, str], asyncio.Future[Entry | None]] = {}
        self._listening = False
        settings = runtime.settings.site
        self._cache_control = (
            f"public, max-age=0, s-maxage={settings.shared_max_age_s}, "
            f"stale-while-revalidate={settings.stale_while_revalidate_s}, stale-if-error=604800"
        ).encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        host = accept_encoding = none_match = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"accept-encoding":
                accept_encoding = value
            elif name == b"if-none-match":
                none_match = value
        site = await self._site(host.decode("latin-1").lower().partition(":")[0])
        if site is None:
            await _answer(
                send,
                scope,
                421,
                [(b"content-type", b"text/plain; charset=utf-8")],
                b"This server does not serve that address.\n",
            )
            return
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(
                send,
                scope,
                405,
                [(b"allow", b"GET, HEAD"), (b"content-type", b"text/plain")],
                b"This address takes GET only.\n",
            )
            return
        entry, state = await self._entry(site, scope["path"])
        if entry is None:
            await self._elsewhere(site, scope, send)
            return
        if none_match and none_match in (entry.plain[0][1], entry.gzipped[0][1]):
            await _answer(send, scope, 304, [*entry.unchanged, (b"x-cache", state)], b"")
        elif b"gzip" in accept_encoding:
            await _answer(send, scope, 200, [*entry.gzipped, (b"x-cache", state)], entry.rendered.gzipped)
        else:
            await _answer(send, scope, 200, [*entry.plain, (b"x-cache", state)], entry.rendered.body)

    async def _site(self, host: str) -> Site | None:
        known = self._hosts.get(host)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        try:
            async with self._runtime.database.begin(Scope(self._runtime.realm_id)) as tx:
                row = await tx.maybe(q.domain_get, host=host)
        except Busy:
            if known is not None:
                return known[1]  # the database is away: what was true a moment ago is the best there is
            raise
        site = (
            Site(row["tenant_id"], row["site_id"], row["primary_host"], row["role"] == "primary")
            if row
            else None
        )
        self._hosts[host] = (time.monotonic() + _HOST_TTL_S, site)
        while len(self._hosts) > _HOSTS_MAX:
            self._hosts.popitem(last=False)
        return site

    async def _entry(self, site: Site, path: str) -> tuple[Entry | None, bytes]:
        key = (site.site_id, path)
        entry = self._entries.get(key)
        if entry is not None and entry.fresh and self._listening:
            return entry, b"hit"
        if path == "/robots.txt":
            return self._robots(site), b"hit"
        try:
            return await self._once(key, lambda: self._load(site, path)), b"miss"
        except Busy:
            if entry is None:
                raise
            return entry, b"stale"

    async def _once(
        self, key: tuple[uuid.UUID, str], load: Callable[[], Awaitable[Entry | None]]
    ) -> Entry | None:
        """Load once, however many ask at the same time."""
        flight = self._flights.get(key)
        if flight is not None:
            return await asyncio.shield(flight)
        flight = self._flights[key] = asyncio.ensure_future(load())
        flight.add_done_callback(lambda _done: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    async def _load(self, site: Site, path: str) -> Entry | None:
        """Read L2; where it has nothing, render what is published and keep it."""
        site_origin = origin(self._runtime.settings, site.host)
        wanted = revision(site_origin)
        async with self._runtime.database.begin(Scope(self._runtime.realm_id, site.tenant_id)) as tx:
            row = await tx.maybe(q.render_get, site_id=site.site_id, path=path, revision=wanted)
            if row is not None:
                rendered = Rendered(row["media_type"], row["etag"], bytes(row["body"]), bytes(row["gzipped"]))
            elif path == "/sitemap.xml":
                rendered = await render_sitemap(
                    tx, site.site_id, site_origin=site_origin, now=self._runtime.now()
                )
            else:
                page = await tx.maybe(q.published_page, site_id=site.site_id, path=path)
                if page is None:
                    self._forget((site.site_id, path))
                    return None
                menu = await tx.all(q.published_menu, site_id=site.site_id)
                rendered = render_page(
                    self._runtime.pages,
                    page,
                    menu,
                    site_origin=site_origin,
                    locale=self._runtime.settings.app.locale,
                )
                await tx.run(
                    q.render_put,
                    site_id=site.site_id,
                    path=path,
                    revision=wanted,
                    media_type=rendered.media_type,
                    etag=rendered.etag,
                    body=rendered.body,
                    gzipped=rendered.gzipped,
                    now=self._runtime.now(),
                )
        entry = self._built(rendered, site)
        self._keep((site.site_id, path), entry)
        return entry

    async def _elsewhere(self, site: Site, scope: Any, send: Any) -> None:
        """Redirect once to the canonical address where a page is; otherwise 404 at once."""
        canonical = canonical_path(scope["path"])
        if canonical != scope["path"]:
            entry, _ = await self._entry(site, canonical)
            if entry is not None:
                location = origin(self._runtime.settings, site.host) + encoded(canonical)
                await _answer(
                    send,
                    scope,
                    308,
                    [(b"location", location.encode()), (b"cache-control", b"public, max-age=3600")],
                    b"",
                )
                return
        body = render_missing(
            self._runtime.pages, site_title=site.host, locale=self._runtime.settings.app.locale
        )
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-robots-tag", b"noindex"),
            (b"content-security-policy", CSP.encode()),
        ]
        await _answer(send, scope, 404, headers, body)

    def _robots(self, site: Site) -> Entry:
        site_origin = origin(self._runtime.settings, site.host)
        return self._built(
            ready(
                "text/plain; charset=utf-8", robots_txt(site_origin=site_origin, is_primary=site.is_primary)
            ),
            site,
        )

    def _built(self, rendered: Rendered, site: Site) -> Entry:
        etag = rendered.etag.encode()
        etag_gzip = etag[:-1] + b'-gz"'
        shared: list[_Header] = [
            (b"content-type", rendered.media_type.encode()),
            (b"cache-control", self._cache_control),
            *_COMMON,
        ]
        if rendered.media_type.startswith("text/html"):
            shared.append((b"content-security-policy", CSP.encode()))
        if not site.is_primary:
            shared.append((b"x-robots-tag", b"noindex"))
        return Entry(
            rendered,
            plain=[(b"etag", etag), *shared, (b"content-length", str(len(rendered.body)).encode())],
            gzipped=[
                (b"etag", etag_gzip),
                *shared,
                (b"content-encoding", b"gzip"),
                (b"content-length", str(len(rendered.gzipped)).encode()),
            ],
            unchanged=[(b"etag", etag), (b"cache-control", self._cache_control), *_COMMON],
        )

    def _keep(self, key: tuple[uuid.UUID, str], entry: Entry) -> None:
        self._forget(key)
        self._entries[key] = entry
        self._entries_bytes += entry.size_bytes
        while self._entries_bytes > self._runtime.settings.site.cache_bytes_max:
            self._entries_bytes -= self._entries.popitem(last=False)[1].size_bytes

    def _forget(self, key: tuple[uuid.UUID, str]) -> None:
        if (old := self._entries.pop(key, None)) is not None:
            self._entries_bytes -= old.size_bytes

    def changed(self, payload: str) -> None:
        """A publish was committed: `site_id path`, or `site_id *` for all of a site."""
        site, _, path = payload.partition(" ")
        site_id = uuid.UUID(site)
        for key, entry in self._entries.items():
            if key[0] == site_id and path in ("*", key[1]):
                entry.fresh = False

    async def listen_forever(self) -> None:
        """Hold the listening connection; while it is away, nothing in L1 counts as fresh."""
        while True:
            connection = None
            try:
                connection = await self._runtime.database.listen("site_changed", self.changed)
                for entry in self._entries.values():
                    entry.fresh = False  # what changed while nobody listened is unknown
                self._listening = True
                while not connection.is_closed():
                    await asyncio.sleep(_RELISTEN_S)
            except Busy as away:
                log.warning("site cache waits for the database", extra={"reason": away.code})
                await asyncio.sleep(_RELISTEN_S)
            finally:
                self._listening = False
                if connection is not None:
                    await self._runtime.database.unlisten(connection)


async def _answer(send: Any, scope: Any, status: int, headers: list[_Header], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
