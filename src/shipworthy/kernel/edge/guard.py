"""The guard: one step of the edge's list, from a request's head to its body. Decides, tells, refuses.

Positive security comes first and has no false alarms: what a route does not declare is not taken (method, path, types
and lengths by router and binding), and what is not written plainly is not read. Attacks are recognised below that, and
refused only where the switch says so. A search engine is never refused for what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.edge.attacks import Finding, attack_in, tool_in
from shipworthy.kernel.edge.crs import Crs, CrsMissing, open_crs
from shipworthy.kernel.edge.encodings import wrong_path, wrong_query, wrong_text
from shipworthy.kernel.edge.events import Happened
from shipworthy.kernel.edge.networks import network_of
from shipworthy.kernel.edge.refusals import Compressed, HeadTooLarge, NotPlain, looks_like_attack
from shipworthy.kernel.edge.switches import REFUSE_ATTACKS, REFUSE_MALFORMED
from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.binding import FORM
from shipworthy.kernel.http.multipart import MULTIPART, BadMultipart, parse_multipart
from shipworthy.kernel.route import Route
from shipworthy.kernel.telemetry.log import log

HEAD_BYTES_MAX = 32_768  # as the server says it (kernel/http/server.py); another server may allow more
_MULTIPART_BYTES_MAX = 262_144  # in a larger one there are files, and its texts are read when they are bound
_FIELDS_MAX = 2_000
_DEPTH_MAX = 32
# Once, or whoever checks reads another one than whoever serves (RFC 9110, 5.3; RFC 9112, 3.2).
_ONCE = frozenset({"host", "content-length", "content-type", "authorization", "origin", "idempotency-key"})
# Whose grammar is somebody else's business, or read by nobody: they are not searched for attacks.
_KNOWN_HEADERS = re.compile(
    r"accept(?:-.+)?|authorization|cache-control|connection|content-.+|cookie|dnt|expect|forwarded|hx-.+|host"
    r"|idempotency-key|if-.+|keep-alive|origin|pragma|priority|purpose|range|referer|sec-.+|te|traceparent|tracestate"
    r"|transfer-encoding|upgrade(?:-.+)?|user-agent|via|x-forwarded-.+|x-real-ip|x-requested-with"
)
# What opens something is never read: not by rules, not into an event.
_SECRET = re.compile(
    r"pass|secret|token|otp|credential|signature|^(?:code|state|current|new|proof|response)$", re.IGNORECASE
)

Found = tuple[str, Finding]
Fields = Sequence[tuple[str, str]]


class Guard:
    """The guard of one process."""

    def __init__(self, *, crs_dir: str = "") -> None:
        self._crs = open_crs(crs_dir)
        if crs_dir and isinstance(self._crs, CrsMissing):
            log.warning("the core rule set is not in use", extra={"reason": self._crs.why})

    def head(
        self, ctx: Ctx, scope: Any, headers: Mapping[str, str], *, refuses_malformed: bool = True
    ) -> None:
        """Look at how a request is written, before anything else does.

        Published pages have one reader, who shows that nothing is there: old links that are oddly written are noted.

        Errors:  NotPlain, HeadTooLarge; Forbidden `edge.attack` where the switch says so.
        Cost:    about 4 us for a plain request.
        """
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        rule, part = wrong_path(raw_path), "path"
        if rule is None:
            rule, part = wrong_query(scope["query_string"]), "query"
        if rule is None and len(scope["headers"]) != len(headers):
            rule, part = _twice(scope["headers"])
        if rule is not None:
            refusal = NotPlain(ctx.trace_id) if refuses_malformed else None
            self._malformed(ctx, scope, rule, part, refusal)
        if (size := _size_bytes(scope["headers"])) > HEAD_BYTES_MAX:
            self._malformed(
                ctx, scope, "head.too_large", f"headers, {size} bytes", HeadTooLarge(HEAD_BYTES_MAX)
            )
        if (found := _in_head(scope["path"], headers)) is not None:
            self._attack(ctx, scope, found)

    def body(self, ctx: Ctx, route: Route, scope: Any, headers: Mapping[str, str], body: bytes) -> None:
        """Look at what a request says to its route: its query, and the texts of its body.

        Errors:  NotPlain, Compressed; Forbidden `edge.attack` where the switch says so.
        Cost:    2 us and 0.5 us a text; 60 us for a text that has to be read closely.
        """
        if body:
            self._plain_body(ctx, scope, headers, body)
        query: bytes = scope["query_string"]
        if not (body or query):
            return
        fields = _read_fields(headers, body) if body and route.screened else ()
        found = _in_query(query) if query else None
        found = (
            found
            or _in_fields(fields, personal=route.personal)
            or self._by_core_rules(ctx, scope, headers, fields)
        )
        if found is not None:
            self._attack(ctx, scope, found)

    def _plain_body(self, ctx: Ctx, scope: Any, headers: Mapping[str, str], body: bytes) -> None:
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            # Whoever unpacks decides how much memory a sender of 10 kB may fill: here nobody does.
            self._malformed(ctx, scope, "body.compressed", "header content-encoding", Compressed())
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media == FORM and (rule := wrong_text(body)) is not None:
            self._malformed(ctx, scope, rule, "body", NotPlain(ctx.trace_id))

    def _by_core_rules(
        self, ctx: Ctx, scope: Any, headers: Mapping[str, str], fields: Fields
    ) -> Found | None:
        if not isinstance(self._crs, Crs):
            return None
        query = scope["query_string"].decode("latin-1")
        kept = [pair for pair in query.split("&") if pair and not _SECRET.search(pair.partition("=")[0])]
        target = quote(scope["path"]) + ("?" + "&".join(kept) if kept else "")
        finding = self._crs.attack_in(
            method=scope["method"], target=target, headers=headers, fields=fields, client=ctx.client
        )
        return ("request", finding) if finding is not None else None

    def _malformed(self, ctx: Ctx, scope: Any, rule: str, part: str, refusal: Refusal | None) -> None:
        is_refused = refusal is not None and ctx.is_on(REFUSE_MALFORMED)
        self._tell(ctx, scope, Finding(rule, 0, SAYS[rule], ""), part, is_refused=is_refused)
        if refusal is not None and is_refused:
            raise refusal

    def _attack(self, ctx: Ctx, scope: Any, found: Found) -> None:
        part, finding = found
        is_refused = ctx.is_on(REFUSE_ATTACKS)
        self._tell(ctx, scope, finding, part, is_refused=is_refused)
        if is_refused:
            raise looks_like_attack(ctx.trace_id)

    def _tell(self, ctx: Ctx, scope: Any, finding: Finding, part: str, *, is_refused: bool) -> None:
        happened = Happened(
            rule=finding.rule,
            says=finding.says,
            part=part,
            method=scope["method"],
            path=scope["path"],
            network=network_of(ctx.client),
            excerpt=finding.excerpt,
            score=finding.score,
        )
        ctx.runtime.edge.events.tell(happened, trace_id=ctx.trace_id, is_refused=is_refused)


SAYS = {
    "encoding.null": "a null character, which ends a text for some readers and not for others",
    "encoding.overlong": "a character written longer than UTF-8 allows, as only attacks do",
    "encoding.not_utf8": "bytes that are no UTF-8",
    "encoding.double": "a path that is encoded twice",
    "encoding.control": "a control character in a path",
    "encoding.percent_u": "%u escapes, which no standard knows",
    "header.twice": "a header that may stand only once stands twice",
    "head.too_large": "more headers and cookies than a browser sends",
    "body.compressed": "a compressed body",
}


def _twice(raw: list[tuple[bytes, bytes]]) -> tuple[str | None, str]:
    seen: set[str] = set()
    for raw_name, _value in raw:
        name = raw_name.decode("latin-1")
        if name in _ONCE and name in seen:
            return "header.twice", f"header {name}"
        seen.add(name)
    return None, ""


def _size_bytes(raw: list[tuple[bytes, bytes]]) -> int:
    return sum([len(name) + len(value) for name, value in raw])


def _in_head(path: str, headers: Mapping[str, str]) -> Found | None:
    if (finding := attack_in(path) or attack_in(path[1:])) is not None:  # without its slash, it may be Base64
        return "path", finding
    if (finding := _tool(headers.get("user-agent", ""))) is not None:
        return "header user-agent", finding
    for name in headers.keys() - _BROWSERS_SEND:
        if _KNOWN_HEADERS.fullmatch(name) is None and (finding := attack_in(unquote(headers[name]))):
            return f"header {name}", finding
    return None


# Decided without a pattern: what nearly each request brings.
_BROWSERS_SEND = frozenset(
    [
        "host",
        "user-agent",
        "accept",
        "accept-language",
        "accept-encoding",
        "connection",
        "cookie",
        "referer",
        "origin",
        "content-type",
        "content-length",
        "cache-control",
        "upgrade-insecure-requests",
        "sec-fetch-site",
        "sec-fetch-mode",
        "sec-fetch-dest",
        "sec-fetch-user",
        "sec-ch-ua",
        "sec-ch-ua-mobile",
        "sec-ch-ua-platform",
        "x-forwarded-for",
        "x-forwarded-proto",
        "traceparent",
        "idempotency-key",
        "authorization",
        "priority",
        "te",
        "dnt",
        "if-none-match",
    ]
)


@lru_cache(maxsize=4_096)
def _tool(user_agent: str) -> Finding | None:
    return tool_in(user_agent) if user_agent else None


def _in_query(query: bytes) -> Found | None:
    try:
        pairs = parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return None  # the binding refuses it
    for name, value in pairs:
        if (finding := attack_in(name)) is not None:
            return "query (a name)", finding
        if _SECRET.search(name):
            continue
        if (finding := attack_in(value)) is not None:
            return f"query {name}", finding
    return None


def _read_fields(headers: Mapping[str, str], body: bytes) -> Fields:
    """Return the texts of a body by field, without what opens something."""
    content_type = headers.get("content-type", "")
    media = content_type.partition(";")[0].strip().lower()
    return [(name, text) for name, text in _texts(media, content_type, body) if _SECRET.search(name) is None]


def _in_fields(fields: Fields, *, personal: Sequence[str]) -> Found | None:
    """Return the first attack. Of a field that the route declares personal, what was seen is not kept."""
    for name, text in fields:
        if (finding := attack_in(text)) is not None:
            is_personal = name.rpartition(".")[2] in personal
            return f"body {name}", replace(finding, excerpt="") if is_personal else finding
    return None


def _texts(media: str, content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the texts of a body by field; nothing where it cannot be read: then the binding refuses it."""
    try:
        if media == FORM:
            yield from parse_qsl(
                body.decode("utf-8", "replace"), keep_blank_values=False, max_num_fields=_FIELDS_MAX
            )
        elif media == "application/json" or media.endswith("+json"):
            yield from _strings(msgspec.json.decode(body), "", _DEPTH_MAX)
        elif media == MULTIPART and len(body) <= _MULTIPART_BYTES_MAX:
            for name, value in parse_multipart(body, content_type):
                if isinstance(value, str):
                    yield name, value
    except (ValueError, RecursionError, BadMultipart):
        return


def _strings(value: Any, name: str, deep: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict) and deep:
        for key, inner in value.items():
            yield name, key
            yield from _strings(inner, f"{name}.{key}" if name else key, deep - 1)
    elif isinstance(value, list) and deep:
        for inner in value:
            yield from _strings(inner, name, deep - 1)
