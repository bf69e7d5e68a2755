"""The script in a real browser, under the policy of a page: one word when the page is left, or none at all."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

from shipworthy.rooms.site.render import CSP
from shipworthy.rooms.site.visits.beacon import BEACON_PATH, SCRIPT
from tests.support.browser import chromium, needs_chromium, visitor

ADDRESS = "http://acme.localhost/about?utm=1"
PAGE = (
    f"<!doctype html><title>About</title><h1>About us</h1><p>{'Words. ' * 200}</p><script>{SCRIPT}</script>"
)
LEAVE = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
  for (let n = 0; n < 3; n++) document.dispatchEvent(new Event("visibilitychange"));
}"""
ASKS_NOT_TO_BE_COUNTED = (
    "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })"
)


def test_it_is_small_and_the_policy_names_it() -> None:
    assert len(SCRIPT.encode()) <= 1_000
    assert len(gzip.compress(SCRIPT.encode())) < 700
    assert base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode() in CSP
    assert "connect-src 'self'" in CSP
    assert "cookie" not in SCRIPT and "localStorage" not in SCRIPT


@needs_chromium
def test_a_page_that_is_left_says_so_once_and_nothing_where_that_is_not_wanted() -> None:
    with chromium() as browser:
        assert said_by(browser, init="") == [{"path": "/about", "from": "news.example", "cls": 0}]
        assert said_by(browser, init=ASKS_NOT_TO_BE_COUNTED) == []


def said_by(browser: Any, *, init: str) -> list[dict[str, Any]]:
    """Open the page from a link elsewhere, leave it, and return what it said, without its timings."""
    said: list[dict[str, Any]] = []

    def answer(route: Any) -> None:
        request = route.request
        if request.method == "POST":
            assert request.url == f"http://acme.localhost{BEACON_PATH}"
            said.append(json.loads(request.post_data))
            route.fulfill(status=204)
        else:
            route.fulfill(
                status=200, body=PAGE, headers={"content-type": "text/html", "content-security-policy": CSP}
            )

    with visitor(browser, width_px=390) as (tab, _):
        if init:
            tab.add_init_script(init)
        tab.route("**/*", answer)
        tab.goto(ADDRESS, referer="http://news.example/article")
        tab.wait_for_function("performance.getEntriesByType('paint').length > 1")
        tab.evaluate(LEAVE)
        tab.evaluate("() => fetch('/later')")  # whatever was sent before this has arrived with it
    for visit in said:
        assert visit.pop("lcp") >= 0 and visit.pop("inp") >= 0
    return said
