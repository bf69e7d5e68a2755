"""A declared command's red counts; its green only when it is not content with a planted defect."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.contract.manifest import CodeCommand
from shipworthy.contract.verdict import Verdict
from tests.gauntlet.repository.conftest import Ask, lay, names_in

LINT = "sh lint.sh"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    lay(folder, {"lint.sh": "! grep -rn wrong *.go\n", "shop.go": "right\n"})
    return folder


def command(run: str = LINT, **planted: str) -> tuple[CodeCommand, ...]:
    return (CodeCommand(kind="lint", run=run, planted={k.replace("_", "."): v for k, v in planted.items()}),)


async def test_a_command_that_finds_what_is_planted_passes_and_leaves_the_app_as_it_was(
    ask: Ask, app: Path
) -> None:
    (finding,) = (await ask("code.lint", code=command(planted_go="wrong"))).values()
    assert (finding.subject, finding.verdict) == (LINT, Verdict.PASS)
    assert names_in(app) == ["lint.sh", "shop.go"]


async def test_a_command_that_is_not_content_fails_with_its_words(ask: Ask, app: Path) -> None:
    lay(app, {"shop.go": "right\nwrong\n"})
    (finding,) = (await ask("code.lint", code=command())).values()
    assert finding.verdict is Verdict.FAIL
    assert "2:wrong" in finding.evidence[0].text


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (command(), "No defect is declared"),
        (command(planted_go="right"), "silence would mean nothing"),
        (command("true", planted_go="wrong"), "silence would mean nothing"),
        (command("no-such-program"), "could not be started"),
        (command(" "), "is empty"),
        ((CodeCommand(kind="lint", run=LINT, planted={"../outside.go": "wrong"}),), "lies outside the app"),
    ],
)
async def test_a_green_without_a_proof_is_not_measured(
    ask: Ask, app: Path, code: tuple[CodeCommand, ...], why: str
) -> None:
    (finding,) = (await ask("code.lint", code=code)).values()
    assert finding.verdict is Verdict.NOT_MEASURED
    assert why in finding.cause
    assert not (app.parent / "outside.go").exists()
