"""`HttpSession`: one browser-like caller of the examined app, over real sockets.

Owns cookies, the Origin of unsafe requests, the timeout at every call and the cap on what is
read. Redirects are answers here, not orders. Names under .localhost reach this machine with
their Host header intact, so a tenant's site can be asked for without touching a resolver; a name
whose address is given reaches that address, whatever a resolver says meanwhile.
Not the load engine: this client is for asking, not for measuring speed.
"""

from __future__ import annotations

import asyncio
import functools
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.load.page import filled_in
from shipworthy.gauntlet.politeness import Turns

BODY_BYTES_MAX = 8 * 1024 * 1024  # a page larger than this is cut; no probe needs more to judge
CONNECTIONS_MAX = 100
# Servers close an idle connection after 5 s and more; at that very moment a request on it would get no answer.
IDLE_CONNECTION_S = 2.0
# httpcore looks at every connection of a pool before and after each request: 20 at once in one pool cost 40 ms of that.
POOLS = 20
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Unanswered(Exception):
    """No answer came: refused, reset, or too late. The message says which."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. `is_cut` says that the body was longer than the cap.

    Units:   `wire_bytes` are the body's bytes as they came, compressed or not.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    elapsed_ms: float
    is_cut: bool = False
    wire_bytes: int = 0

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON. Errors: Undecided when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Undecided(f"the answer (status {self.status}) is not JSON: {self.text[:80]!r}") from None

    def header(self, name: str) -> str:
        """Return a header's value, or an empty text."""
        return str(self.headers.get(name, ""))


@dataclass
class Hearing:
    """How many requests in a row, of all who share this, came back without an answer."""

    silent_in_a_row: int = 0


class HttpSession:
    """One caller with its own cookies. Close it, or let the exam do so.

    `addresses` says where names are reached, `turns` makes requests wait for theirs, `hearing` counts silence.
    """

    def __init__(
        self,
        base_url: str,
        *,
        site_url: str | None = None,
        addresses: Mapping[str, str] | None = None,
        turns: Turns | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        self._base = _origin(base_url)
        self._site = _origin(site_url) if site_url else None
        self._addresses, self._turns, self._hearing = addresses or {}, turns, hearing or Hearing()
        # trust_env off: a proxy of the examiner's machine must not stand between us and the app.
        self._client = httpx.AsyncClient(
            transport=_Pinned(
                self._addresses,
                verify=_tls(),
                limits=httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=IDLE_CONNECTION_S),
                trust_env=False,
            ),
            follow_redirects=False,
            trust_env=False,
        )
        self.bearer: str | None = None
        self._pools_free = [*reversed(range(POOLS))]  # the last one put back goes first: it is warm

    @property
    def base_url(self) -> str:
        return self._base

    def address_of(self, url: str) -> str:
        """Return where the host of an address is reached by whoever connects to it without this session."""
        host = urlsplit(url).hostname or ""
        return _reached_at(host, self._addresses)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    async def get(self, path: str, **kwargs: Any) -> Answer:
        return await self.request("GET", path, **kwargs)

    async def post(self, path: str, **kwargs: Any) -> Answer:
        return await self.request("POST", path, **kwargs)

    async def request(
        self,
        method: str,
        path: str,
        *,
        site: bool = False,
        json_body: Any = None,
        form: dict[str, str] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = 10.0,
        body_bytes_max: int = BODY_BYTES_MAX,
    ) -> Answer:
        """Send one request and read its answer.

        Units:   `timeout_s` seconds for the whole exchange, connecting included.
        Errors:  Unanswered when nothing usable came back in time.
        """
        origin = self._site if site else self._base
        if origin is None:
            raise Undecided("The instance publishes no site address.")
        request = self._client.build_request(
            method,
            origin + path,
            json=json_body,
            data=form,
            content=body,
            headers={**self._usual_headers(method, origin), **(headers or {})},
            timeout=timeout_s,
        )
        if self._turns is not None:
            await self._turns.next()
        try:
            answer = await self._exchange(request, timeout_s, body_bytes_max)
        except Unanswered:
            self._hearing.silent_in_a_row += 1
            raise
        except (httpx.HTTPError, OSError) as failed:
            self._hearing.silent_in_a_row += 1
            reason = str(failed) or type(failed).__name__
            raise Unanswered(f"{method} {path}: no answer ({reason})") from failed
        self._hearing.silent_in_a_row = 0
        return answer

    async def close(self) -> None:
        await self._client.aclose()

    def _usual_headers(self, method: str, origin: str) -> dict[str, str]:
        headers = {"accept": "*/*", "user-agent": "shipworthy-gauntlet"}
        if method not in _SAFE:
            headers["origin"] = origin
        if self.bearer:
            headers["authorization"] = f"Bearer {self.bearer}"
        return headers

    async def _exchange(self, request: httpx.Request, timeout_s: float, body_bytes_max: int) -> Answer:
        began = time.perf_counter()
        pool = self._pools_free.pop() if self._pools_free else None
        request.extensions["pool"] = pool or 0
        try:
            # httpx bounds each read; a trickling server needs this bound on the whole exchange.
            async with asyncio.timeout(timeout_s):
                response = await self._client.send(request, stream=True)
                try:
                    body, is_cut = await _read(response, body_bytes_max)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise Unanswered(
                f"{request.method} {request.url.path}: no answer within {timeout_s:g} s"
            ) from None
        finally:
            if pool is not None:
                self._pools_free.append(pool)
        return Answer(
            status=response.status_code,
            headers=response.headers,
            body=body,
            elapsed_ms=(time.perf_counter() - began) * 1000,
            is_cut=is_cut,
            wire_bytes=response.num_bytes_downloaded,
        )


async def sign_in(session: HttpSession, login: Login, person: Credential) -> Answer:
    """Sign `person` in and return the answer, whatever it was.

    A JSON answer that carries a token instead of setting a cookie is understood too.
    Errors:  Unanswered.
    """
    method, _, path = login.route.partition(" ")
    values = {name: _filled(value, person) for name, value in login.form.items()}
    if login.page:
        values = {**filled_in((await session.get(login.page)).text, values), **values}
    sent: dict[str, Any] = {"json_body": values} if login.media == "json" else {"form": values}
    answer = await session.request(method, path, **sent)
    if answer.status in login.ok and "json" in answer.header("content-type"):
        document = answer.json
        token = document.get("access_token") or document.get("token") if isinstance(document, dict) else None
        session.bearer = token if isinstance(token, str) else None
    return answer


def _filled(value: str, person: Credential) -> str:
    return value.replace("{email}", person.email).replace("{password}", person.password)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _read(response: httpx.Response, body_bytes_max: int) -> tuple[bytes, bool]:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > body_bytes_max:
            return b"".join(chunks)[:body_bytes_max], True
    return b"".join(chunks), False


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes 20 ms; a check may open hundreds of sessions."""
    return httpx.create_ssl_context(trust_env=False)


class _Pinned(httpx.AsyncBaseTransport):
    """Connects names to the addresses that are known for them; Host header and certificate stay the name's.

    A request says by which of several pools it goes.
    """

    def __init__(self, addresses: Mapping[str, str], **settings: Any) -> None:
        self._addresses, self._settings = addresses, settings
        self._pools: dict[int, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if (address := _reached_at(host, self._addresses)) != host:
            request = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
        number = request.extensions["pool"]
        if number not in self._pools:
            self._pools[number] = httpx.AsyncHTTPTransport(**self._settings)
        return await self._pools[number].handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


def _reached_at(host: str, addresses: Mapping[str, str]) -> str:
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    return addresses.get(host, host)
