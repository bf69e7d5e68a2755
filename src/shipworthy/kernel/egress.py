"""Requests to somebody else's server: to public addresses only, small, soon over, and never redirected.

Addresses may come from documents of others (a sign-in's provider), so they may name anything. The name is
resolved here, every address it has is judged, and the connection goes to the one that was judged:
a name that changes its answer in between (DNS rebinding) gains nothing.
Source:  GHSA-5rr4-8452-hf4v and CVE-2026-27945, two sign-ins that fetched from their own networks.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import SplitResult, urlencode, urlsplit

import httptools

from shipworthy.kernel.breaker import Breaker
from shipworthy.kernel.settings import LOOPBACK

TIMEOUT_S = 2.0
BODY_BYTES_MAX = 256 * 1024
AT_ONCE_MAX = 16  # towards one other side; the seventeenth waits, within its own timeout
_HEAD_BYTES_MAX = 32 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ProviderFailed(Exception):
    """The other side did not answer, or not with what it should. The message is for the log."""


@dataclass
class Answered:
    """An answer, whole."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Egress:
    """The way to one other side: bounded in time, size and number, behind a breaker."""

    def __init__(self, *, loopback_allowed: bool, breaker: Breaker, timeout_s: float = TIMEOUT_S) -> None:
        self._loopback_allowed, self._timeout_s = loopback_allowed, timeout_s
        self._breaker = breaker
        self._places = asyncio.Semaphore(AT_ONCE_MAX)

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answered:
        """Errors: ProviderFailed."""
        return await self._fetch("GET", url, dict(headers or {}), b"")

    async def post(self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str]) -> Answered:
        """Errors: ProviderFailed."""
        told = {**headers, "content-type": "application/x-www-form-urlencoded"}
        return await self.send(url, urlencode(form).encode(), headers=told)

    async def send(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answered:
        """POST a body whose type stands in the headers. Errors: ProviderFailed."""
        return await self._fetch("POST", url, dict(headers), body)

    async def _fetch(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answered:
        if not self._breaker.lets_through():
            raise ProviderFailed(f"{urlsplit(url).hostname}: failed again and again, left alone for a while")
        try:
            async with asyncio.timeout(self._timeout_s), self._places:
                answer = await self._exchange(method, url, headers, body)
        except (
            OSError,
            TimeoutError,
            ValueError,
            httptools.HttpParserError,
            asyncio.IncompleteReadError,
        ) as failed:
            self._breaker.failed()
            raise ProviderFailed(f"{method} {url}: {type(failed).__name__} {failed}") from failed
        except BaseException:
            self._breaker.failed()
            raise
        if answer.status >= 500 or 300 <= answer.status < 400:
            self._breaker.failed()
            raise ProviderFailed(f"{method} {url}: status {answer.status}")
        self._breaker.worked()
        return answer

    async def _exchange(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answered:
        parts = guarded(url, loopback_allowed=self._loopback_allowed)
        assert parts.hostname
        is_tls = parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        address = await _address_of(parts.hostname, port, loopback_allowed=self._loopback_allowed)
        reader, writer = await asyncio.open_connection(
            address,
            port,
            limit=_HEAD_BYTES_MAX,
            ssl=_tls() if is_tls else None,
            server_hostname=parts.hostname if is_tls else None,
        )
        try:
            writer.write(_head(method, parts, headers, body) + body)
            await writer.drain()
            return await _read(reader)
        finally:
            writer.transport.abort()  # one exchange a connection: nothing is left to say


def guarded(url: str, *, loopback_allowed: bool) -> SplitResult:
    """Return the parts of an address we may go to. Errors: ProviderFailed for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as broken:
        raise ProviderFailed(f"{url!r} is no address: {broken}") from broken
    is_local = loopback_allowed and parts.hostname in LOOPBACK
    is_clean = url.isascii() and url.isprintable() and not {" ", "\\"} & set(url)
    if not is_clean or not parts.hostname or parts.username is not None or port == 0:
        raise ProviderFailed(f"{url!r} is no address we go to")
    if parts.scheme != "https" and not (is_local and parts.scheme == "http"):
        raise ProviderFailed(f"{url!r} is not https")
    return parts


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, whatever form it hides in."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


async def _address_of(host: str, port: int, *, loopback_allowed: bool) -> str:
    """Return the address to connect to. One that is not public spoils all of a name's."""
    if loopback_allowed and host in LOOPBACK:
        return "127.0.0.1" if host == "localhost" else host
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise ProviderFailed(f"{host} does not have public addresses only")
    return addresses[0]


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _head(method: str, parts: SplitResult, headers: dict[str, str], body: bytes) -> bytes:
    told = {
        "host": parts.netloc,
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "close",
        "user-agent": "shipworthy",
        **headers,
    }
    if method == "POST":
        told["content-length"] = str(len(body))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds a line break")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _read(reader: asyncio.StreamReader) -> Answered:
    reading = _Reading()
    parser = httptools.HttpResponseParser(reading)
    while not reading.is_whole:
        data = await reader.read(64 * 1024)
        if not data:
            if reading.ends_with_connection:
                break
            raise ValueError("the answer ended half-way")
        parser.feed_data(data)
        reading.answer.status = parser.get_status_code()
    return reading.answer


class _Reading:
    """What the parser calls. Refuses more than we would keep, as soon as it is more."""

    def __init__(self) -> None:
        self.answer = Answered()
        self.is_whole = False
        self._has_head = False
        self._head_bytes = 0

    @property
    def ends_with_connection(self) -> bool:
        headers = self.answer.headers
        return self._has_head and not {"content-length", "transfer-encoding"} & set(headers)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > _HEAD_BYTES_MAX:
            raise ValueError("the headers are too large")
        self.answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        if len(self.answer.body) + len(body) > BODY_BYTES_MAX:
            raise ValueError("the body is too large")
        self.answer.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True
