"""The terminal's signs: one for each verdict, in letters the terminal has."""

from __future__ import annotations

from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from shipworthy.contract.finding import Measure
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.ink import STYLE, interval_bar, sign


def ascii_console() -> Console:
    return Console(file=TextIOWrapper(BytesIO(), encoding="ascii"), width=80)


@pytest.mark.parametrize("console", [Console(file=StringIO()), ascii_console()], ids=["utf-8", "ascii"])
def test_every_verdict_has_its_own_sign_and_colour(console: Console) -> None:
    signs = [sign(verdict, console) for verdict in Verdict]
    assert len({text.plain for text in signs}) == len({str(text.style) for text in signs}) == len(Verdict)
    if console.options.ascii_only:
        assert all(text.plain.isascii() for text in signs)


def test_an_interval_lies_left_of_the_bound_when_it_holds_and_right_when_it_fails() -> None:
    console = Console(file=StringIO())

    def drawn(low: float, high: float, verdict: Verdict) -> str:
        measure = Measure(name="slow", unit="share", estimate=low, low=low, high=high, bound=0.05)
        return interval_bar(measure, verdict, width=24, console=console).plain

    assert drawn(0.001, 0.009, Verdict.PASS) == "━━━────────────┃────────"
    assert drawn(0.121, 0.204, Verdict.FAIL) == "─────┃───────━━━━━━━━━━─"
    assert drawn(0.0, 9.0, Verdict.FAIL)[0] == "┃"
    assert len(drawn(0.0, 0.0, Verdict.PASS)) == 24


def test_an_interval_is_drawn_in_ascii_where_the_terminal_has_nothing_else() -> None:
    measure = Measure(name="slow", unit="share", estimate=0.01, low=0.0, high=0.02, bound=0.05)
    bar = interval_bar(measure, Verdict.PASS, width=16, console=ascii_console())
    assert bar.plain == "=====-----|-----"
    assert STYLE[Verdict.PASS] in {str(span.style) for span in bar.spans}


def test_without_a_bound_there_is_nothing_to_draw_against() -> None:
    console = Console(file=StringIO())
    bare = Measure(name="slow", unit="ms", estimate=3)
    assert interval_bar(bare, Verdict.PASS, width=24, console=console).plain == ""
