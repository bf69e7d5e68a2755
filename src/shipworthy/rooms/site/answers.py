"""Answers of the lane with their headers built: pages, redirects, what is missing, and refusals."""

from __future__ import annotations

import hashlib

from shipworthy.kernel.settings import SiteSection
from shipworthy.rooms.site.assets.serve import Picture
from shipworthy.rooms.site.hosts import Site
from shipworthy.rooms.site.render import CSP, HTML, Rendered, ready
from shipworthy.rooms.site.robots import robots_txt
from shipworthy.rooms.site.shelf import ENTRY_BYTES, FORMS_BYTES, Clock, Entry, Form, Header, make_form

# A header costs 2 µs of each hit in the server (2026-11), so what browsers do anyway is not said: their
# referrer policy is strict-origin-when-cross-origin already.
_SAFE: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"),)
_VARY: Header = (b"vary", b"accept-encoding")
_GZIP: Header = (b"content-encoding", b"gzip")
_CSP: Header = (b"content-security-policy", CSP.encode())
_FOR_EVER: Header = (b"cache-control", b"public, max-age=31536000, immutable")
_NO_STORE: Header = (b"cache-control", b"no-store")
_NOINDEX: Header = (b"x-robots-tag", b"noindex")
_TEXT: Header = (b"content-type", b"text/plain; charset=utf-8")


class Answers:
    """Builds the entries of one process."""

    def __init__(self, settings: SiteSection) -> None:
        # Browsers ask each time (and mostly get a 304); shared caches may keep and serve while they ask.
        self._cache_control: Header = (
            b"cache-control",
            (
                f"public, max-age=0, s-maxage={settings.shared_max_age_s}, "
                f"stale-while-revalidate={settings.stale_while_revalidate_s}, stale-if-error=604800"
            ).encode(),
        )

    def found(self, rendered: Rendered, site: Site, clock: Clock, count: int) -> Entry:
        kept = (self._cache_control, _VARY)
        return _entry(200, rendered, site, clock, count, kept=kept, etag=rendered.etag.encode())

    def robots(self, site: Site) -> Entry:
        """Return robots.txt, which never changes while the site lives on its host."""
        text = robots_txt(site_origin=site.origin, is_primary=site.is_primary)
        return self.found(ready("text/plain; charset=utf-8", text), site, Clock(), 0)

    def picture(self, picture: Picture, site: Site, clock: Clock, count: int) -> Entry:
        """Return a picture; one that stands in for another is asked for again."""
        kept = (_FOR_EVER if picture.is_final else _NO_STORE,)
        headers = [(b"content-type", picture.media_type.encode()), *kept, *_SAFE, *_robots(site)]
        etag = f'"{hashlib.sha256(picture.body).hexdigest()[:20]}"'.encode()
        form = make_form(200, headers, picture.body, etag=etag, kept=kept)
        return Entry(
            200, form, form, clock, count if picture.is_final else -1, FORMS_BYTES + len(picture.body)
        )

    def no_picture(self, site: Site, clock: Clock, count: int) -> Entry:
        form = refusal(404, "There is no such picture.", _NOINDEX)
        return Entry(404, form, form, clock, count, ENTRY_BYTES)

    def missing(self, rendered: Rendered, site: Site, clock: Clock, count: int) -> Entry:
        return _entry(404, rendered, site, clock, count, kept=(_NO_STORE, _VARY), etag=b"")

    def redirect(self, to: str, site: Site, clock: Clock, count: int) -> Entry:
        headers = [
            (b"location", to.encode()),
            (b"cache-control", b"public, max-age=3600"),
            *_SAFE,
            *_robots(site),
        ]
        form = make_form(308, headers, b"", etag=b"", kept=())
        return Entry(308, form, form, clock, count, FORMS_BYTES + len(to))


def shared(entry: Entry) -> Entry:
    """Return the same answer for another address, with little memory of its own."""
    return Entry(entry.status, entry.plain, entry.gzipped, entry.clock, entry.count, ENTRY_BYTES)


def refusal(status: int, text: str, *headers: Header) -> Form:
    """Return a plain answer that says what is wrong and nothing of what was asked."""
    return make_form(status, [_TEXT, _NO_STORE, *_SAFE, *headers], f"{text}\n".encode(), etag=b"", kept=())


def _entry(
    status: int,
    rendered: Rendered,
    site: Site,
    clock: Clock,
    count: int,
    *,
    kept: tuple[Header, ...],
    etag: bytes,
) -> Entry:
    headers: list[Header] = [(b"content-type", rendered.media_type.encode()), *kept, *_SAFE]
    if rendered.media_type == HTML:
        headers.append(_CSP)
    headers += [_NOINDEX] if status == 404 else _robots(site)
    etag_gzip = etag and etag[:-1] + b'-gz"'  # other bytes, another name: RFC 9110, 8.8.3
    return Entry(
        status,
        make_form(status, headers, rendered.body, etag=etag, kept=kept),
        make_form(status, [*headers, _GZIP], rendered.gzipped, etag=etag_gzip, kept=kept),
        clock,
        count,
        FORMS_BYTES + len(rendered.body) + len(rendered.gzipped),
    )


def _robots(site: Site) -> list[Header]:
    """Keep every host but the site's own out of indexes."""
    return [] if site.is_primary else [_NOINDEX]
