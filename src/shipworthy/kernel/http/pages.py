"""Templates: one minijinja environment per process, autoescaped, from kernel and rooms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import minijinja

from shipworthy.kernel.language import _, _n, mark, other_languages
from shipworthy.kernel.telemetry.spans import span

KERNEL_TEMPLATES = Path(__file__).parent / "templates"
# What `ui.badge` says of a status that comes without a label: its own word.
STATUSES = frozenset(
    {
        mark("Active"),
        mark("Changed"),
        mark("Credited"),
        mark("Current"),
        mark("Draft"),
        mark("Failed"),
        mark("Open"),
        mark("Overdue"),
        mark("Paid"),
        mark("Pending"),
        mark("Published"),
        mark("Sent"),
        mark("Uncollectible"),
        mark("Unpublished"),
        mark("Verified"),
        mark("Void"),
    }
)

_SHOWN_IS_DEFINED: Any = "semi_strict"  # a word the package's own types do not know yet


_NUMBER = re.compile(r"(?<!\S)(?=\S*\d)[^\s-]{1,10}(-[^\s-]{1,10}){1,3}(?!\S)")


def whole(text: object) -> Any:
    """Return a text whose numbers, such as CN-2026-00001, stay on one line; everything in it is escaped."""
    return minijinja.safe(_NUMBER.sub(r'<span class="whole">\g<0></span>', escape(str(text))))


class Pages:
    """Renders `kernel/x.html` and `<room>/x.html`, in the reader's language (`_`, `_n`)."""

    def __init__(self, folders: Mapping[str, Path], *, static_url: Callable[[str], str]) -> None:
        self._folders = {"kernel": KERNEL_TEMPLATES, **folders}
        # What nobody defined may be asked for, and never shown: a page without its words is a crash, not an empty button.
        self._environment = minijinja.Environment(
            loader=self._load, auto_escape_callback=lambda _name: "html", undefined_behavior=_SHOWN_IS_DEFINED
        )
        self._environment.add_filter("whole", whole)
        self._environment.add_global("static", static_url)
        self._environment.add_global("_", _)
        self._environment.add_global("_n", _n)
        self._environment.add_global("other_languages", other_languages)

    def render(self, name: str, data: Mapping[str, Any]) -> bytes:
        """Return the page as UTF-8. Errors: minijinja.TemplateError, a mistake of ours."""
        with span(f"page.render {name}"):
            return self._environment.render_template(name, **data).encode()

    def filter(self, name: str, function: Callable[..., Any]) -> None:
        """Let rooms add a filter, e.g. `money`."""
        self._environment.add_filter(name, function)

    def function(self, name: str, function: Callable[..., Any]) -> None:
        self._environment.add_global(name, function)

    def _load(self, name: str) -> str | None:
        folder, _, rest = name.partition("/")
        root = self._folders.get(folder)
        if root is None or ".." in rest:
            return None
        path = root / rest
        return path.read_text(encoding="utf-8") if path.is_file() else None
