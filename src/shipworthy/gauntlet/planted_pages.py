"""Pages of the examiner's own, with defects it knows, and one without: what proves its eyes first.

Served on loopback. `BROKEN` paints its largest image late, pushes its text down and blocks the
browser; `UNREADABLE` holds what an accessibility checker must find; `CLEAN` has none of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shipworthy.gauntlet.idp.web import Listener, Request, Response

CLEAN, BROKEN, UNREADABLE = "/clean", "/broken", "/unreadable"
LATE_MS = 700.0  # the largest image of BROKEN is not answered before
BLOCKED_MS = 400.0  # one task of BROKEN
UNREADABLE_RULES = frozenset({"button-name", "color-contrast", "image-alt", "label"})  # axe's names

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 sans-serif; color: #111; background: #fff }
@media (prefers-color-scheme: dark) { :root { color: #eee; background: #111 } }
"""
_HEAD = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page of the examiner</title><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><style>{_STYLE}</style></head>'
_TEXT = "<h1>A page of the examiner</h1><p>It is here to be measured.</p>"
# After the first paint: what moves or blocks before anything is to be seen costs nobody anything.
_BROKEN_SCRIPT = f"""
new PerformanceObserver(() => {{
  setTimeout(() => {{
    if (document.querySelector("main > :nth-child(2)")) return;
    const block = document.createElement("div");
    block.style.height = "40vh";
    document.querySelector("main").prepend(block);
  }}, 150);
  setTimeout(() => {{
    const until = performance.now() + {BLOCKED_MS:g};
    while (performance.now() < until);
  }}, 300);
}}).observe({{ type: "paint", buffered: true }});
"""
_PAGES = {
    CLEAN: f"{_HEAD}<body><main>{_TEXT}</main></body></html>",
    BROKEN: f'{_HEAD}<body><main><div style="height:30vh">{_TEXT}</div></main>'
    f'<img src="/late.svg" alt="A square" width="300" height="300"><script>{_BROKEN_SCRIPT}</script></body></html>',
    UNREADABLE: f'{_HEAD}<body><main>{_TEXT}<p style="color:#999;background:#aaa">Grey on grey.</p>'
    '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width="30" height="30"><form><input type="text" name="nameless">'
    "<button></button></form></main></body></html>",
}
# Padded: an image of less than 0.05 bits a pixel is no candidate for the largest paint.
_IMAGE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300">'
    b'<rect width="300" height="300" fill="#246"/><circle cx="150" cy="150" r="90" fill="#8ac"/>'
    b"<!--" + b"a picture " * 400 + b"--></svg>"
)


@asynccontextmanager
async def planted_pages() -> AsyncIterator[str]:
    """Serve the pages until the block ends; yield their origin."""
    listener = Listener(_answer)
    await listener.open()
    try:
        yield listener.url
    finally:
        listener.close()


def _answer(request: Request) -> Response:
    if request.path == "/late.svg":
        return Response(body=_IMAGE, headers={"content-type": "image/svg+xml"}, delay_s=LATE_MS / 1000)
    page = _PAGES.get(request.path)
    if page is None:
        return Response(status=404, body=b"", headers={"content-type": "text/plain"})
    return Response(body=page.encode(), headers={"content-type": "text/html; charset=utf-8"})
