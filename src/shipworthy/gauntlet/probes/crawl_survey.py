"""What one careful crawler sees of a site: robots.txt, the sitemap, each listed page, and what nobody lists.

Owns the asking; what is wrong with an answer is decided in crawl_rules.py and robots_rules.py.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from shipworthy.contract.manifest import NamedLoad
from shipworthy.gauntlet.call import path_parameters
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer, Unanswered
from shipworthy.gauntlet.load.named.crawl import AGENTS, ROBOTS_PATH
from shipworthy.gauntlet.probes.crawl_rules import (
    SITEMAP_BYTES_MAX,
    Entry,
    Head,
    Wrong,
    head_of,
    joined,
    may_be_shared,
    page_wrongs,
    read_sitemap,
    robots_wrongs,
)
from shipworthy.gauntlet.probes.page_assets import path_of

PATHS_MAX = 200  # of the playbook's crawl; of more, these are spread over the whole list
SITEMAP_FILES_MAX = 20
FOREIGN_HOST = "elsewhere.example"  # RFC 2606: belongs to nobody
_SITEMAP_PATH = "/sitemap.xml"
_SPELLINGS_OF = 10  # pages whose other spellings are asked for
_HOPS_MAX = 3
_AT_ONCE = 8
_GONE = (404, 410)
_DOOR = re.compile(r"(log|sign)[_-]?in\b|/auth\b", re.IGNORECASE)
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What the sitemap lists, file by file."""

    files: tuple[str, ...] = ()  # paths
    entries: tuple[Entry, ...] = ()
    wrongs: tuple[Wrong, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was seen. `pages` are paths with the address each is listed at, empty for a declared route."""

    robots: str | None  # None where there is none
    listing: Listing
    pages: dict[str, str]
    wrongs: tuple[Wrong, ...]
    asked: dict[str, int] = field(default_factory=dict)  # rule -> of how many things it was asked
    robots_status: int = 200


class Bot:
    """A crawler of one site. Keeps no cookie."""

    def __init__(self, exam: Exam, load: NamedLoad) -> None:
        self.is_site = load.host == "site"
        login = exam.manifest.login
        self.doors = (login.page, login.route.partition(" ")[2]) if login else ()  # where people sign in
        examined = exam.handle.site_url if self.is_site else exam.handle.base_url
        if examined is None:
            raise Undecided("The instance publishes no site address.")
        parts = urlsplit(examined)
        self.examined = f"{parts.scheme}://{parts.netloc}"
        self.public = load.origin.rstrip("/") or self.examined
        self._session = exam.anonymous()

    async def get(self, path: str, **headers: str) -> Answer:
        """Errors: Unanswered."""
        sent = {"user-agent": AGENTS[0], **{name.replace("_", "-"): value for name, value in headers.items()}}
        answer = await self._session.get(
            path, site=self.is_site, headers=sent, body_bytes_max=SITEMAP_BYTES_MAX + 1
        )
        self._session.cookies.clear()
        return answer

    async def listing(self, roots: Sequence[str]) -> Listing:
        """Read the sitemap from its root files on. Errors: Unanswered."""
        waiting, files = list(roots), list[str]()
        entries, wrongs = list[Entry](), list[Wrong]()
        while waiting and len(files) < SITEMAP_FILES_MAX:
            path = waiting.pop(0)
            if path in files:
                continue
            answer = await self.get(path)
            if answer.status != 200:
                wrongs.append(Wrong("sitemap", path, f"it answers {answer.status}", "Serve a sitemap there, and name it in robots.txt."))  # fmt: skip
                continue
            files.append(path)
            file, wrong = read_sitemap(answer.body, address=path, public=self.public, now=datetime.now(UTC))
            wrongs += wrong
            if file.is_index:
                waiting += [path_of(one.loc) for one in file.entries if self.is_own(one.loc)]
            else:
                entries += file.entries
        return Listing(files=tuple(files), entries=tuple(entries), wrongs=tuple(wrongs))

    def is_own(self, address: str) -> bool:
        return address.startswith(f"{self.public}/")


def crawl_of(exam: Exam) -> NamedLoad:
    """Return the crawl a target declares, or the one of whoever reads its declared routes."""
    declared = next((load for load in exam.manifest.loads if load.kind == "crawl"), None)
    return declared or NamedLoad(
        kind="crawl", rate_per_s=1.0, slos={}, host="site" if exam.can("site") else "console"
    )


async def surveyed(exam: Exam) -> tuple[Bot, Survey]:
    """Return the survey of a run, made when it is first asked for, with a bot to go on with.

    Errors:  Undecided when nobody answers.
    """
    bot = Bot(exam, crawl_of(exam))
    return bot, await exam.once("survey", lambda: survey(exam, bot))


async def survey(exam: Exam, bot: Bot) -> Survey:
    """Look at the whole site once. Errors: Undecided when nobody answers."""
    try:
        robots_answer = await bot.get(ROBOTS_PATH)
        media, body = robots_answer.header("content-type"), robots_answer.body
        robots, _ = robots_wrongs(robots_answer.status, media, body, public=bot.public)
        roots = [path_of(address) for address in robots.sitemaps if bot.is_own(address)] or [_SITEMAP_PATH]
        listing = await bot.listing(roots)
    except Unanswered as silent:
        raise Undecided(str(silent), fix="Read the app's log around this request.") from silent
    listed = [entry.loc for entry in listing.entries if bot.is_own(entry.loc)]
    pages = {path_of(loc): loc for loc in _spread(listed)} or dict.fromkeys(_declared(exam), "")
    _, wrong_robots = robots_wrongs(robots_answer.status, media, body, public=bot.public, listed=[path_of(loc) for loc in listed])  # fmt: skip
    seen = await _each(list(pages), lambda path: _page(bot, path, pages[path]))
    well = [path for path, wrongs in zip(pages, seen, strict=True) if not wrongs and pages[path]]
    spelt = [(path, other) for path in well[:_SPELLINGS_OF] for other in _spellings(path)]
    other = await _each(spelt, lambda pair: _spelling(bot, pair[1], pages[pair[0]]))
    missing = await _each(_nowhere(well), lambda path: _missing(bot, path))
    door = next(iter(pages), "/")
    wrongs = (
        *wrong_robots,
        *listing.wrongs,
        *_flat(seen),
        *_flat(other),
        *_flat(missing),
        *await _host_lies(bot, door),
    )
    asked = {"robots": 1, "sitemap": len(listing.entries), "pages": len(pages), "canonical": len(pages) if listed else 0,
             "conditional": len(pages), "shared": len(pages), "spelling": len(spelt), "missing": len(missing), "hosts": 3}  # fmt: skip
    # What is broken already is no part of the load: it would fail there a second time, for the same reason.
    broken = {wrong.address for wrong in _flat(seen) if wrong.rule == "pages"}
    sound = {path: loc if path in well else "" for path, loc in pages.items() if path not in broken}
    text = robots_answer.text if robots_answer.status == 200 else None
    return Survey(robots=text, listing=listing, pages=sound, wrongs=wrongs, asked=asked, robots_status=robots_answer.status)  # fmt: skip


async def _page(bot: Bot, path: str, loc: str) -> list[Wrong]:
    try:
        first = await bot.get(path)
        is_page = "html" in first.header("content-type")
        head = head_of(first.text) if is_page else Head((), frozenset())
        found = page_wrongs(path, first.status, head, loc=loc, header_robots=first.header("x-robots-tag"))
        if not loc or not is_page:  # nobody said that it is an address of its own, or it cannot say so
            found = [wrong for wrong in found if wrong.rule == "pages"]
        if first.status != 200:
            return found
        return [*found, *_shared(path, first), *await _conditional(bot, path, first)]
    except Unanswered as silent:
        return [Wrong("pages", path, f"it gives no answer: {silent}")]


async def _conditional(bot: Bot, path: str, first: Answer) -> list[Wrong]:
    known = {"if_none_match": first.header("etag"), "if_modified_since": first.header("last-modified")}
    said = {name: value for name, value in known.items() if value}
    if not said:
        fix = "Send an ETag made from the page's bytes, and answer 304 to it."
        return [Wrong("conditional", path, "it has no ETag and no Last-Modified", fix)]
    again = await bot.get(path, **said)
    if again.status == 304:
        return []
    what = f"it answers {again.status} to who has it already"
    fix = "Compare If-None-Match with the page's ETag: whatever is new in every answer (a token, a time) does not belong into a public page."
    return [Wrong("conditional", path, what, fix)]


def _shared(path: str, first: Answer) -> list[Wrong]:
    """A cache gives what it keeps to everybody, the cookie too (RFC 9111, 7.3)."""
    if not first.header("set-cookie") or not may_be_shared(first.header("cache-control")):
        return []
    name = first.header("set-cookie").partition("=")[0][:40]
    what = f"it sets the cookie {name} and lets shared caches keep it ({first.header('cache-control')})"
    return [
        Wrong(
            "shared", path, what, "Set no cookie on what everybody may keep, or say Cache-Control: private."
        )
    ]


async def _missing(bot: Bot, path: str) -> list[Wrong]:
    try:
        first = answer = await bot.get(path)
        # Many an app puts a slash behind an address before it looks: there, it has to say that nothing is.
        for _ in range(_HOPS_MAX):
            at = joined(bot.examined + path, answer.header("location"))
            if (
                not 300 <= answer.status < 400
                or not at.startswith(f"{bot.examined}/")
                or _leads_to_sign_in(bot, answer)
            ):
                break
            answer = await bot.get(at.removeprefix(bot.examined))
    except Unanswered as silent:
        return [Wrong("missing", path, f"it gives no answer: {silent}")]
    if answer.status in _GONE or _leads_to_sign_in(bot, answer):
        return []
    there = f", leading to {first.header('location')}" if first.header("location") else ""
    fix = "Answer 404 with a page that helps: a crawler keeps asking for what seems to be there."
    return [Wrong("missing", path, f"nothing is there, and it answers {first.status}{there}", fix)]


def _leads_to_sign_in(bot: Bot, answer: Answer) -> bool:
    """Where everything wants a session, who has none is not told what is there."""
    there = answer.header("location").partition("?")[0].removeprefix(bot.examined)
    return (
        answer.status in (302, 303, 307) and bool(there) and (there in bot.doors or bool(_DOOR.search(there)))
    )


async def _spelling(bot: Bot, path: str, loc: str) -> list[Wrong]:
    """Follow another way of writing a page's address: to the page's own in one hop, or nowhere."""

    def wrong(what: str, fix: str) -> list[Wrong]:
        return [Wrong("spelling", path, what, fix)]

    at, hops = bot.public + path, 0
    try:
        while True:
            answer = await bot.get(at.removeprefix(bot.public) or "/")
            if hops == _HOPS_MAX or not (300 <= answer.status < 400 and answer.header("location")):
                break
            hops += 1
            at = joined(at, answer.header("location"))
            if not bot.is_own(at):
                return wrong(f"it leads to another host: {at[:80]}", "Lead to the page's own address.")
    except Unanswered as silent:
        return wrong(f"it gives no answer: {silent}", "")
    if hops > 1:
        return wrong(
            f"it takes {hops}{' hops or more' if hops == _HOPS_MAX else ' hops'}",
            "Lead to the page's own address at once.",
        )
    if answer.status == 200 and {joined(at, c) for c in head_of(answer.text).canonicals} != {loc}:
        return wrong(f"the page of {loc[:80]} stands there too and does not say so",
                     "Redirect there, or name it as canonical: else one page counts as several.")  # fmt: skip
    if answer.status >= 500:
        return wrong(f"it answers {answer.status}", "Answer 404 to what is no address.")
    return []


async def _host_lies(bot: Bot, path: str) -> list[Wrong]:
    """Ask with the name of somebody else's host: it is refused, or it changes nothing, now or later."""
    found = []
    lies = ({"host": FOREIGN_HOST}, {"x_forwarded_host": FOREIGN_HOST}, {"forwarded": f"host={FOREIGN_HOST}"})
    fix = "Build addresses from the settings of the site, never from a header, and refuse hosts that are not yours."
    try:
        for lie in lies:
            name = next(iter(lie)).replace("_", "-").title()
            answer = await bot.get(path, **lie)
            if place := _reflected(answer):
                found.append(Wrong("hosts", path, f"{name}: {FOREIGN_HOST} comes back in its {place}", fix))
        if place := _reflected(await bot.get(path)):
            found.append(
                Wrong(
                    "hosts", path, f"whoever asks next gets {FOREIGN_HOST} in its {place}: it was kept", fix
                )
            )
    except Unanswered as silent:
        found.append(Wrong("hosts", path, f"it gives no answer to a Host that lies: {silent}", fix))
    return found


def _reflected(answer: Answer) -> str:
    if FOREIGN_HOST in answer.text:
        return f"text ({answer.status})"
    named = [name for name, value in answer.headers.items() if FOREIGN_HOST in value]
    return f"header {named[0]} ({answer.status})" if named else ""


def _spellings(path: str) -> Iterator[str]:
    if path != "/" and "?" not in path:
        yield path.rstrip("/") if path.endswith("/") else f"{path}/"
        yield f"/{path}"
    yield f"{path}{'&' if '?' in path else '?'}utm_source=letter"


def _nowhere(pages: Sequence[str]) -> list[str]:
    name = f"no-page-{secrets.token_hex(4)}"
    below = next((path for path in pages if path != "/" and "?" not in path), "")
    return [f"/{name}", f"{below.rstrip('/')}/{name}"] if below else [f"/{name}"]


def _declared(exam: Exam) -> list[str]:
    """Return the routes a target declares for everybody: what is crawled where no sitemap says more."""
    routes = [
        r for r in exam.manifest.routes if r.method == "GET" and r.auth == "public" and 200 in r.statuses
    ]
    return [route.path for route in routes if not path_parameters(route)][:PATHS_MAX]


def _spread(listed: Sequence[str]) -> list[str]:
    return (
        [listed[n * len(listed) // PATHS_MAX] for n in range(PATHS_MAX)]
        if len(listed) > PATHS_MAX
        else list(listed)
    )


async def _each(things: Sequence[_T], look: Callable[[_T], Awaitable[list[Wrong]]]) -> list[list[Wrong]]:
    """Look at each thing, some at once, and return what is wrong with each, in order."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(thing: _T) -> list[Wrong]:
        async with gate:
            return await look(thing)

    return list(await asyncio.gather(*(one(thing) for thing in things)))


def _flat(lists: Sequence[Sequence[Wrong]]) -> list[Wrong]:
    return [wrong for found in lists for wrong in found]
