"""What only the operator's own machine may ask: health, metrics, the traces that were kept, what the edge turned away.

Metrics and traces are shown to who asks from this machine itself, and not by a proxy on it: whatever was
forwarded comes from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.edge.page import edge_page
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.http.metrics import Metrics
from shipworthy.kernel.http.reply import Answer, Page
from shipworthy.kernel.http.router import MethodNotAllowed
from shipworthy.kernel.http.trace_pages import traces_of
from shipworthy.kernel.runtime import Runtime

_READING = ("GET", "HEAD")
_HERE = ("127.0.0.1", "::1")
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
_TRACES = "/-/traces"
_EDGE = "/-/edge"
_PLAIN = [(b"content-type", b"text/plain")]


class Operations:
    """The addresses below /-/."""

    def __init__(self, runtime: Runtime, metrics: Metrics, *, page: Callable[[Ctx, Page], Answer]) -> None:
        self._runtime, self._metrics, self._page = runtime, metrics, page

    async def __call__(self, method: str, path: str, ctx: Ctx, headers: dict[str, str]) -> Answer | None:
        """Return the answer; None for every other address. Errors: Missing for who may not ask."""
        if not path.startswith("/-/"):
            return None
        if method not in _READING:
            raise MethodNotAllowed(_READING)
        if path == "/-/healthz":
            return Answer(200, _PLAIN, b"ok\n")
        if path == "/-/readyz":
            took_s = await self._runtime.database.ping()
            return Answer(200, _PLAIN, f"ok, database {took_s * 1000:.1f} ms\n".encode())
        if ctx.client not in _HERE or any(name in headers for name in _FORWARDED):
            raise Missing()
        if path == "/-/metrics":
            media_type, text = self._metrics.text(headers.get("accept", ""))
            return Answer(200, [(b"content-type", media_type)], text)
        if path == _TRACES or path.startswith(f"{_TRACES}/"):
            trace_id = path.removeprefix(_TRACES).strip("/")
            file = self._runtime.traces_file
            page = await traces_of(file, trace_id, base=_TRACES, layout="kernel/layout_public.html")
            return self._page(ctx, page)
        if path == _EDGE or path.startswith(f"{_EDGE}/"):
            file = self._runtime.edge.events_file
            return self._page(ctx, await edge_page(file, path.removeprefix(_EDGE).strip("/")))
        raise Missing()
