"""A visit measures what is known to be wrong, and nothing where nothing is. Covers: planted_pages."""

from __future__ import annotations

import asyncio

import pytest

from shipworthy.gauntlet.browser import DESKTOP, PHONE, chromium
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.planted_pages import BLOCKED_MS, BROKEN, CLEAN, LATE_MS, planted_pages
from shipworthy.gauntlet.visit import visit, worst_session
from tests.support.browser import needs_chromium
from tests.support.ledger import served
from tests.support.screens import Screens


@needs_chromium
@pytest.mark.browser
async def test_what_is_planted_is_measured_and_a_clean_page_is_clean() -> None:
    async with planted_pages() as origin, chromium(origin) as browser:
        desk, phone, clean = await asyncio.gather(
            visit(browser, origin + BROKEN, profile=DESKTOP),
            visit(browser, origin + BROKEN, profile=PHONE),
            visit(browser, origin + CLEAN, profile=PHONE),
        )
        with pytest.raises(Undecided, match="could not be opened"):
            await visit(browser, "http://127.0.0.1:1/", profile=DESKTOP)
    for seen in (desk, phone):
        assert seen.lcp_ms >= LATE_MS and "late.svg" in seen.lcp_what, seen
        assert seen.cls > 0.1 and seen.shifted, seen
        assert seen.tbt_ms >= BLOCKED_MS - 50 - 1, seen
        assert seen.ttfb_ms <= seen.fcp_ms < seen.lcp_ms, seen
    assert clean.cls == 0 and clean.status == 200 and clean.bytes > 0, clean
    assert clean.fcp_ms >= PHONE.latency_ms  # the network of the phone was in force


@needs_chromium
@pytest.mark.browser
async def test_a_page_that_shows_itself_late_is_waited_for() -> None:
    async with served(Screens().asgi()) as base_url, chromium(base_url) as browser:
        seen = await visit(browser, base_url + "/hidden", profile=DESKTOP)
    assert seen.fcp_ms >= 1_200 and seen.lcp_ms >= 1_200, seen


@pytest.mark.parametrize(
    ("shifts", "cls"),
    [
        ([], 0.0),
        ([(0, 0.1), (500, 0.1)], 0.2),
        ([(0, 0.1), (1_000, 0.15)], 0.15),  # a second of rest ends a session
        ([(n * 900.0, 0.1) for n in range(7)], 0.6),  # and so do five seconds
    ],
)
def test_layout_shifts_are_summed_by_session(shifts: list[tuple[float, float]], cls: float) -> None:
    assert worst_session(shifts) == pytest.approx(cls)
