"""The wire: reading an ASGI request's headers and body with limits, sending an answer whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from shipworthy.kernel.http.problem import TooLarge, TooSlow
from shipworthy.kernel.http.reply import Answer

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

# Answers a request that needs no waiting, as (head, body) for the wire; None sends it the usual way.
AtOnce = Callable[[Mapping[str, Any]], tuple[bytes, bytes] | None]

_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
# Of whatever is no page: asked for by itself, nothing in it runs, loads or is framed. What is shown in the browser
# (a PDF, a picture) may use its viewer.
NO_PAGE = (b"content-security-policy", b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
_SHOWN = (b"content-security-policy", b"base-uri 'none'; frame-ancestors 'none'")


def security_headers(*, is_https: bool) -> list[tuple[bytes, bytes]]:
    """Return what every answer of a console says. Source: OWASP Secure Headers; ASVS 5.0, 3.4."""
    return [*_SECURITY_HEADERS, *([_HSTS] if is_https else [])]


def headers_of(scope: Any) -> dict[str, str]:
    """Header names arrive in lower case; of repeated ones the last wins, cookies are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}; {value}" if name == "cookie" and name in headers else value
    return headers


def host_of(scope: Any) -> str:
    """Return the host asked for. The raw lane pays for this on each hit, so it reads nothing else."""
    host = b""
    for name, value in scope["headers"]:
        if name == b"host":
            host = value
    return host.decode("latin-1").lower()


def client_of(scope: Any, headers: dict[str, str], trusted_proxies: int) -> str:
    """Return the caller's address; X-Forwarded-For counts only as far as our own proxies wrote it."""
    peer = scope["client"][0] if scope.get("client") else ""
    hops = [h.strip() for h in headers.get("x-forwarded-for", "").split(",") if h.strip()]
    return hops[-trusted_proxies] if trusted_proxies and len(hops) >= trusted_proxies else peer


def bearer_of(headers: dict[str, str]) -> str | None:
    """Return the token of `Authorization: Bearer`, or None when the request brings none (RFC 6750, 2.1)."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class ClientGone(Exception):
    """Whoever asked has closed the connection: there is nobody to answer."""


async def read_body(receive: Receive, headers: dict[str, str], *, bytes_max: int, timeout_s: float) -> bytes:
    """Return the body.

    Errors:  TooLarge, TooSlow when it is not whole within `timeout_s`, ClientGone.
    """
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > bytes_max:
        raise TooLarge(bytes_max)
    if declared in ("", "0") and "transfer-encoding" not in headers:
        return await _read(receive, bytes_max)  # most requests have no body: no timer for them
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(receive, bytes_max)
    except TimeoutError:
        raise TooSlow(timeout_s) from None


async def _read(receive: Receive, bytes_max: int) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > bytes_max:
            raise TooLarge(bytes_max)
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def head_bytes(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return an answer's head as HTTP/1.1 writes it, but for the date and the empty line at its end."""
    lines = [b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())]
    return b"".join([*lines, *(b"%b: %b\r\n" % header for header in headers)])


async def send_answer(
    send: Send, answer: Answer, method: str, *, always: Sequence[tuple[bytes, bytes]]
) -> None:
    """Send an answer with the headers that `always` go along, and a policy where it has none."""
    headers = [*answer.headers, *always]
    if not any(name == b"content-security-policy" for name, _ in answer.headers):
        headers.append(_SHOWN if _is_shown(answer) else NO_PAGE)
    if answer.chunks is None:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.chunks is not None and method != "HEAD":
        async for chunk in answer.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


def _is_shown(answer: Answer) -> bool:
    return any(n == b"content-disposition" and v.startswith(b"inline") for n, v in answer.headers)
