"""The final screen: complete at 80 columns, copyable commands, no control codes in a pipe."""

from __future__ import annotations

from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from rich.console import Console

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.summary import FINDINGS_MAX, print_summary
from shipworthy.gauntlet.report.words import NBSP
from tests.support.results import every_result, finding, run_result

RESULTS = every_result()
PATHS = (Path("report/index.html"), Path("report/result.json"))


def printed(name: str, *, width: int = 80, **options: object) -> str:
    file = StringIO()
    print_summary(RESULTS[name], Console(file=file, width=width, **options), PATHS)  # type: ignore[arg-type]
    return file.getvalue().replace(NBSP, " ")


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_failing_screen_says_everything_a_person_needs_next() -> None:
    text = words(printed("fail"))
    for part in (
        "✗ FAIL quick, not for release",
        "Acme fails 4 checks: one tenant can read another's documents;",
        "✓ 46 held ✗ 4 failed ○ 3 not measured covered: 84 % of the checks, 94 % of their subjects 2 min 41 s",
        "✗ login 287 ms 12.1 to 20.4 % 5 % 648 FAIL",
        "✓ page 22 ms 0.6 to 2.1 % 5 % 1,728 PASS",
        "✗ One tenant can read another's documents critical",
        "cause The policy document_floor is USING (true)",
        "where rooms/invoicing/migrations/0004_pre_documents.up.sql:18",
        "fix Acknowledge in the transaction that writes the document.",
        "seen lost 3 jobs, none allowed; doubled 0 jobs, none allowed; recovery 6.4 s, at most 30 s",
        "$ shipworthy gauntlet --only 'budget.queries_per_route:GET /api/invoices'",
        "○ No Chromium was found on this machine. Install Chromium",
        "Coverage 84 % of the checks, 94 % of their subjects: 16 of 19 kinds of check were measured",
        "Gate R1, p95 over 24 and 48 blocks: passes what should fail 0 % to 9.7 % of the time",
        "Report report/index.html report/result.json",
    ):
        assert part in text, part


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", ["pass", "fail", "inconclusive", "stranger", "invalid", "nothing"])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    commands = ("$ shipworthy", "report/")
    for line in printed(name, width=width).splitlines():
        assert len(line) <= width or line.strip().startswith(commands), line


def test_commands_and_paths_stay_on_one_line_so_that_they_can_be_copied() -> None:
    lines = [line.strip() for line in printed("fail", width=40).splitlines()]
    assert "$ shipworthy gauntlet --only 'budget.queries_per_route:GET /api/invoices'" in lines


def test_a_wide_terminal_draws_the_intervals_and_a_narrow_one_keeps_their_numbers() -> None:
    assert "┃" in printed("fail", width=120)
    assert "┃" not in printed("fail", width=80)


def test_a_pipe_gets_no_control_codes_and_a_terminal_colours() -> None:
    assert "\x1b" not in printed("hostile")
    assert "\x1b" not in printed("fail")
    assert "\x1b[" in printed("fail", force_terminal=True, color_system="standard")


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed("fail", force_terminal=True, color_system="standard")
    assert not {code for code in ("\x1b[31m", "\x1b[1;31m", "\x1b[32m", "\x1b[36m") if code in text}
    assert "✗" in text


def test_what_a_hostile_app_says_stays_text_on_a_terminal() -> None:
    file = StringIO()
    evil = finding("a.b", "c", "[red]not markup[/red] \x1b[2J\x1b]0;title\x07", Verdict.FAIL, cause="[/]")
    print_summary(run_result(findings=(evil,)), Console(file=file, width=80))
    assert "[red]not markup[/red] �[2J�]0;title�" in file.getvalue()
    coloured = printed("hostile", force_terminal=True, color_system="standard")
    assert "\x1b[2J" not in coloured
    assert "\x1b]0" not in coloured


def test_a_terminal_without_unicode_gets_signs_it_can_show() -> None:
    raw = BytesIO()
    file = TextIOWrapper(raw, encoding="ascii", errors="replace")
    print_summary(RESULTS["pass"], Console(file=file, width=120))
    file.flush()
    text = raw.getvalue().decode()
    assert "+ PASS" in text
    assert "o 3 not measured" in text.replace("?", " ")


def test_many_failures_do_not_scroll_the_verdict_away() -> None:
    many = [finding("a.b", str(n), f"Failure {n}", Verdict.FAIL) for n in range(30)]
    file = StringIO()
    print_summary(run_result(findings=many), Console(file=file, width=80))
    assert file.getvalue().count("$ shipworthy") == FINDINGS_MAX
    assert "and 20 more, in the report" in file.getvalue()


def test_an_invalid_run_is_not_announced_as_a_pass() -> None:
    text = printed("invalid")
    assert "~ INVALID RUN" in text
    assert "PASS" not in text
    assert text.count("NOT COUNTED") == 3


def test_unknown_things_take_no_place() -> None:
    text = printed("nothing")
    for absent in ("Objectives", "Failed", "Not measured", "Gate "):
        assert absent not in text
