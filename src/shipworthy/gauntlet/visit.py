"""`visit`: what one visit to a page cost its visitor: Core Web Vitals, as the browser saw them.

Nothing is estimated: PerformanceObserver in the page says when what was painted, moved and blocked.
The page's own content security policy stays in force.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from shipworthy.gauntlet.browser import Browser, Profile, Tab
from shipworthy.gauntlet.check import Undecided

# Quiet: loaded, nothing under way, and nothing painted, moved or blocked for this long.
QUIET_S = 0.75
# A page that is never quiet (a poll, a stream) is read as it is then.
VISIT_S_MAX = 12.0
_POLL_S = 0.05
_BLOCKING_FROM_MS = 50.0  # of a task, what lies beyond this counts as blocking
_WINDOW_MS, _GAP_MS = 5_000.0, 1_000.0  # of layout shifts: a session's length, and the pause that ends it


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """One visit. Units: milliseconds after the navigation began; `cls` has none; bytes on the wire."""

    url: str  # where it led
    status: int
    lcp_ms: float
    cls: float
    fcp_ms: float
    ttfb_ms: float
    tbt_ms: float
    bytes: int = 0
    lcp_what: str = ""  # the element that was the largest
    shifted: str = ""  # the elements of the worst layout shift
    longest_task_ms: float = 0.0
    elsewhere: frozenset[str] = frozenset()  # hosts it asked for and did not reach


async def visit(
    browser: Browser, url: str, *, profile: Profile, cookies: Sequence[dict[str, Any]] = ()
) -> Vitals:
    """Open `url` as somebody who was never here and say what it cost.

    Errors:  Undecided when no page comes, or nothing of it is painted.
    Example: async with chromium(url) as browser: await visit(browser, url, profile=PHONE)
    """
    from playwright.async_api import Error

    try:
        async with browser.tab(profile, cookies=cookies, script=_script()) as tab:
            response = await tab.page.goto(url, wait_until="load")
            if response is None:
                raise Undecided(f"{url} gave no answer.")
            seen = await _when_quiet(tab)
            return _vitals(url=tab.page.url, status=response.status, seen=seen, tab=tab)
    except Error as failed:
        raise Undecided(f"{url} could not be opened: {failed.message.splitlines()[0]}") from failed


async def _when_quiet(tab: Tab) -> dict[str, Any]:
    busy_at = began = time.monotonic()
    seen: dict[str, Any] = {}
    while time.monotonic() < began + VISIT_S_MAX:
        seen = await tab.page.evaluate("window.shipworthyVitals()")
        if tab.under_way:
            busy_at = time.monotonic()
        quiet_ms = seen["now"] - max(seen["lastAt"], seen["loaded"])
        # On a busy machine the first frame may come a second after everything is there.
        if seen["lcp"] is not None and min(quiet_ms / 1000, time.monotonic() - busy_at) >= QUIET_S:
            break
        await asyncio.sleep(_POLL_S)
    return seen


def _vitals(*, url: str, status: int, seen: dict[str, Any], tab: Tab) -> Vitals:
    if seen["fcp"] is None or seen["lcp"] is None:
        raise Undecided(f"Nothing was painted at {url}.", fix="Let the page show a text or an image.")
    tasks = [task["ms"] for task in seen["tasks"] if task["at"] + task["ms"] > seen["fcp"]]
    worst = max(seen["shifts"], key=lambda shift: shift["value"], default={"what": ""})
    lcp = seen["lcp"]
    return Vitals(
        url=url,
        status=status,
        lcp_ms=lcp["at"],
        cls=worst_session([(shift["at"], shift["value"]) for shift in seen["shifts"]]),
        fcp_ms=seen["fcp"],
        ttfb_ms=seen["ttfb"],
        tbt_ms=sum(max(0.0, ms - _BLOCKING_FROM_MS) for ms in tasks),
        bytes=int(seen["bytes"]),
        lcp_what=" ".join(filter(None, (lcp["what"], lcp["url"]))),
        shifted=worst["what"],
        longest_task_ms=max(tasks, default=0.0),
        elsewhere=frozenset(tab.elsewhere),
    )


def worst_session(shifts: Sequence[tuple[float, float]]) -> float:
    """Return CLS of (ms, value) shifts in order: the largest sum of shifts less than a second apart,
    within five seconds."""
    worst = total = 0.0
    first = last = float("-inf")
    for at, value in shifts:
        if at - last >= _GAP_MS or at - first >= _WINDOW_MS:
            first, total = at, 0.0
        last, total = at, total + value
        worst = max(worst, total)
    return worst


@cache
def _script() -> str:
    return resources.files(__package__).joinpath("vitals.js").read_text(encoding="utf-8")
