"""The live view: on a terminal a block that renews itself, in a log one plain line an event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

import pytest
from rich.console import Console

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.report.terminal import LiveView
from shipworthy.gauntlet.report.words import NBSP
from tests.support.results import finding


class Clock:
    """Time that moves when the test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def _never(exam: object) -> Sequence[Finding]:
    raise AssertionError("a view runs no check")


def planned(stage: str, name: str) -> PlannedCheck:
    return PlannedCheck(check=Check(name=name, title=f"Title of {name}", stage=stage, run=_never))


PLAN = (planned("data", "plans"), planned("load", "slo"), planned("data", "kill"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run_of(view: LiveView, clock: Clock) -> Iterator[str]:
    """Play a short run, naming the moments at which a test may look."""
    view.planned(PLAN)
    view.note("Starting Acme")
    yield "planned"
    view.check_begins(PLAN[0])
    view.progress(1, 2)
    yield "first check"
    clock.now_s += 65
    view.found(finding("plans.index_used", "a", "a uses its index"))
    view.found(finding("plans.index_used", "b", "b reads the whole table", Verdict.FAIL))
    view.check_ends(PLAN[0])
    view.check_begins(PLAN[1])
    for second in range(12):
        for journey, p95 in (("login", 250.0), ("page", 9.26)):
            facts = {"requests": 8, "failures": int(second == 3), "latency_ms_p50": 5.0}
            view.second(journey, second, latency_ms_p95=p95, **facts)
        view.progress(second + 1, 72)
    yield "load"
    clock.now_s += 12
    view.found(finding("slo.login", "login", "t", Verdict.NOT_MEASURED))
    view.check_ends(PLAN[1])


def log(clock: Clock) -> list[str]:
    file = StringIO()
    with LiveView(target="Acme", label="quick", console=Console(file=file, width=80), clock=clock) as view:
        for _ in run_of(view, clock):
            pass
    return file.getvalue().replace(NBSP, " ").splitlines()


def frame_at(moment: str, clock: Clock, *, width: int = 80, **options: object) -> str:
    """Return the block of lines as it stands on a terminal at a moment of the run."""
    screen = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    view = LiveView(target="Acme", label="quick", console=screen, clock=clock, **options)  # type: ignore[arg-type]
    next(name for name in run_of(view, clock) if name == moment)
    with screen.capture() as captured:
        screen.print(view._frame())
    return captured.get().replace(NBSP, " ")


def test_a_log_gets_one_plain_line_for_each_event(clock: Clock) -> None:
    assert log(clock) == [
        "Gauntlet: Acme, quick",
        "Starting Acme",
        "data",
        "  FAIL: b reads the whole table (plans.index_used:b)",
        "  1 held, 1 failed, 1 to come in 1:05",
        "load",
        "  load 10 s: login 8/s p95 250 ms, 1 failed; page 8/s p95 9.3 ms, 1 failed",
        "  1 not measured in 0:12",
    ]


def test_stages_show_as_waiting_then_running_then_with_their_counts(clock: Clock) -> None:
    before = frame_at("planned", clock)
    assert before.count("waiting") == 2
    during = frame_at("first check", clock)
    assert "Title of plans  1 of 2" in during
    assert during.count("waiting") == 1
    after = frame_at("load", clock)
    assert "✗  data  1:05  1 held, 1 failed, 1 to come" in after
    assert "waiting" not in after
    assert "1:05" in after.splitlines()[1], "the whole run's time stands in the head"


def test_a_stage_that_is_come_back_to_adds_up_its_time(clock: Clock) -> None:
    file = StringIO()
    with LiveView(target="Acme", console=Console(file=file, width=80), clock=clock) as view:
        for stage, takes_s in (("data", 60), ("load", 5), ("data", 30)):
            view.stage(stage)
            clock.now_s += takes_s
    ends = [line.split(" in ")[1] for line in file.getvalue().splitlines() if " in " in line]
    assert ends == ["1:00", "0:05", "1:30"]


def test_the_load_shows_each_journey_beside_its_bound(clock: Clock) -> None:
    frame = frame_at("load", clock, thresholds_ms={"login": 200.0})
    rows = {line.split()[0]: line.split() for line in frame.splitlines() if line.split()}
    assert "12 of 72 s" in frame
    assert rows["journey"] == ["journey", "per", "s", "p50", "p95", "bound", "failed"]
    assert rows["login"] == ["login", "8", "5", "ms", "250", "ms", "200", "ms", "1"]
    assert rows["page"] == ["page", "8", "5", "ms", "9.3", "ms", "1"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"is_valid": True, "lag_ms_p99": 0.84}, "● valid, 0.8 ms late at p99"),
        ({"is_valid": False, "lag_ms_p99": 41.0}, "● not valid, 41 ms late at p99"),
        ({}, "3 s"),
    ],
)
def test_the_light_says_whether_the_generator_keeps_time(
    facts: dict[str, object], said: str, clock: Clock
) -> None:
    screen = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    view = LiveView(target="Acme", console=screen, clock=clock)
    view.stage("load")
    view.load_second({"journey": "login", "second": 2, **facts})  # type: ignore[typeddict-item]
    with screen.capture() as captured:
        screen.print(view._frame())
    frame = captured.get().replace(NBSP, " ")
    assert said in frame
    assert ("valid" in frame) is bool(facts)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_block_never_wraps(width: int, clock: Clock) -> None:
    for moment in ("planned", "first check", "load"):
        for line in frame_at(moment, clock, width=width).splitlines():
            assert len(line) <= width


def test_a_terminal_keeps_failures_above_and_the_stages_at_the_end(clock: Clock) -> None:
    file = StringIO()
    screen = Console(file=file, width=80, force_terminal=True, color_system=None)
    with LiveView(target="Acme", console=screen, clock=clock) as view:
        for _ in run_of(view, clock):
            pass
    text = file.getvalue()
    assert "b reads the whole table" in text
    last = text[text.rindex("Gauntlet") :]
    assert "1 held, 1 failed" in last
    assert "journey" not in last, "the load's table goes when the load is over"
    assert text.endswith("\n")
    assert "\x1b[?25h" in text, "the cursor is given back"


def test_the_cursor_is_given_back_when_the_run_breaks(clock: Clock) -> None:
    file = StringIO()
    screen = Console(file=file, width=80, force_terminal=True)
    with pytest.raises(KeyboardInterrupt), LiveView(target="Acme", console=screen, clock=clock) as view:
        view.stage("data")
        raise KeyboardInterrupt
    assert "\x1b[?25h" in file.getvalue()


def test_what_an_app_says_cannot_act_on_the_terminal_or_the_log(clock: Clock) -> None:
    evil = finding("a.b", "\x1b[2J", "[bold]x[/bold]\x1b]0;y\x07\nsecond line", Verdict.FAIL)
    for is_terminal in (False, True):
        file = StringIO()
        screen = Console(file=file, width=200, force_terminal=is_terminal, color_system=None)
        with LiveView(target="\x1b[2JAcme", console=screen, clock=clock) as view:
            view.stage("data")
            view.finding(evil)
        text = file.getvalue()
        assert "[bold]x[/bold]�]0;y� second line" in text
        assert "\x1b]0" not in text
        assert "�[2JAcme" in text


def test_a_dumb_terminal_is_treated_as_a_log(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    file = StringIO()
    with LiveView(
        target="Acme", console=Console(file=file, width=80, force_terminal=True), clock=clock
    ) as view:
        view.stage("data")
    assert file.getvalue().splitlines()[:2] == ["Gauntlet: Acme", "data"]
    assert "\x1b" not in file.getvalue()
