"""What a site must say to crawlers so that all of it is found, once, and fresh. Pure.

Each rule returns `Wrong`s: which rule, at which address, what, and how to put it right. Sources:
sitemaps.org protocol 0.9, RFC 6596 (canonical), RFC 9309 (robots), Google Search Central's documentation
where crawlers do more than a standard says.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from shipworthy.gauntlet.probes.robots_rules import BYTES_MAX, Robots, read_robots

ENGINES = ("Googlebot", "Bingbot", "DuckDuckBot", "Applebot", "*")  # whose right to read is looked at
URLS_MAX, SITEMAP_BYTES_MAX, LOC_CHARS_MAX = 50_000, 50 * 1024 * 1024, 2_048  # sitemaps.org
SKEW_S = 60.0  # two clocks of one machine agree; a container's may be off by a little
_NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_W3C = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?"
)
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_SHOWN_CHARS = 80
NO_SITEMAP = "it names no sitemap"


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong. `rule` is the subject of the finding it belongs to."""

    rule: str
    address: str
    what: str
    fix: str = ""


@dataclass(frozen=True)
class Entry:
    """An address a sitemap lists, and when its content changed, as it is said there."""

    loc: str
    lastmod: str = ""


@dataclass(frozen=True)
class SitemapFile:
    """One file of a sitemap: addresses of pages, or of further files."""

    is_index: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Head:
    """What a page says to crawlers of itself."""

    canonicals: tuple[str, ...]
    robots: frozenset[str]  # noindex, nofollow, ...


def robots_wrongs(
    status: int, media: str, body: bytes, *, public: str, listed: Iterable[str] = ()
) -> tuple[Robots, list[Wrong]]:
    """Return what robots.txt says and what is wrong with it. `listed` are the sitemap's paths."""

    def wrong(what: str, fix: str = "") -> Wrong:
        return Wrong("robots", "/robots.txt", what, fix)

    if status >= 500:
        return Robots(), [wrong(f"it answers {status}, and crawlers then read nothing of the site at all",
                                "Answer it from memory, also while the database is away.")]  # fmt: skip
    if status != 200:
        return Robots(), [wrong(f"it answers {status}: crawlers may read everything and are told of no sitemap",
                                "Serve /robots.txt with `User-agent: *`, `Allow: /` and `Sitemap: ADDRESS`.")]  # fmt: skip
    found = []
    if "text/plain" not in media.lower():
        found.append(wrong(f"it is {media or 'of no type'}, not text/plain", "Serve it as text/plain."))
    if len(body) > BYTES_MAX:
        found.append(
            wrong(
                f"it has {len(body):,} bytes; crawlers read {BYTES_MAX:,}", "Use patterns instead of lists."
            )
        )
    robots = read_robots(body[:BYTES_MAX].decode("utf-8", "replace"))
    found += [
        wrong(f"line {n} is understood by no crawler: {text[:_SHOWN_CHARS]}") for n, text in robots.odd[:5]
    ]
    if not robots.sitemaps:
        found.append(wrong(NO_SITEMAP, "Add `Sitemap: ` and the whole address of the sitemap."))
    found += [
        wrong(f"its sitemap {s[:_SHOWN_CHARS]} is not on this host", "Name the host that is being asked.")
        for s in robots.sitemaps
        if not s.startswith(f"{public}/")
    ]
    for path in listed:
        if refused := [engine for engine in ENGINES if not robots.allows(engine, path)]:
            who = "everybody" if "*" in refused else ", ".join(refused)
            fix = "Allow what the sitemap lists, or take it out of there."
            found.append(wrong(f"it keeps {who} from {path}, which the sitemap lists", fix))
            break  # of a hundred such pages one is enough to see the rule that does it
    return robots, found


def read_sitemap(body: bytes, *, address: str, public: str, now: datetime) -> tuple[SitemapFile, list[Wrong]]:
    """Return what a sitemap file lists and what is wrong with it; a gzipped one is unpacked."""
    nothing = SitemapFile(is_index=False, entries=())

    def wrong(what: str, fix: str = "") -> Wrong:
        return Wrong("sitemap", address, what, fix)

    try:
        text = _unpacked(body)
    except (OSError, EOFError, zlib.error):
        return nothing, [wrong("it begins like gzip and cannot be unpacked")]
    if len(text) > SITEMAP_BYTES_MAX:
        return nothing, [
            wrong("it is larger than 50 MiB", "Split it, and list the parts in a sitemap index.")
        ]
    if _DOCTYPE.search(text):
        return nothing, [wrong("it holds a document type, which no sitemap has", "Serve XML, not a page.")]
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - bounded above, and without a DOCTYPE no entities
    except ElementTree.ParseError as broken:
        return nothing, [wrong(f"it is not well-formed XML: {broken}", "Escape &, < and > in addresses.")]
    kind = root.tag.removeprefix(_NAMESPACE)
    if kind not in ("urlset", "sitemapindex") or not root.tag.startswith(_NAMESPACE):
        return nothing, [wrong(f"its root is {root.tag[:_SHOWN_CHARS]}, not urlset or sitemapindex of sitemaps.org 0.9")]  # fmt: skip
    child = f"{_NAMESPACE}{'url' if kind == 'urlset' else 'sitemap'}"
    entries = tuple(
        Entry((one.findtext(f"{_NAMESPACE}loc") or "").strip(), (one.findtext(f"{_NAMESPACE}lastmod") or "").strip())
        for one in root.iter(child)
    )  # fmt: skip
    found = [Wrong("sitemap", address, what, fix) for what, fix in _entry_wrongs(entries, public, now)]
    if not entries:
        found.append(wrong("it lists nothing", "Leave it out while nothing is published."))
    if len(entries) > URLS_MAX:
        found.append(wrong(f"it lists {len(entries):,} addresses; {URLS_MAX:,} are allowed", "Split it."))
    return SitemapFile(kind == "sitemapindex", entries), found


def _entry_wrongs(entries: Sequence[Entry], public: str, now: datetime) -> Iterator[tuple[str, str]]:
    """Name the first of each kind of mistake: of fifty thousand wrong ones, one says it all."""
    kinds: dict[str, tuple[str, str]] = {}
    seen: set[str] = set()
    for entry in entries:
        said, loc = entry.loc[:_SHOWN_CHARS], entry.loc
        if not loc.startswith(f"{public}/"):
            where = "is no whole address" if not urlsplit(loc).netloc else "is on another host"
            kinds.setdefault(
                "host", (f"{said or 'an empty loc'} {where}", f"Let every loc begin with {public}/.")
            )
        if len(loc) > LOC_CHARS_MAX:
            kinds.setdefault("long", (f"{said}… is longer than {LOC_CHARS_MAX:,} characters", ""))
        if loc in seen:
            kinds.setdefault("twice", (f"{said} is listed twice", "List every address once."))
        seen.add(loc)
        moment = moments_of(entry.lastmod) if entry.lastmod else None
        if entry.lastmod and moment is None:
            fix = "Write it as 2026-03-01 or 2026-03-01T12:00:00Z."
            kinds.setdefault(
                "form", (f"{said} has the lastmod {entry.lastmod[:40]!r}, which is no W3C date", fix)
            )
        elif moment and moment[0] > now + timedelta(seconds=SKEW_S):
            fix = "Say when the content changed."
            kinds.setdefault("future", (f"{said} has a lastmod in the future: {entry.lastmod}", fix))
    yield from kinds.values()


def moved_wrongs(before: Iterable[Entry], after: Iterable[Entry], *, address: str) -> list[Wrong]:
    """Return what is wrong when lastmod of pages nobody touched is another one a little later."""
    known = {entry.loc: entry.lastmod for entry in before}
    moved = [entry for entry in after if entry.loc in known and known[entry.loc] != entry.lastmod]
    if not moved:
        return []
    first = moved[0]
    what = (f"what nobody changed has another lastmod than a minute ago: {len(moved)} of {len(known)}, such as "
            f"{first.loc[:_SHOWN_CHARS]} ({known[first.loc]}, then {first.lastmod})")  # fmt: skip
    fix = (
        "Let lastmod be when the content changed, not when the sitemap was made: crawlers stop believing it."
    )
    return [Wrong("sitemap", address, what, fix)]


def moments_of(lastmod: str) -> tuple[datetime, datetime] | None:
    """Return the first and last moment a W3C date may mean; None when it is none."""
    found = _W3C.fullmatch(lastmod)
    if found is None:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    try:
        first = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
                         int(second or 0), tzinfo=UTC)  # fmt: skip
        if zone and zone != "Z":
            away = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
            first = first - away if zone[0] == "+" else first + away
    except (ValueError, OverflowError):
        return None
    long = timedelta(days=366) if not month else timedelta(days=31) if not day else timedelta(days=1)
    return first, first + (long if not hour else timedelta(minutes=1))


def page_wrongs(path: str, status: int, head: Head, *, loc: str, header_robots: str = "") -> list[Wrong]:
    """Return what is wrong with a page that a sitemap lists at `loc`."""
    if 300 <= status < 400:
        fix = "List the address it leads to."
        return [Wrong("pages", path, f"it is listed and leads elsewhere ({status})", fix)]
    if status != 200:
        return [Wrong("pages", path, f"it is listed and answers {status}", "List only what can be read.")]
    found = []
    if "noindex" in head.robots or "noindex" in header_robots.lower():
        fix = "Take noindex away, or take the page out of the sitemap."
        found.append(Wrong("pages", path, "it is listed and says noindex", fix))
    whole = [joined(loc, canonical) for canonical in head.canonicals]
    if len(set(whole)) > 1:
        found.append(Wrong("canonical", path, f"it names {len(set(whole))} canonical addresses", "Name one."))
    elif whole != [loc] * len(whole) or not whole:
        said = (
            f"its canonical address is {whole[0][:_SHOWN_CHARS]}"
            if whole
            else "it names no canonical address"
        )
        fix = "Let <link rel=canonical> and the sitemap say the same address."
        found.append(Wrong("canonical", path, f"{said}, and the sitemap lists {loc[:_SHOWN_CHARS]}", fix))
    return found


def may_be_shared(cache_control: str) -> bool:
    """Say whether a cache that many share keeps an answer with this Cache-Control, as most of them are set."""
    said = dict(part.strip().lower().partition("=")[::2] for part in cache_control.split(","))
    if said.keys() & {"private", "no-store", "no-cache"}:
        return False
    lives = said.get("s-maxage", said.get("max-age", "")).strip('"')
    return "public" in said or (lives.isdecimal() and int(lives) > 0)


def joined(base: str, reference: str) -> str:
    """Return a reference as a whole address; what is none stays as it is."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


def head_of(html: str) -> Head:
    """Return what a page says to crawlers in its head."""
    reader = _HeadReader()
    reader.feed(html)
    return Head(tuple(reader.canonicals), frozenset(reader.robots))


def _unpacked(body: bytes) -> bytes:
    if body[:2] != b"\x1f\x8b":
        return body
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
        return packed.read(SITEMAP_BYTES_MAX + 1)


class _HeadReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.canonicals: list[str] = []
        self.robots: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "link" and "canonical" in facts.get("rel", "").lower().split():
            self.canonicals.append(facts.get("href", ""))
        elif tag == "meta" and facts.get("name", "").lower() in ("robots", "googlebot"):
            self.robots |= {word.strip().lower() for word in facts.get("content", "").split(",")}
