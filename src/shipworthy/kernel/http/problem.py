"""Refusals as HTTP: problem+json (RFC 9457) for programs and a page for people."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from shipworthy.kernel.errors import Refusal, SignInNeeded
from shipworthy.kernel.http.pages import Pages
from shipworthy.kernel.http.reply import Answer
from shipworthy.kernel.language import _, mark

STATUS_OF_KIND = {
    "invalid": 422,
    "malformed": 400,
    "sign_in": 401,
    "forbidden": 403,
    "missing": 404,
    "method": 405,
    "too_slow": 408,
    "conflict": 409,
    "too_large": 413,
    "media_type": 415,
    "misdirected": 421,
    "precondition": 412,
    "precondition_needed": 428,
    "too_many": 429,
    "head_too_large": 431,
    "busy": 503,
    "upstream": 502,
    "crash": 500,
}
HTML = b"text/html; charset=utf-8"


def page_headers(nonce: str = "", *, frames: str = "") -> list[tuple[bytes, bytes]]:
    """Return the policy of one page: the scripts that carry its nonce run, and none without one.

    `frames` is an origin that may stand in a frame of it. Source: CSP Level 3; OWASP's CSP cheat sheet.
    """
    scripts = f"'nonce-{nonce}'" if nonce else "'none'"
    policy = (
        f"default-src 'none'; style-src 'self'; script-src {scripts}; worker-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    if frames:
        policy += f"; frame-src 'self' {frames}"
    return [(b"content-security-policy", policy.encode())]


def new_nonce() -> str:
    """Return what marks the scripts of one page: nobody who writes into it can know it."""
    return secrets.token_urlsafe(16)


PAGE_HEADERS = page_headers()  # of a page that is the same bytes for everybody
_NO_STORE = (b"cache-control", b"no-store")
TITLES = {
    400: mark("We could not read that"),
    401: mark("Please sign in"),
    403: mark("You may not do that"),
    404: mark("There is nothing here"),
    405: mark("That is not how this address works"),
    408: mark("That took too long"),
    409: mark("That is no longer possible"),
    412: mark("Somebody changed it first"),
    413: mark("That is too large"),
    415: mark("We do not take that form"),
    421: mark("Wrong address"),
    422: mark("Please check your entries"),
    428: mark("Please reload and try again"),
    429: mark("Too many tries"),
    431: mark("That is too large"),
    500: mark("Something broke on our side"),
    502: mark("A service we need failed"),
    503: mark("We are busy"),
}


class TooLarge(Refusal):
    kind = "too_large"

    def __init__(self, bytes_max: int) -> None:
        super().__init__(
            "body.too_large", _("The request may hold at most {bytes_max} bytes.", bytes_max=bytes_max)
        )


class TooSlow(Refusal):
    """The rest of the request may still come: the answer closes the connection."""

    kind = "too_slow"

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            "body.too_slow",
            _("The request was not whole within {seconds} seconds. Send it again.", seconds=f"{timeout_s:g}"),
        )


class Misdirected(Refusal):
    kind = "misdirected"

    def __init__(self) -> None:
        super().__init__("host.unknown", _("This server does not serve that address."))


class BearerRefused(SignInNeeded):
    """A program's access token does not open this address; the header is what RFC 6750, 3.1 asks for."""

    def __init__(self) -> None:
        super().__init__(
            "session.token_invalid",
            _("This access token is not valid here, or no longer. Refresh it and try again."),
        )


class Crash(Refusal):
    """An error of ours. The message gives the trace id and nothing else."""

    kind = "crash"

    def __init__(self) -> None:
        super().__init__(
            "internal", _("The error is logged. Try again; if it stays, quote the trace id below.")
        )


def problem_answer(refusal: Refusal, *, trace_id: str) -> Answer:
    """Return the JSON form. A missing thing answers the same bytes whoever owns it: the trace id
    goes into a header there, not into the body."""
    status = STATUS_OF_KIND[refusal.kind]
    document: dict[str, Any] = {
        "type": f"urn:shipworthy:error:{refusal.code}",
        "title": _(TITLES[status]),
        "status": status,
        "code": refusal.code,
        "detail": refusal.message,
        **refusal.members,
    }
    if status >= 500:
        document["trace_id"] = trace_id
    if refusal.fields:
        document["fields"] = refusal.fields
    headers = [(b"content-type", b"application/problem+json"), _NO_STORE]
    return Answer(status, headers + refusal_headers(refusal, trace_id), msgspec.json.encode(document))


def problem_page(refusal: Refusal, pages: Pages, *, trace_id: str, base: dict[str, Any]) -> Answer:
    """Return the page form."""
    status = STATUS_OF_KIND[refusal.kind]
    shown = trace_id if status >= 500 else ""
    body = pages.render(
        "kernel/error.html",
        {
            **base,
            "page": {"title": _(TITLES[status]), "section": ""},
            "error": {
                "status": status,
                "title": _(TITLES[status]),
                "detail": refusal.message,
                "fields": refusal.fields,
                "trace_id": shown,
            },
        },
    )
    headers = [(b"content-type", HTML), _NO_STORE]
    return Answer(status, headers + refusal_headers(refusal, trace_id), body)


def wants_json(headers: Mapping[str, str], *, media: str | None) -> bool:
    """Say whether a refusal is for a program; a page is for people. `media` is the route's, None without one."""
    accept = headers.get("accept", "")
    wants_page = "text/html" in accept if media in (None, "file") else media == "html"
    sent_json = headers.get("content-type", "").startswith("application/json")
    return not wants_page or sent_json or "application/json" in accept


def refusal_headers(refusal: Refusal, trace_id: str) -> list[tuple[bytes, bytes]]:
    """Return what a refusal says outside its body: the trace, when to come back, what is allowed."""
    headers = [(b"trace-id", trace_id.encode())]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
    if isinstance(refusal, TooSlow):
        headers.append((b"connection", b"close"))
    if isinstance(refusal, BearerRefused):
        headers.append((b"www-authenticate", b'Bearer error="invalid_token"'))
    if allowed := getattr(refusal, "allowed", None):
        headers.append((b"allow", ", ".join(allowed).encode()))
    return headers
