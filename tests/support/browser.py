"""A real Chromium for tests, in tabs that remember everything a visitor would call broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from shipworthy.gauntlet.browser import ARGUMENTS, browser_path

WAIT_TIMEOUT_MS = 20_000
_NONE = "no Chromium on this machine; name one in SHIPWORTHY_CHROMIUM"
needs_chromium = pytest.mark.skipif(browser_path() is None, reason=_NONE)
# Runs in every page, past its policy: a page that can be pushed sideways says so on the console.
_SIDEWAYS = """
addEventListener("load", () => {
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) console.error(`scrolls sideways: ${width} px in a window of ${innerWidth} px`);
});
"""


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a running browser; skips where there is none."""
    from playwright.sync_api import sync_playwright

    if (program := browser_path()) is None:
        pytest.skip(_NONE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """What went wrong in a tab.

    `expected` holds (status, address) of the refusals a test asks for, `sandboxed` the addresses of
    documents (or how those in frames begin) that let no script run: the browser reports our own script there, too.
    """

    complaints: list[str] = field(default_factory=list)
    expected: set[tuple[int, str]] = field(default_factory=set)
    sandboxed: set[str] = field(default_factory=set)

    def on_console(self, message: Any) -> None:
        # The document itself, or one in a frame of the page.
        is_ours = any(
            place in (message.page.url, message.text.partition("'")[2][: len(place)])
            for place in self.sandboxed
        )
        if message.text.startswith("Blocked script execution") and is_ours:
            return
        # A refused request is told with its status by on_response; the console has only half of it.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"{message.type} on {message.page.url}: {message.text}")

    def on_page_error(self, error: Any) -> None:
        self.complaints.append(f"uncaught: {error.error}")

    def on_response(self, response: Any) -> None:
        if response.status >= 400 and (response.status, response.url) not in self.expected:
            self.complaints.append(f"{response.status} for {response.request.method} {response.url}")

    def on_request_failed(self, request: Any) -> None:
        # The browser itself drops what is under way when somebody leaves a page.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.failure} for {request.method} {request.url}")


@contextmanager
def visitor(browser: Any, *, width_px: int, base_url: str | None = None) -> Iterator[tuple[Any, Watch]]:
    """Yield a tab of somebody who was never here, and its watch.

    Errors:  AssertionError at the end for every console error or warning, violation of the content
             policy, uncaught exception, failed request, and page that scrolls sideways.
    """
    context = browser.new_context(viewport={"width": width_px, "height": 812}, base_url=base_url)
    context.set_default_timeout(WAIT_TIMEOUT_MS)
    context.add_init_script(_SIDEWAYS)
    watch = Watch()
    context.on("console", watch.on_console)
    context.on("weberror", watch.on_page_error)
    context.on("response", watch.on_response)
    context.on("requestfailed", watch.on_request_failed)
    try:
        tab = context.new_page()
        yield tab, watch
        tab.wait_for_load_state("load")
        assert not watch.complaints, "\n".join(watch.complaints)
    finally:
        context.close()
