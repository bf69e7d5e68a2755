"""vitals.under_load: a page that is still by itself and moves under load is seen to."""

from __future__ import annotations

import pytest

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.probes import vitals_load
from shipworthy.gauntlet.probes.under_load import Shape
from shipworthy.gauntlet.probes.vitals_load import percentile, vitals_under_load
from shipworthy.judge.exceedance import QUICK
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.browser import needs_chromium
from tests.support.ledger import served
from tests.support.screens import Screens, exam_of

LOADED = check_named("vitals.under_load")


@needs_chromium
@pytest.mark.browser
async def test_a_page_that_moves_under_load_fails_and_one_that_does_not_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vitals_load, "VISITS_MIN", 1)
    screens = Screens()
    async with served(screens.asgi()) as base_url:
        exam = exam_of(LOADED, base_url, "/", "/busy")
        try:
            shape = Shape(rule=QUICK, blocks=2, block_s=3.0, warmup_s=1.0)
            found = by_subject(list(await vitals_under_load(exam, shape=shape)))
        finally:
            await exam.close()
    assert screens.asked > 0
    assert {subject: f.verdict for subject, f in found.items()} == {
        "GET /": Verdict.PASS,
        "GET /busy": Verdict.FAIL,
    }, found
    assert "5 arrivals/s" in found["GET /busy"].title and "What moved" in found["GET /busy"].cause


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([4, 1, 3, 2], 0.75) == 3
    assert percentile([], 0.75) == 0.0
