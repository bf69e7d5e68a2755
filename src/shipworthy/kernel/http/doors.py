"""Doors: what some routes answer with nothing but a request's head, before its body is read.

A door says no in the same words to everybody, in the app's own language, so the words are made once; a
flood of refusals then costs no task, no template and no connection to the database. Under a server that
does not ask `at_once` the route refuses by itself, a little later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.http.problem import (
    HTML,
    PAGE_HEADERS,
    STATUS_OF_KIND,
    problem_answer,
    refusal_headers,
    wants_json,
)
from shipworthy.kernel.http.wire import NO_PAGE, head_bytes, headers_of, security_headers
from shipworthy.kernel.language import speaking
from shipworthy.kernel.route import Route
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.trace import context_of


class Doors:
    """The doors of one process's routes. `words` makes the page that people see of a refusal."""

    def __init__(
        self, runtime: Runtime, routes: tuple[Route, ...], *, words: Callable[[Refusal], bytes]
    ) -> None:
        self._metrics = runtime.metrics
        self._words = words
        self._always = security_headers(is_https=runtime.settings.http.public_scheme == "https")
        self._locale = runtime.settings.app.locale
        self._doors = {(r.method, r.path.encode()): (r, r.door(runtime)) for r in routes if r.door}
        self._kept: dict[tuple[str, bool], bytes] = {}

    def at_once(self, request: Mapping[str, Any]) -> tuple[bytes, bytes] | None:
        """Return a refusal as head and body; None when there is no door, or it is open."""
        found = self._doors.get((request["method"], request["raw_path"]))
        if found is None:
            return None
        began = time.perf_counter()
        route, door = found
        with speaking(self._locale):
            refusal = door(request)
            if refusal is None:
                return None
            status = STATUS_OF_KIND[refusal.kind]
            answer = self._written(refusal, status, headers_of(request), media=route.media)
        self._metrics.request(f"{route.method} {route.path}", status, time.perf_counter() - began, 0)
        return answer

    def _written(
        self, refusal: Refusal, status: int, headers: dict[str, str], *, media: str
    ) -> tuple[bytes, bytes]:
        is_json = wants_json(headers, media=media)
        key = (refusal.code, is_json)
        body = self._kept.get(key)
        if body is None:
            body = problem_answer(refusal, trace_id="-").body if is_json else self._words(refusal)
            self._kept[key] = body
        said = [
            (b"content-type", b"application/problem+json" if is_json else HTML),
            (b"cache-control", b"no-store"),
            *([NO_PAGE] if is_json else PAGE_HEADERS),
            *refusal_headers(refusal, context_of(headers.get("traceparent"))[0]),
            *self._always,
            (b"content-length", str(len(body)).encode()),
        ]
        return head_bytes(status, said), body
