"""a11y.axe: what keeps people out is found in every view, past a strict policy, and only there."""

from __future__ import annotations

import pytest

from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.probes import axe
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.browser import needs_chromium
from tests.support.ledger import served
from tests.support.screens import Screens, exam_of

pytestmark = [needs_chromium, pytest.mark.browser]
AXE = check_named("a11y.axe")


async def test_what_keeps_people_out_fails_with_rule_element_and_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(axe, "QUICK_PAGES", 4)
    async with served(Screens().asgi()) as base_url:
        exam = exam_of(AXE, base_url, "/", "/pale", "/nameless", "/desk", "/tight")
        try:
            found = by_subject(list(await AXE.run(exam)))
        finally:
            await exam.close()
    # The first ones, and one of those inside: four of five, and the note says so.
    assert {subject: f.verdict for subject, f in found.items()} == {
        "GET /": Verdict.PASS,
        "GET /pale": Verdict.FAIL,
        "GET /nameless": Verdict.FAIL,
        "GET /desk": Verdict.PASS,
    }, found
    assert any("4 of 5 pages" in note for note in exam.notes)
    pale, nameless = found["GET /pale"], found["GET /nameless"]
    assert "color-contrast" in pale.cause and "phone dark" in pale.cause and "desktop" not in pale.cause
    assert nameless.severity is Severity.HIGH and "label" in nameless.cause
    shown = nameless.evidence[0].text
    assert 'input type="text"' in shown and "critical" in shown
    assert nameless.source == "screens.py:/nameless"


async def test_an_axe_that_overlooks_what_is_planted_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axe, "UNREADABLE_RULES", axe.UNREADABLE_RULES | {"no-such-rule"})
    async with served(Screens().asgi()) as base_url:
        exam = exam_of(AXE, base_url, "/")
        try:
            with pytest.raises(Unmeasurable, match="no-such-rule"):
                await AXE.run(exam)
        finally:
            await exam.close()
