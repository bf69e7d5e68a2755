"""The edge: one ordered list from the socket to the room and back.

trace -> host -> static or raw lane -> guard and admission (kernel/edge) -> route -> body limit -> guard of
the body -> session -> origin -> permission -> body -> transaction (idempotency key, handler, audit, answer kept) -> commit -> after-commit.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec

from shipworthy.kernel.context import Ctx, Principal, Scope
from shipworthy.kernel.edge.admission import PAGE, Admission
from shipworthy.kernel.edge.guard import Guard
from shipworthy.kernel.errors import Refusal, SignInNeeded
from shipworthy.kernel.http import cookies, idempotency
from shipworthy.kernel.http.binding import parse_body, parse_query
from shipworthy.kernel.http.doors import Doors
from shipworthy.kernel.http.metrics import Metrics
from shipworthy.kernel.http.operations import Operations
from shipworthy.kernel.http.origin import SAFE_METHODS, check_origin
from shipworthy.kernel.http.permission import (
    CHOOSE_PATH,
    Nav,
    NoTenantChosen,
    check_permission,
    permissions_of,
)
from shipworthy.kernel.http.problem import (
    HTML,
    PAGE_HEADERS,
    STATUS_OF_KIND,
    BearerRefused,
    Crash,
    Misdirected,
    new_nonce,
    page_headers,
    problem_answer,
    problem_page,
    refusal_headers,
    wants_json,
)
from shipworthy.kernel.http.reply import Answer, File, Json, Page, Redirect, Stream, said_besides
from shipworthy.kernel.http.router import Router
from shipworthy.kernel.http.static import StaticFiles
from shipworthy.kernel.http.step_up import ProofTooOld, check_proof, confirm_address
from shipworthy.kernel.http.telling import tell
from shipworthy.kernel.http.wire import (
    AtOnce,
    ClientGone,
    Receive,
    Send,
    bearer_of,
    client_of,
    headers_of,
    host_of,
    read_body,
    security_headers,
    send_answer,
)
from shipworthy.kernel.language import LANGUAGE_COOKIE, Locale, _, chosen_language, speak, speaking, spoken
from shipworthy.kernel.route import Route
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log
from shipworthy.kernel.telemetry.spans import span
from shipworthy.kernel.telemetry.trace import context_of, followed, following

Lane = Callable[[Any, Receive, Send], Awaitable[None]]

_READING = ("GET", "HEAD")
SESSION_COOKIE = "sid"


class Edge:
    """The ASGI application of one process."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        routes: tuple[Route, ...],
        lane: Lane | None,
        static: StaticFiles,
        metrics: Metrics,
    ) -> None:
        self._runtime = runtime
        self._router = Router(routes)
        self._lane = lane
        self._static = static
        self._metrics = metrics
        self._lane_at_once: AtOnce | None = getattr(lane, "at_once", None)
        self._operations = Operations(runtime, metrics, page=self._page)
        edge = runtime.settings.edge
        self._guard, self._admission = Guard(crs_dir=edge.crs_dir), Admission(edge)
        self._doors = Doors(runtime, routes, words=self._words_of)
        self._console_hosts = frozenset(runtime.settings.app.hosts)
        self._session_cookie = cookies.name(runtime.settings, SESSION_COOKIE)
        self._language_cookie = cookies.name(runtime.settings, LANGUAGE_COOKIE)
        self._permissions = permissions_of(runtime)
        self._tells_tenant = runtime.settings.http.tenant_told
        self._always = security_headers(is_https=runtime.settings.http.public_scheme == "https")
        self._nav = Nav(runtime, routes, self._permissions)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        host = host_of(scope)
        if not self._is_console(host):
            await self._foreign_host(scope, receive, send)
            return
        headers = headers_of(scope)
        path: str = scope["path"]
        if path.startswith("/static/"):
            await self._send(send, self._static.answer(scope["method"], path, headers), scope["method"])
            return
        trace_id, parent_id = context_of(headers.get("traceparent"))
        trace = self._runtime.tracer.begin(trace_id, parent_id, scope["method"])
        with speaking(self._language(headers)), following(trace_id, trace):
            await self._console(scope, headers, host, receive, send)

    def at_once(self, request: Mapping[str, Any]) -> tuple[bytes, bytes] | None:
        """Return what the raw lane has ready for a host of its own, or what a door says to a caller."""
        if not self._is_console(host_of(request)):
            return self._lane_at_once(request) if self._lane_at_once is not None else None
        return self._doors.at_once(request)

    async def _send(self, send: Send, answer: Answer, method: str) -> None:
        await send_answer(send, answer, method, always=self._always)

    def _is_console(self, host: str) -> bool:
        # A port is digits: "localhost:@evil.example" would put another host into the links we mail.
        name, _, port = host.rpartition(":")
        return host in self._console_hosts or (name in self._console_hosts and port.isdecimal())

    def _language(self, headers: dict[str, str]) -> Locale:
        return chosen_language(
            cookies.read(headers.get("cookie", ""), self._language_cookie),
            headers.get("accept-language", ""),
            otherwise=self._runtime.settings.app.locale,
        )

    async def _foreign_host(self, scope: Any, receive: Receive, send: Send) -> None:
        if self._lane is not None:
            headers = headers_of(scope)
            ctx = self._ctx_of(
                scope, headers, host_of(scope), trace_id=context_of(headers.get("traceparent"))[0]
            )
            try:
                self._guard.head(ctx, scope, headers, refuses_malformed=False)
                await self._admission.admit(ctx, scope, headers, limit=PAGE)
            except Refusal as refusal:
                body = self._words_of(refusal)
                said = [
                    (b"content-type", HTML),
                    (b"cache-control", b"no-store"),
                    (b"x-robots-tag", b"noindex"),
                    *PAGE_HEADERS,
                    *refusal_headers(refusal, ctx.trace_id),
                ]
                await self._send(send, Answer(STATUS_OF_KIND[refusal.kind], said, body), scope["method"])
                return
            await self._lane(scope, receive, send)
            return
        await self._send(send, problem_answer(Misdirected(), trace_id="-"), scope["method"])

    async def _console(
        self, scope: Any, headers: dict[str, str], host: str, receive: Receive, send: Send
    ) -> None:
        started_s = time.perf_counter()
        method: str = scope["method"]
        failure: Exception | None = None
        ctx = self._ctx_of(scope, headers, host, trace_id=followed())
        ctx.extra["headers"] = headers
        route: Route | None = None
        try:
            if answer := await self._operations(method, scope["path"], ctx, headers):
                await self._send(send, answer, method)
                return
            self._guard.head(ctx, scope, headers)
            await self._admission.admit(ctx, scope, headers)
            route, values = self._router.find(method, scope["path"])
            limits = self._runtime.settings.http
            body = await read_body(
                receive,
                headers,
                bytes_max=route.body_bytes_max or limits.body_bytes_max,
                timeout_s=limits.body_timeout_s,
            )
            self._guard.body(ctx, route, scope, headers, body)
            answer = await self._run(ctx, route, values, scope, headers, body)
        except ClientGone:
            return
        except Refusal as refusal:
            failure = refusal
            answer = self._refuse(ctx, route, headers, scope, refusal)
        except Exception as crash:  # the request edge: the one place where a crash becomes an answer
            failure = crash
            log.exception("request crashed", extra={"method": method, "path": scope["path"]})
            answer = self._refuse(ctx, route, headers, scope, Crash())
        answer.headers += said_besides(answer, tenant_id=ctx.scope.tenant_id if self._tells_tenant else None)
        await self._send(send, answer, method)
        tell(ctx, route, method, answer.status, started_s=started_s, failure=failure)

    def _ctx_of(self, scope: Any, headers: dict[str, str], host: str, *, trace_id: str) -> Ctx:
        return Ctx(
            scope=Scope(self._runtime.realm_id),
            runtime=self._runtime,
            trace_id=trace_id,
            host=host,
            client=client_of(scope, headers, self._runtime.settings.http.trusted_proxies),
        )

    async def _run(
        self, ctx: Ctx, route: Route, values: list[object], scope: Any, headers: dict[str, str], body: bytes
    ) -> Answer:
        await self._sign_in(ctx, route, headers)
        await self._admission.admit_tenant(ctx, scope)
        check_origin(scope["method"], headers, host=ctx.host)
        self._authorise(ctx, route)
        arguments = list(values)
        if route.query is not None:
            arguments.append(parse_query(scope["query_string"].decode("latin-1"), route.query))
        if route.body is not None:
            arguments.append(parse_body(body, headers.get("content-type", ""), route.body))
        if not route.transaction:
            answer = self._answer(ctx, route, await route.handler(ctx, *arguments))
        else:
            async with ctx.begin() as tx:
                ctx.tx = tx
                answer = await self._once(ctx, route, arguments, scope, headers, body)
        for later in ctx.after_commit:
            result = later()
            if result is not None:
                await result
        return answer

    async def _once(
        self,
        ctx: Ctx,
        route: Route,
        arguments: list[object],
        scope: Any,
        headers: dict[str, str],
        body: bytes,
    ) -> Answer:
        """Run the handler; under an idempotency key, run it at most once."""
        if route.idempotency == "none":
            return self._answer(ctx, route, await route.handler(ctx, *arguments))
        key = idempotency.key_of(headers, body)
        first = await idempotency.replay(ctx, key, method=route.method, path=scope["path"], body=body)
        if first is not None:
            return first
        answer = self._answer(ctx, route, await route.handler(ctx, *arguments))
        await idempotency.remember(ctx, key, answer)
        return answer

    async def _sign_in(self, ctx: Ctx, route: Route, headers: dict[str, str]) -> None:
        with span("auth.session"):
            ctx.principal = await self._principal(ctx, route, headers)
        if ctx.principal is not None and ctx.principal.tenant_id is not None and route.auth != "operator":
            ctx.scope = Scope(ctx.scope.realm_id, ctx.principal.tenant_id)
        if ctx.principal is not None:
            speak(ctx.principal.language)  # over what this browser asks for

    async def _principal(self, ctx: Ctx, route: Route, headers: dict[str, str]) -> Principal | None:
        bearer, bearers = bearer_of(headers), self._runtime.bearers
        if bearer is not None and bearers is not None:
            # Pages are for people: a program never changes a password, however its token was come by.
            return None if route.media == "html" else await bearers(ctx, bearer)
        token = cookies.read(headers.get("cookie", ""), self._session_cookie)
        return await self._runtime.sessions.lookup(token) if token else None

    def _authorise(self, ctx: Ctx, route: Route) -> None:
        if route.auth == "public":
            return
        if ctx.principal is None and bearer_of(ctx.extra["headers"]) is not None:
            raise BearerRefused
        if ctx.principal is None:
            raise SignInNeeded("session.missing", _("Sign in first, then try again."))
        check_permission(ctx, route, self._permissions)
        check_proof(ctx, within_s=route.step_up_s)

    def _answer(self, ctx: Ctx, route: Route, value: Any) -> Answer:
        """Turn what a handler returned into bytes."""
        assert not (route.audit and "audited" not in ctx.extra), (
            f"{route.path} declares audit {route.audit!r} and wrote no row"
        )
        if isinstance(value, Page):
            return self._page(ctx, value)
        if isinstance(value, Redirect):
            headers = [(b"location", value.to.encode()), (b"cache-control", b"no-store")]
            headers += [(b"set-cookie", c.encode()) for c in value.cookies]
            if value.flash:
                text = base64.urlsafe_b64encode(value.flash.encode()).decode()
                cookie = cookies.write(self._runtime.settings, cookies.FLASH, text, max_age_s=60)
                headers.append((b"set-cookie", cookie.encode()))
            return Answer(value.status, headers, b"")
        if isinstance(value, (File, Stream)):
            headers = [
                (b"content-type", value.media_type.encode()),
                *((n.encode(), v.encode()) for n, v in value.headers),
            ]
            return Answer(value.status, headers, value.body, value.chunks)
        if isinstance(value, Json):
            headers = [
                (b"content-type", b"application/json"),
                *((n.encode(), v.encode()) for n, v in value.headers),
            ]
            headers += [(b"set-cookie", c.encode()) for c in value.cookies]
            return Answer(value.status, headers, encode_json(value.value))
        if value is None:
            return Answer(204, [], b"")
        return Answer(route.status, [(b"content-type", b"application/json")], encode_json(value))

    def _page(self, ctx: Ctx, page: Page) -> Answer:
        nonce = new_nonce()
        headers = [(b"content-type", HTML), (b"cache-control", b"no-store")]
        headers += page_headers(nonce, frames=page.frames)
        if "flash" in ctx.extra.setdefault("headers", {}).get("cookie", ""):
            headers.append(
                (
                    b"set-cookie",
                    cookies.write(self._runtime.settings, cookies.FLASH, "", max_age_s=0).encode(),
                )
            )
        headers += [(n.encode(), v.encode()) for n, v in page.headers]
        headers += [(b"set-cookie", c.encode()) for c in page.cookies]
        data = {**self.base(ctx, title=page.title, section=page.section, nonce=nonce), **page.data}
        return Answer(page.status, headers, self._runtime.pages.render(page.template, data))

    def base(self, ctx: Ctx, *, title: str, section: str, nonce: str = "") -> dict[str, Any]:
        """What every template may use. Without a nonce a page has no scripts."""
        person = ctx.principal
        return {
            "app": {"name": self._runtime.settings.app.name},
            "page": {"title": title, "section": section},
            "user": {"name": person.name or person.email, "email": person.email} if person else None,
            "tenant": {"name": person.tenant_name} if person and person.tenant_name else None,
            "nav": self._nav.of(person),
            "flash": cookies.flashed(ctx.extra.get("headers", {}).get("cookie", ""), self._runtime.settings),
            "lang": spoken(),
            "nonce": nonce,
            "path": ctx.extra.get("path", ""),
            "is_on": ctx.is_on,
        }

    def _refuse(
        self, ctx: Ctx, route: Route | None, headers: dict[str, str], scope: Any, refusal: Refusal
    ) -> Answer:
        if wants_json(headers, media=route.media if route else None):
            return problem_answer(refusal, trace_id=ctx.trace_id)
        if where := self._led_elsewhere(ctx, headers, scope, refusal):
            return Answer(303, [(b"location", where.encode())], b"")
        if isinstance(refusal.page, Page):
            answer = self._page(ctx, replace(refusal.page, status=STATUS_OF_KIND[refusal.kind]))
            answer.headers += refusal_headers(refusal, ctx.trace_id)
            return answer
        nonce = new_nonce()
        base = self.base(ctx, title="", section="", nonce=nonce)
        answer = problem_page(refusal, self._runtime.pages, trace_id=ctx.trace_id, base=base)
        answer.headers += page_headers(nonce)
        return answer

    def _led_elsewhere(self, ctx: Ctx, headers: dict[str, str], scope: Any, refusal: Refusal) -> str | None:
        """Return where a refused person goes on instead; None where there is only the refusal to read."""
        if isinstance(refusal, SignInNeeded) and scope["method"] in SAFE_METHODS:
            return f"/login?next={quote(scope['path'], safe='/')}"
        if isinstance(refusal, NoTenantChosen) and scope["method"] in SAFE_METHODS:
            return CHOOSE_PATH
        if isinstance(refusal, ProofTooOld):
            return confirm_address(scope["method"], scope["path"], headers, host=ctx.host)
        return self._nav.instead_of(scope, refusal, ctx.principal)

    def _words_of(self, refusal: Refusal) -> bytes:
        """A refusal as the page anybody sees."""
        nobody = Ctx(scope=Scope(self._runtime.realm_id), runtime=self._runtime, trace_id="")
        base = self.base(nobody, title="", section="")
        return problem_page(refusal, self._runtime.pages, trace_id="", base=base).body


def encode_json(value: Any) -> bytes:
    """Return compact JSON; ids and dates in their standard text forms."""
    return msgspec.json.encode(value, enc_hook=_encode_other)


def _encode_other(value: Any) -> Any:
    if isinstance(value, uuid.UUID):  # asyncpg's subclass
        return str(value)
    raise TypeError(f"cannot encode {type(value).__name__}")
