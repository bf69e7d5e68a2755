"""vitals.lab: pages that shift, block or lean on others are told from those that do not, and from a
machine that is busy. Covers: eyes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.probes import eyes, vitals
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.browser import needs_chromium
from tests.support.ledger import served
from tests.support.screens import Screens, exam_of

pytestmark = [needs_chromium, pytest.mark.browser]
LAB = check_named("vitals.lab")


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    async with served(Screens().asgi()) as url:
        yield url


async def test_each_page_is_judged_by_what_it_does_to_its_visitor(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "QUICK_PAGES", 5)
    exam = exam_of(LAB, base_url, "/", "/shifts", "/blocks", "/tight", "/elsewhere", "/desk")
    try:
        found = by_subject(list(await LAB.run(exam)))
    finally:
        await exam.close()
    assert {subject.removesuffix(" (phone)"): f.verdict for subject, f in found.items()} == {
        "GET /": Verdict.PASS,
        "GET /shifts": Verdict.FAIL,
        "GET /blocks": Verdict.FAIL,
        "GET /tight": Verdict.INCONCLUSIVE,
        "GET /elsewhere": Verdict.INCONCLUSIVE,
    }, found
    shifts, blocks = found["GET /shifts (phone)"], found["GET /blocks (phone)"]
    assert "CLS" in shifts.title and "What moved: " in shifts.cause and "width and height" in shifts.fix
    assert "TBT" in blocks.title and "longest task" in blocks.cause
    assert "empty page" in found["GET /tight (phone)"].cause
    assert "cdn.example" in found["GET /elsewhere (phone)"].cause
    measures = {measure.name: measure for measure in shifts.measures}
    assert set(measures) == {"LCP", "CLS", "FCP", "TTFB", "TBT"}
    assert measures["CLS"].samples == 2  # of three; the third could not change it
    assert shifts.source == "screens.py:/shifts"
    assert any("5 of 6 pages" in note for note in exam.notes)


async def test_a_browser_that_misreads_what_is_planted_measures_nothing(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eyes, "ATTEMPTS", 1)
    monkeypatch.setattr(eyes, "LATE_MS", 60_000.0)
    exam = exam_of(LAB, base_url, "/", subject="GET / (desktop)")
    try:
        with pytest.raises(Unmeasurable, match="desktop: LCP of the broken page"):
            await LAB.run(exam)
    finally:
        await exam.close()
