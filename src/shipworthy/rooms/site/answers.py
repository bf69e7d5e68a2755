"""Answers of the lane with their headers built: pages, redirects, what is missing, and refusals."""

from __future__ import annotations

import hashlib

from shipworthy.kernel.settings import SiteSection
from shipworthy.rooms.site.assets.serve import Picture
from shipworthy.rooms.site.freshness import Freshness
from shipworthy.rooms.site.hosts import Site
from shipworthy.rooms.site.redirects.hits import Hit
from shipworthy.rooms.site.render import CSP, HTML, Rendered, ready
from shipworthy.rooms.site.shelf import ENTRY_BYTES, FORMS_BYTES, Entry, Form, Header, make_form
from shipworthy.rooms.site.tags import PICTURES, surrogate_keys

# A header costs 2 µs of each hit in the server (2026-11), so what browsers do anyway is not said: their
# referrer policy is strict-origin-when-cross-origin already.
_SAFE: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"),)
_VARY: Header = (b"vary", b"accept-encoding")
_GZIP: Header = (b"content-encoding", b"gzip")
_BROTLI: Header = (b"content-encoding", b"br")
_CSP: Header = (b"content-security-policy", CSP.encode())
_FOR_EVER: Header = (b"cache-control", b"public, max-age=31536000, immutable")
# Of this host alone: what else its owner has below it is not ours.
_HSTS: Header = (b"strict-transport-security", b"max-age=31536000")
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

    def found(self, rendered: Rendered, site: Site, count: int) -> Entry:
        kept = (self._cache_control, _VARY)
        return _entry(200, rendered, site, site.freshness, count, kept=kept, etag=rendered.etag.encode())

    def fixed(self, text: bytes, site: Site) -> Entry:
        """Return a text that never changes while the site lives on its host and is read by the same crawlers."""
        rendered = ready("text/plain; charset=utf-8", text)
        kept = (self._cache_control, _VARY)
        return _entry(200, rendered, site, Freshness(), 0, kept=kept, etag=rendered.etag.encode())

    def picture(self, picture: Picture | None, site: Site, count: int, *, tag: str = PICTURES) -> Entry:
        """Return a picture, or that it is missing; one that stands in for another is asked for again."""
        if picture is None:
            form = refusal(404, "There is no such picture.")
            return Entry(404, (form, form, form), (tag,), site.freshness, count, ENTRY_BYTES)
        kept = (_FOR_EVER if picture.is_final else _NO_STORE,)
        headers = [(b"content-type", picture.media_type.encode()), *kept, *_SAFE, *_of_site(site)]
        etag = f'"{hashlib.sha256(picture.body).hexdigest()[:20]}"'.encode()
        form = make_form(200, headers, picture.body, etag=etag, kept=kept)
        size_bytes = FORMS_BYTES + len(picture.body)
        return Entry(
            200,
            (form, form, form),
            (tag,),
            site.freshness,
            count if picture.is_final else -1,
            size_bytes,
        )

    def missing(self, rendered: Rendered, site: Site, count: int, *, status: int = 404) -> Entry:
        return _entry(status, rendered, site, site.freshness, count, kept=(_NO_STORE, _VARY), etag=b"")

    def respelled(self, to: str, site: Site, count: int, *, tags: tuple[str, ...]) -> Entry:
        """Lead from another way of writing an address to the address."""
        return _leading(308, to, (b"cache-control", b"public, max-age=3600"), site, count, tags)

    def redirect(
        self, status: int, to: str, site: Site, count: int, *, tags: tuple[str, ...], hit: Hit | None = None
    ) -> Entry:
        """Lead elsewhere. Whoever keeps it asks again each time: pages move back, and a browser that
        remembered both ways would go in a circle."""
        fresh = (b"cache-control", b"public, max-age=0, must-revalidate")
        return _leading(status, to, fresh, site, count, tags, hit=hit)


def shared(entry: Entry, count: int, *tags: str) -> Entry:
    """Return the same answer for another address, read at `count`, with little memory of its own."""
    return Entry(entry.status, entry.forms, (*entry.tags, *tags), entry.freshness, count, ENTRY_BYTES)


def refusal(status: int, text: str, *headers: Header) -> Form:
    """Return a plain answer that says what is wrong and nothing of what was asked. It is no page: not for indexes."""
    return make_form(
        status, [_TEXT, _NO_STORE, _NOINDEX, *_SAFE, *headers], f"{text}\n".encode(), etag=b"", kept=()
    )


def _entry(
    status: int,
    rendered: Rendered,
    site: Site,
    freshness: Freshness,
    count: int,
    *,
    kept: tuple[Header, ...],
    etag: bytes,
) -> Entry:
    headers: list[Header] = [(b"content-type", rendered.media_type.encode()), *kept, *_SAFE]
    if rendered.media_type == HTML:
        headers.append(_CSP)
    if rendered.link:
        headers.append((b"link", rendered.link.encode()))
    headers += _of_site(site, is_found=status == 200)
    headers += _for_cdn(site, rendered.tags) if status == 200 else []
    gzipped = make_form(status, [*headers, _GZIP], rendered.gzipped, etag=_named(etag, b"gz"), kept=kept)
    packed = make_form(status, [*headers, _BROTLI], rendered.brotli, etag=_named(etag, b"br"), kept=kept)
    return Entry(
        status,
        (
            make_form(status, headers, rendered.body, etag=etag, kept=kept),
            gzipped,
            packed if rendered.brotli else gzipped,
        ),
        rendered.tags,
        freshness,
        count,
        FORMS_BYTES + len(rendered.body) + len(rendered.gzipped) + len(rendered.brotli),
    )


def _named(etag: bytes, coding: bytes) -> bytes:
    """Other bytes, another name (RFC 9110, 8.8.3)."""
    return etag and etag[:-1] + b"-" + coding + b'"'


def _for_cdn(site: Site, tags: tuple[str, ...]) -> list[Header]:
    """Name what the answer was made of, in both of the ways CDNs read: Fastly's and Cloudflare's."""
    keys = surrogate_keys(site.site_id, tags)
    return [(b"surrogate-key", " ".join(keys).encode()), (b"cache-tag", ",".join(keys).encode())]


def _leading(
    status: int,
    to: str,
    kept: Header,
    site: Site,
    count: int,
    tags: tuple[str, ...],
    *,
    hit: Hit | None = None,
) -> Entry:
    headers = [(b"location", to.encode()), kept, *_SAFE, *_of_site(site)]
    form = make_form(status, headers, b"", etag=b"", kept=())
    return Entry(status, (form, form, form), tags, site.freshness, count, FORMS_BYTES + len(to), hit)


def _of_site(site: Site, *, is_found: bool = True) -> list[Header]:
    """Keep every host but the site's own out of indexes, and a later visit on TLS where this one is."""
    hsts = [_HSTS] if site.origin.startswith("https://") else []
    return hsts if site.is_primary and is_found else [*hsts, _NOINDEX]
