"""The runbook in the console: its pages as they lie in the app's folder, for operators. It only shows them.

What a page is, and whether it is still true, is `shipworthy runbook`'s business. Markup that a page brings along is shown
as text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.http.reply import Page
from shipworthy.kernel.language import _, mark
from shipworthy.kernel.room import NavItem
from shipworthy.kernel.route import Route, route

PATH = "/operator/runbook"
NAV = (NavItem(href=PATH, label="Runbook", icon="file-text", section="runbook"),)
_CARD = "README"  # the service card: what a person reads first
_PAGE_BYTES_MAX = 200_000
_PAGES_MAX = 200
_KINDS = {"alert": mark("Alert"), "errors": mark("Error codes"), "procedure": mark("Procedure"), "diagram": mark("Diagram")}  # fmt: skip


async def runbook_page(ctx: Ctx) -> Page:
    return await asyncio.to_thread(_list, ctx.runtime.runbook_folder)


async def runbook_one(ctx: Ctx, page: str) -> Page:
    # Only what is listed is read: no name leads out of the folder.
    file = (await asyncio.to_thread(_files, ctx.runtime.runbook_folder)).get(page)
    if file is None:
        raise Missing("page")
    head, text = await asyncio.to_thread(_read, file)
    title = head.get("title") or page
    data = {
        "title": title,
        "facts": [(_(label), head[key]) for key, label in _FACTS.items() if head.get(key)],
        "drilled": _drilled(head),
        "text": _rendered(text),
        "back": PATH,
    }
    return Page("kernel/runbook_page.html", data, title=title, section="runbook")


_FACTS = {"blast": mark("Who is hit"), "escalate": mark("Whom to call")}


def _list(folder: Path) -> Page:
    pages = {name: _read(file) for name, file in _files(folder).items()}
    _head, card = pages.pop(_CARD, ({}, ""))
    order = list(_KINDS)
    rows = [
        {
            "href": f"{PATH}/{name}",
            "title": head.get("title") or name,
            "kind": _(_KINDS[_kind(head)]),
            "drilled": _drilled(head),
            "is_failed": "result=failed" in head.get("drilled", ""),
        }
        for name, (head, _text) in sorted(pages.items(), key=lambda page: order.index(_kind(page[1][0])))
    ]
    data = {"rows": rows, "card": _rendered(card), "build": "shipworthy runbook build"}
    return Page("kernel/runbook.html", data, title=_("Runbook"), section="runbook")


def _files(folder: Path) -> dict[str, Path]:
    """Return where each page lies by its name; nothing where no runbook was built."""
    files = [*sorted((folder / "diagrams").glob("*.md")), *sorted(folder.glob("*.md"))][-_PAGES_MAX:]
    return {file.stem: file for file in files}


def _read(file: Path) -> tuple[dict[str, str], str]:
    """Return a page's head and its text. Without the two lines of --- its first heading is its title."""
    with file.open(encoding="utf-8", errors="replace") as opened:
        text = opened.read(_PAGE_BYTES_MAX)
    if text.startswith("---\n"):
        said, _end, rest = text[4:].partition("\n---\n")
        lines = (line.partition(":") for line in said.splitlines())
        return {"kind": "procedure"} | {
            key.strip(): value.strip() for key, colon, value in lines if colon
        }, rest
    first, _newline, rest = text.lstrip().partition("\n")
    return ({"title": first.lstrip("# ")}, rest) if first.startswith("# ") else ({}, text)


def _kind(head: dict[str, str]) -> str:
    return head.get("kind", "diagram") if head.get("kind", "diagram") in _KINDS else "procedure"


def _drilled(head: dict[str, str]) -> str:
    words = dict(word.partition("=")[::2] for word in head.get("drilled", "").split())
    return words.get("date", "")[:10]


def _fence(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Any
) -> str:
    """A step says what it is above its text: `http check expect=503`."""
    token = tokens[at]
    said = escape(token.info.strip())
    label = f'<p class="quiet-text"><small>{said}</small></p>' if said else ""
    return label + f'<pre tabindex="0"><code>{escape(token.content)}</code></pre>'


def _link_open(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any
) -> str:
    """Pages name one another by their files."""
    href = str(tokens[at].attrGet("href") or "")
    file, hash_, part = href.partition("#")
    if file.endswith(".md") and "//" not in file:
        name = file.rpartition("/")[2].removesuffix(".md")
        tokens[at].attrSet("href", (PATH if name == _CARD else f"{PATH}/{name}") + hash_ + part)
    return renderer.renderToken(tokens, at, options, env)


def _renderer() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    made.add_render_rule("fence", _fence)
    made.add_render_rule("link_open", _link_open)
    return made


_MARKDOWN = _renderer()


def _rendered(text: str) -> str:
    """Return HTML that is shown as it is: markup in the text was escaped."""
    return str(_MARKDOWN.render(text))


_READS: Any = {"media": "html", "auth": "operator", "transaction": False, "queries_max": 2}

ROUTES: tuple[Route, ...] = (
    route("GET", PATH, runbook_page, **_READS, title="The runbook"),
    route("GET", PATH + "/{page}", runbook_one, **_READS, title="One page of the runbook"),
)
