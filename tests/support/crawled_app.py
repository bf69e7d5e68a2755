"""A small website in memory for the crawl, with a way to publish; and with defects to switch on.

Defects: every name that `_is` is asked for below.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.manifest import Login, Manifest, NamedLoad, Publishing, Slo
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from tests.support.ledger import served

ANN = Credential(email="ann@crawled.example", password="a wide river", tenant="Ann")
LOGIN = Login(route="POST /login", form={"email": "{email}"}, media="json", ok=(200,))
PUBLISHING = Publishing(
    create="POST /posts",
    body={"title": "{mark}"},
    id="post.id",
    address="post.url",
    publish="POST /posts/{post_id}/publish",
    edit="PUT /posts/{post_id}",
    unpublish="DELETE /posts/{post_id}",
)
CRAWL = NamedLoad(kind="crawl", rate_per_s=10.0, slos={"page": "fast"}, publishing=PUBLISHING)
MANIFEST = Manifest(
    app="Crawled",
    login=LOGIN,
    loads=(CRAWL,),
    slos=(Slo(name="fast", quantile=0.95, threshold_ms=4_000.0),),
)
_HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{more}</head>'


@dataclass
class Post:
    """A page: what was saved, and what visitors see of it (None: nothing)."""

    saved: str
    shown: str | None = None
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class CrawledApp:
    """The site's state: what it holds and what is wrong with it."""

    defects: set[str] = field(default_factory=set)
    posts: dict[str, Post] = field(default_factory=dict)
    base_url: str = ""
    kept: str = ""  # of a cache that believes the Host header
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        for path in ("/", "/about", "/contact"):
            self.posts[path] = Post(path, path, datetime(2026, 3, 1, tzinfo=UTC))

    def exam(self, check: Check, **changes: Any) -> Exam:
        target = Target(name="Crawled", kind="url", manifest=replace(MANIFEST, **changes), credentials=(ANN,))
        exam = Exam(target, StartedInstance(Handle(base_url=self.base_url, tenants=(ANN,)), None))
        exam.begin(PlannedCheck(check=check))
        return exam

    async def robots(self, _request: Request) -> Response:
        if self._is("robots_broken"):
            return Response("no", 503)
        if self._is("robots_absent"):
            return Response("no", 404)
        text = f"User-agent: *\nAllow: /\n\nSitemap: {self.base_url}/sitemap.xml\n"
        if self._is("robots_forbids"):
            text = text.replace("Allow: /\n", "Disallow: /about\n")
        if self._is("robots_names_no_sitemap"):
            text = text.partition("\n\n")[0]
        if self._is("robots_mistyped"):
            text = text.replace("Allow", "Alow")
        if self._is("robots_vary"):
            text += f"# {time.monotonic_ns()}\n"
        return Response(text, media_type="text/html" if self._is("robots_html") else "text/plain")

    async def sitemap(self, _request: Request) -> Response:
        if self._is("sitemap_absent"):
            return Response("no", 404)
        shown = [(path, post.changed) for path, post in self.posts.items() if post.shown is not None]
        if self._is("sitemap_late"):
            shown = [(path, at) for path, at in shown if not path.startswith("/post-")]
        if self._is("sitemap_keeps"):
            shown = [(path, post.changed) for path, post in self.posts.items() if path != "/draft"]
        if self._is("sitemap_lists_missing"):
            shown.append(("/gone", datetime(2026, 3, 1, tzinfo=UTC)))
        if self._is("sitemap_twice"):
            shown.append(shown[0])
        origin = "https://www.example.com" if self._is("sitemap_other_host") else self.base_url
        urls = ""
        for path, changed in shown:
            at = changed + timedelta(days=900) if self._is("sitemap_future") else changed
            at = datetime.now(UTC) - timedelta(days=1) if self._is("sitemap_moves") else at
            urls += f"<url><loc>{origin}{path}</loc><lastmod>{at.isoformat()}</lastmod></url>"
        whole = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
        return Response(whole[:-5] if self._is("sitemap_cut") else whole, media_type="application/xml")

    async def page(self, request: Request) -> Response:
        path = request.url.path
        if self._is("refuses_bots") and "bot" in request.headers["user-agent"].lower():
            return Response("no bots", 403)
        if path != "/" and path.endswith("/") and path.rstrip("/") in self.posts:
            if self._is("spelled_twice"):
                return Response(_HEAD.format(title="twice", more=""), media_type="text/html")
            return RedirectResponse(
                "/hop?to=" + path.rstrip("/") if self._is("chain") else path.rstrip("/"), 308
            )
        if path == "/hop":
            return RedirectResponse(request.query_params["to"], 302)
        post = self.posts.get(path)
        words = post.shown if post else None
        if post and self._is("draft_seen"):
            words = post.saved
        if words is None and self._is("missing_slashed") and not path.endswith("/"):
            return RedirectResponse(f"{path}/", 301)
        if words is None and self._is("missing_to_door"):
            return RedirectResponse("/enter", 302)
        if words is None:
            return Response("nothing here", 200 if self._is("soft_404") else 404, media_type="text/html")
        return self._shown(request, path, words)

    def _shown(self, request: Request, path: str, words: str) -> Response:
        origin = self.base_url
        if self._is("host_believed"):
            origin = f"http://{request.headers['host']}"
        if self._is("host_kept"):
            self.kept = request.headers.get("x-forwarded-host", "") or self.kept
            origin = f"http://{self.kept}" if self.kept else origin
        own = "/" if self._is("canonical_home") else path
        more = f'<link rel="canonical" href="{origin}{own}">'
        if self._is("canonical_absent"):
            more = ""
        if self._is("noindex"):
            more += '<meta name="robots" content="noindex">'
        text = _HEAD.format(title=words, more=more) + f"<body><h1>{words}</h1></body></html>"
        etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag and not self._is("no_304"):
            return Response(status_code=304, headers={"etag": etag})
        headers = {} if self._is("no_etag") else {"etag": etag}
        if self._is("shares_cookie"):
            headers |= {"set-cookie": "seen=1", "cache-control": "public, max-age=600"}
        return Response(text, headers=headers, media_type="text/html")

    async def login(self, _request: Request) -> Response:
        return JSONResponse({}, headers={"set-cookie": "sid=1"})

    async def create(self, request: Request) -> Response:
        if "sid" not in request.cookies:
            return JSONResponse({}, 401)
        path = f"/post-{next(self._ids)}"
        self.posts[path] = Post((await request.json())["title"])
        return JSONResponse({"post": {"id": path.removeprefix("/"), "url": self.base_url + path}}, 201)

    async def edit(self, request: Request) -> Response:
        self._post(request).saved = (await request.json())["title"]
        return JSONResponse({})

    async def publish(self, request: Request) -> Response:
        post = self._post(request)
        is_first = post.shown is None
        if not self._is("never_seen") and (is_first or not self._is("edit_late")):
            post.shown = post.saved
        if is_first or not self._is("lastmod_stays"):
            post.changed = (
                datetime.now(UTC) if not self._is("lastmod_stays") else datetime(2026, 3, 1, tzinfo=UTC)
            )
        return JSONResponse({})

    async def unpublish(self, request: Request) -> Response:
        if not self._is("never_gone"):
            self._post(request).shown = None
        return JSONResponse({})

    def _post(self, request: Request) -> Post:
        return self.posts[f"/{request.path_params['post_id']}"]

    def _is(self, defect: str) -> bool:
        return defect in self.defects


@asynccontextmanager
async def crawled_app(*defects: str) -> AsyncIterator[CrawledApp]:
    """Serve the site in this event loop."""
    app = CrawledApp(defects=set(defects))
    asgi = Starlette(
        routes=[
            Path("/robots.txt", app.robots),
            Path("/sitemap.xml", app.sitemap),
            Path("/login", app.login, methods=["POST"]),
            Path("/posts", app.create, methods=["POST"]),
            Path("/posts/{post_id}", app.edit, methods=["PUT"]),
            Path("/posts/{post_id}", app.unpublish, methods=["DELETE"]),
            Path("/posts/{post_id}/publish", app.publish, methods=["POST"]),
            Path("/{path:path}", app.page),
        ]
    )
    async with served(asgi) as app.base_url:
        yield app
