"""What an app that runs says of itself: its pages, its sign-in form, its OpenAPI document, its sitemap.

A few dozen GETs, as any visitor sends them; nothing is submitted. Freely on this machine; on another one only
where its owner's wish is proven, and no faster than it may be asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import SplitResult, urljoin, urlsplit

from shipworthy.contract.manifest import Login
from shipworthy.gauntlet.discover.draft import Draft, Seen
from shipworthy.gauntlet.discover.openapi import NoOpenApi, read_openapi
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered
from shipworthy.gauntlet.load.page import Form, forms_of
from shipworthy.gauntlet.ownership import reach

PAGES_MAX = 8  # of the home page's own links
REDIRECTS_MAX = 3
_HEALTH = ("/healthz", "/health", "/api/health", "/livez", "/up", "/ping")
_DOCUMENTS = ("/openapi.json", "/api/openapi.json", "/api/v1/openapi.json", "/swagger.json", "/v3/api-docs", "/api-json")  # fmt: skip
_SIGN_IN = (
    "/login",
    "/signin",
    "/sign-in",
    "/auth/login",
    "/users/sign_in",
    "/accounts/login/",
    "/account/login",
    "/user/login",
    "/admin",
    "/admin/",
    "/admin/login/",
)
_SAYS_SIGN_IN = re.compile(
    r"\b(log|sign)[\s_-]?in\b|anmelden|einloggen|connexion|iniciar sesi", re.IGNORECASE
)
_WHO = re.compile(r"mail|user|login|identifier", re.IGNORECASE)


class NothingThere(Exception):
    """Nobody answers; the message says what happened."""


async def look(url: str) -> Draft:
    """Return what the app at this address shows to a visitor. Errors: NothingThere, NotProven."""
    reached = await reach(url)
    session = HttpSession(url, addresses=reached.addresses, turns=reached.turns)
    try:
        home = await page_at(session, urlsplit(url).path or "/")
        visitor = _Visitor(session, home)
        found = await visitor.seen()
    except Unanswered as silent:
        raise NothingThere(f"Nothing answers at {url}: {silent}. Is the app running?") from silent
    finally:
        await session.close()
    return Draft(url=Seen(url, "as given")).completed_by(found)


@dataclass(frozen=True, kw_only=True)
class SeenPage:
    """A page as a visitor sees it, at the address where redirects ended."""

    path: str
    answer: Answer
    title: str = ""
    links: tuple[tuple[str, str], ...] = ()  # path, text
    forms: tuple[Form, ...] = ()

    @property
    def is_html(self) -> bool:
        return self.answer.status == 200 and "html" in self.answer.header("content-type")


class _Visitor:
    def __init__(self, session: HttpSession, home: SeenPage) -> None:
        self._session, self._home = session, home
        self._nowhere: Answer | None = None

    async def seen(self) -> Draft:
        home = self._home
        # Where every address answers alike (an app that draws itself in the browser), a 200 says nothing.
        self._nowhere = await self._session.get("/an-address-that-nobody-has-4711")
        found = Draft(
            name=Seen(home.title, "the home page's title") if home.title else None,
            health=await self._health(),
            sitemap=await self._sitemap(),
            login=await self._login(),
            pages=await self._pages(),
        )
        if home.answer.status >= 400:
            found = found.completed_by(Draft(notes=(f"The home page answers {home.answer.status}.",)))
        return found.completed_by(await self._openapi())

    async def _health(self) -> Seen[str] | None:
        for path in _HEALTH:
            answer = await self._session.get(path)
            if answer.status == 200 and not self._is_nowhere(answer):
                return Seen(path, f"it answers 200 at {path}")
        return None

    async def _sitemap(self) -> Seen[str] | None:
        answer = await self._session.get("/sitemap.xml")
        is_one = answer.status == 200 and (b"<urlset" in answer.body or b"<sitemapindex" in answer.body)
        return Seen("/sitemap.xml", "it answers with a sitemap") if is_one else None

    async def _openapi(self) -> Draft:
        for path in _DOCUMENTS:
            answer = await self._session.get(path)
            if answer.status == 200 and not answer.is_cut:
                try:
                    found = read_openapi(answer.text, where=path)
                except NoOpenApi:
                    continue
                return Draft(openapi=Seen(path, "it answers with its OpenAPI document")).completed_by(found)
        return Draft()

    async def _login(self) -> Seen[Login] | None:
        linked = [path for path, text in self._home.links if _SAYS_SIGN_IN.search(f"{path} {text}")]
        for path in dict.fromkeys([self._home.path, *linked, *_SIGN_IN]):
            page = await page_at(self._session, path)
            if page.is_html and (login := login_of(page.forms, page.path)):
                return Seen(login, f"the form of {page.path}")
        return None

    async def _pages(self) -> Seen[tuple[str, ...]] | None:
        paths = [self._home.path] if self._home.is_html else []
        for path in dict.fromkeys(path for path, _text in self._home.links):
            if len(paths) >= PAGES_MAX:
                break
            if path not in paths and "?" not in path:
                page = await page_at(self._session, path)
                if page.is_html and page.path == path and not self._is_nowhere(page.answer):
                    paths.append(path)
        return Seen(tuple(paths), "the links of the home page") if paths else None

    def _is_nowhere(self, answer: Answer) -> bool:
        nowhere = self._nowhere
        return nowhere is not None and nowhere.status == answer.status and nowhere.body == answer.body


def login_of(forms: Iterable[Form], path: str) -> Login | None:
    """Return how a form signs in: the first one that takes a name and one password.

    Hidden fields are taken from the page each time, since most of them are made anew.
    """
    for form in forms:
        secrets = [name for name in form.fields if name in form.secrets]
        who = next((name for name in form.fields if _WHO.search(name) and name not in secrets), None)
        if form.method == "POST" and len(secrets) == 1 and who:
            action = urlsplit(urljoin(path, form.action or path))
            route = f"POST {action.path}{'?' + action.query if action.query else ''}"
            fields = {who: "{email}", secrets[0]: "{password}"}
            return Login(route=route, form=fields, page=path if set(form.fields) - set(fields) else "")
    return None


async def page_at(session: HttpSession, path: str) -> SeenPage:
    """Get a page, following redirects that stay at this address. Errors: Unanswered."""
    answer = await session.get(path, headers={"accept": "text/html"})
    for _ in range(REDIRECTS_MAX):
        if answer.status not in (301, 302, 303, 307, 308):
            break
        target = _led_to(f"{session.base_url}{path}", answer.header("location"))
        if f"{target.scheme}://{target.netloc}" != session.base_url:
            break
        path = target.path or "/"
        answer = await session.get(
            path + (f"?{target.query}" if target.query else ""), headers={"accept": "text/html"}
        )
    if "html" not in answer.header("content-type"):
        return SeenPage(path=path, answer=answer)
    reader = _Links(session.base_url, path)
    reader.feed(answer.text)
    reader.close()
    title = " ".join(reader.title.split())
    return SeenPage(
        path=path, answer=answer, title=title, links=tuple(reader.links), forms=tuple(forms_of(answer.text))
    )


def _led_to(base: str, reference: str) -> SplitResult:
    """Return where a reference leads; what is no address leads nowhere, as browsers have it."""
    try:
        return urlsplit(urljoin(base, reference))
    except ValueError:
        return urlsplit("nowhere:")


@dataclass
class _Links(HTMLParser):
    """Collects the title and the links that stay at this address."""

    base_url: str
    path: str
    title: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._is_title = False
        self._is_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._is_title = not self.title
        elif tag == "a" and (href := dict(attrs).get("href")):
            target = _led_to(f"{self.base_url}{self.path}", href)
            if f"{target.scheme}://{target.netloc}" == self.base_url:
                self.links.append(((target.path or "/") + (f"?{target.query}" if target.query else ""), ""))
                self._is_link = True

    def handle_data(self, data: str) -> None:
        if self._is_title:
            self.title += data
        elif self._is_link:
            path, text = self.links[-1]
            self.links[-1] = path, text + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._is_title = False
        elif tag == "a":
            self._is_link = False
