"""What a person sees of a deploy: where it is, both versions side by side, and why it waits."""

from __future__ import annotations

from collections import Counter

from rich.console import Console

from shipworthy.cli.deployview import picture, showing
from shipworthy.delivery.plan import View
from shipworthy.judge.canary import Action, Decision


def view(**said: object) -> View:
    return View(
        step="weight 25 %",
        weights=(1, 5, 25, 50, 100),
        weight=25,
        stage_s=12.0,
        arms={
            "canary": Counter(requests=1_200, failed=36, slow=60),
            "baseline": Counter(requests=1_180, failed=2, slow=24),
        },
        journeys={"invoice": {"canary": Counter(requests=200, failed=30), "baseline": Counter(requests=190)}},
        **said,  # type: ignore[arg-type]
    )


def shown(what: View) -> str:
    console = Console(width=80, record=True, force_terminal=False)
    with console.capture() as captured:
        console.print(picture(what))
    return captured.get()


def test_both_versions_stand_side_by_side_and_nothing_is_cut_at_eighty_columns() -> None:
    said = shown(view(waits="12 of 30 s, 1200 of 50 requests at this weight."))
    assert "25 %" in said
    assert "weight 25 %, 12 s" in said
    assert "1,200" in said
    assert "3.0%" in said
    assert "invoice, old" in said
    assert "12 of 30 s" in said
    assert "…" not in said


def test_who_is_needed_is_told() -> None:
    said = shown(view(decision=Decision(action=Action.HOLD, reason="both fail.", page=True)))
    assert "a person is needed: both fail." in said


def test_a_log_gets_a_line_for_each_step_and_no_more_than_one_in_ten_views(capsys) -> None:  # type: ignore[no-untyped-def]
    with showing() as show:
        for _ in range(21):
            show(view(waits="waiting"))
        show(View(step="drain"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("weight 25 %")
    assert "new 1200 requests 36 failed 60 beyond" in lines[0]
    assert lines[-1] == "drain"
    with showing(quiet=True) as show:
        show(view())
    assert capsys.readouterr().err == ""
