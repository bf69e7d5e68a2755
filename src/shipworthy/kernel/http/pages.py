"""Templates: one minijinja environment per process, autoescaped, from kernel and rooms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import minijinja

KERNEL_TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Renders `kernel/x.html` and `<room>/x.html`."""

    def __init__(self, folders: Mapping[str, Path], *, static_url: Callable[[str], str]) -> None:
        self._folders = {"kernel": KERNEL_TEMPLATES, **folders}
        self._environment = minijinja.Environment(
            loader=self._load, auto_escape_callback=lambda _name: "html"
        )
        self._environment.add_global("static", static_url)

    def render(self, name: str, data: Mapping[str, Any]) -> bytes:
        """Return the page as UTF-8. Errors: minijinja.TemplateError, a mistake of ours."""
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
