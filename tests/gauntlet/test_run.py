"""The run: every planned check is answered, whatever happens, and nothing is left running.

Covers: subjects.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from shipworthy.contract.finding import Finding, RunResult
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.contract.verdict import ExitCode, Severity, Verdict
from shipworthy.gauntlet.check import Check, Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Unanswered
from shipworthy.gauntlet.plan import PlannedCheck, UnknownName
from shipworthy.gauntlet.report.document import exit_code_of
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.subjects import ask_each
from shipworthy.gauntlet.view import View
from tests.gauntlet.adapters.test_command import is_running
from tests.support.programs import server_command
from tests.support.strange_server import strange_server


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(name="Server", kind="command", manifest=Manifest(app="Server"), start=server_command(tmp_path), workdir=str(tmp_path))  # fmt: skip


def check(name: str, question: object, **facts: object) -> Check:
    return Check(name=name, title=f"Is {name} so", stage="s", run=question, **facts)  # type: ignore[arg-type]


async def says_hello(exam: Exam) -> Sequence[Finding]:
    answer = await exam.anonymous().get("/")
    verdict = Verdict.PASS if answer.text == "hello" else Verdict.FAIL
    return [exam.finding("GET /", verdict, "It says hello")]


async def crashes(_exam: Exam) -> Sequence[Finding]:
    raise ZeroDivisionError("in the check")


async def hangs(_exam: Exam) -> Sequence[Finding]:
    await asyncio.Event().wait()
    return []


async def cannot_tell(_exam: Exam) -> Sequence[Finding]:
    raise Undecided("too dark", fix="Bring a lamp.")


async def finds_nothing(_exam: Exam) -> Sequence[Finding]:
    return []


def found(result: RunResult) -> dict[str, Finding]:
    return {finding.check: finding for finding in result.findings}


async def test_each_check_has_its_answer_and_none_silences_another(target: Target, tmp_path: Path) -> None:
    checks = [
        check("crash", crashes),
        check("hang", hangs, timeout_s=0.2),
        check("dark", cannot_tell),
        check("empty", finds_nothing),
        check("lacking", says_hello, needs=("queries",)),
        check("hello", says_hello),
    ]
    result = await run(target, checks)
    answers = found(result)
    assert [finding.check for finding in result.findings] == [check.name for check in checks]
    assert {name: finding.verdict.value for name, finding in answers.items()} == {
        "crash": "INCONCLUSIVE",
        "hang": "INCONCLUSIVE",
        "dark": "INCONCLUSIVE",
        "empty": "NOT MEASURED",
        "lacking": "NOT MEASURED",
        "hello": "PASS",
    }
    assert "ZeroDivisionError: in the check" in answers["crash"].cause
    assert "test_run.py" in answers["crash"].evidence[0].text
    assert "longer than 0.2 s" in answers["hang"].cause
    assert (answers["dark"].cause, answers["dark"].fix) == ("too dark", "Bring a lamp.")
    assert (result.valid, result.mode, result.verdict) == (True, "quick", Verdict.INCONCLUSIVE)
    assert result.machine["cores"]
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_subjects_are_asked_one_by_one_and_a_timeout_keeps_those_that_were_answered(
    target: Target,
) -> None:
    async def ask(name: str, subject: int) -> Finding:
        if subject == 2:
            raise ValueError("two")
        if subject == 4:
            await asyncio.Event().wait()
        return exam_of[0].finding(name, Verdict.PASS, "fine")

    exam_of: list[Exam] = []

    async def question(exam: Exam) -> Sequence[Finding]:
        exam_of.append(exam)
        return await ask_each(exam, [(str(n), n) for n in (1, 2, 3, 4)], ask)

    result = await run(target, [check("each", question, timeout_s=0.5)])
    assert [(f.subject, f.verdict.name) for f in result.findings] == [
        ("1", "PASS"), ("2", "INCONCLUSIVE"), ("3", "PASS"), ("all", "INCONCLUSIVE"),
    ]  # fmt: skip

    only = await run(target, [check("each", question)], only="each:3")
    assert [(f.subject, f.verdict.name) for f in only.findings] == [("3", "PASS")]
    assert only.mode == "partial"
    none = await run(target, [check("each", question)], only="each:9")
    assert [(f.subject, f.verdict.name) for f in none.findings] == [("9", "NOT_MEASURED")]
    assert "knows no subject '9'" in none.findings[0].cause


async def test_an_app_that_ends_while_examined_has_failed(target: Target) -> None:
    async def kills(exam: Exam) -> Sequence[Finding]:
        with pytest.raises(Unanswered):
            await exam.anonymous().get("/die")
        while not exam.instance.died():
            await asyncio.sleep(0.01)
        return [exam.finding("GET /die", Verdict.PASS, "It dies as asked")]

    result = await run(target, [check("kill", kills), check("later", says_hello)])
    died = next(finding for finding in result.findings if finding.subject == "the app itself")
    assert (died.verdict, died.severity) == (Verdict.FAIL, Severity.CRITICAL)
    assert "exit status 3" in died.cause
    assert "dying as asked" in died.evidence[0].text
    assert found(result)["later"].verdict is Verdict.NOT_MEASURED


async def test_faults_are_healed_after_their_check_and_one_that_cannot_be_makes_the_run_invalid(
    target: Target,
) -> None:
    healed: list[str] = []

    async def breaks(exam: Exam) -> Sequence[Finding]:
        async def heal() -> None:
            healed.append("yes")

        exam.heal_later("a lock", heal)
        raise RuntimeError("midway")

    async def breaks_for_good(exam: Exam) -> Sequence[Finding]:
        async def fail() -> None:
            raise OSError("no way back")

        exam.heal_later("a process", fail)
        return await says_hello(exam)

    assert (await run(target, [check("a", breaks)])).valid
    assert healed == ["yes"]
    result = await run(target, [check("a", breaks_for_good)])
    assert not result.valid
    assert "a process could not be undone" in result.notes[0]
    assert exit_code_of(result) is ExitCode.INVALID_RUN


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_heals_stops_and_makes_an_invalid_result(
    target: Target, tmp_path: Path, number: signal.Signals
) -> None:
    healed: list[str] = []

    async def interrupted(exam: Exam) -> Sequence[Finding]:
        async def heal() -> None:
            await exam.anonymous().get("/")  # the app still runs while it is healed
            healed.append("yes")

        exam.heal_later("a lock", heal)
        os.kill(os.getpid(), number)
        return await hangs(exam)

    result = await run(
        target, [check("first", says_hello), check("a", interrupted), check("later", says_hello)]
    )
    assert healed == ["yes"]
    assert not result.valid
    assert number.name in result.notes[0]
    assert [finding.verdict.name for finding in result.findings] == ["PASS", "NOT_MEASURED", "NOT_MEASURED"]
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_being_cancelled_by_the_caller_stops_the_app_and_is_passed_on(
    target: Target, tmp_path: Path
) -> None:
    running = asyncio.create_task(run(target, [check("a", hangs)]))
    async with asyncio.timeout(20):
        while not (tmp_path / "pid").exists():
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_a_target_that_does_not_start_is_an_invalid_run_that_says_why(target: Target) -> None:
    nowhere = Target(name="Nowhere", kind="command", manifest=target.manifest, start=("no-such-program",))
    result = await run(nowhere, [check("hello", says_hello)])
    assert not result.valid
    assert "'no-such-program' could not be started" in result.notes[0]
    assert found(result)["hello"].verdict is Verdict.NOT_MEASURED


async def test_nothing_is_started_when_nothing_can_be_asked(target: Target, tmp_path: Path) -> None:
    result = await run(target, [check("a", says_hello, needs=("queries",))])
    assert (result.valid, result.verdict) == (True, Verdict.NOT_MEASURED)
    assert not (tmp_path / "pid").exists()
    with pytest.raises(UnknownName):
        await run(target, [check("a", says_hello)], only="b")


async def test_a_view_is_told_everything_in_order(target: Target) -> None:
    told: list[str] = []

    class Listening(View):
        def planned(self, plan: tuple[PlannedCheck, ...]) -> None:
            told.append(f"planned {len(plan)}")

        def check_begins(self, planned: PlannedCheck) -> None:
            told.append(f"begins {planned.check.name}")

        def found(self, finding: Finding) -> None:
            told.append(f"found {finding.id}")

        def check_ends(self, planned: PlannedCheck) -> None:
            told.append(f"ends {planned.check.name}")

    await run(target, [check("hello", says_hello)], view=Listening())
    assert told == ["planned 1", "begins hello", "found hello:GET /", "ends hello"]


async def test_an_app_that_falls_silent_has_failed_and_the_run_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipworthy.gauntlet.exam.SILENCE_S_MAX", 0.3)
    monkeypatch.setattr("shipworthy.gauntlet.exam._KNOCK_S", 0.1)

    async with strange_server() as server:

        async def ask(name: str, path: str) -> Finding:
            await exam_of[0].anonymous().get(path, timeout_s=0.1)
            return exam_of[0].finding(name, Verdict.PASS, "It answers")

        exam_of: list[Exam] = []

        async def asks(exam: Exam) -> Sequence[Finding]:
            exam_of.append(exam)
            server.is_deaf = True
            return await ask_each(exam, [(f"page {n}", "/") for n in range(50)], ask)

        target = Target(name="Deaf", kind="url", manifest=Manifest(app="Deaf"), url=server.base_url)
        result = await run(target, [check("ask", asks), check("later", says_hello)])
    silent = next(finding for finding in result.findings if finding.subject == "the app itself")
    assert (silent.verdict, silent.severity) == (Verdict.FAIL, Severity.CRITICAL)
    assert "stopped answering" in silent.title
    assert "It has answered nothing" in silent.cause
    assert found(result)["later"].verdict is Verdict.NOT_MEASURED
    assert server.asked.count("GET / HTTP/1.1") < 20, "it went on asking what no longer answers"
