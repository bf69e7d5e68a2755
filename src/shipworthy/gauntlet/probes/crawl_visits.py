"""People who visit while bots read: Core Web Vitals of some pages, again and again until the load ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from shipworthy.gauntlet.browser import PHONE, browser_path, chromium
from shipworthy.gauntlet.check import Undecided, Unmeasurable
from shipworthy.gauntlet.visit import Vitals, visit

PAGES_MAX = 4  # different ones; each is visited several times
VISITS_MAX = 20  # a browser on the same machine takes CPU from what it looks at
_PAUSE_S = 0.5  # between two visits, for the same reason
# What was seen, or why nothing was.
Seen = Sequence[Vitals] | Undecided


def lack_of_browser() -> Undecided | None:
    """Return why nobody can visit; None when somebody can."""
    if browser_path() is not None:
        return None
    fix = "Install Chromium, or set SHIPWORTHY_CHROMIUM."
    return Unmeasurable("No Chromium was found on this machine.", fix=fix)


async def visits_until(stop: asyncio.Event, urls: Sequence[str]) -> Seen:
    """Visit these pages with a phone, each visitor new, until `stop` is set; at least once."""
    seen: list[Vitals] = []
    try:
        async with chromium(*urls) as browser:
            while len(seen) < VISITS_MAX:
                visited = await visit(browser, urls[len(seen) % len(urls)], profile=PHONE)
                if stop.is_set() and seen:
                    break  # the load ended before this visit did
                seen.append(visited)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _PAUSE_S)
                if stop.is_set():
                    break
    except Undecided as undecided:
        return undecided
    return seen
