"""The recipe of the image is read by hadolint, if that is there and sees."""

from __future__ import annotations

from pathlib import Path

from shipworthy.contract.verdict import Verdict
from tests.gauntlet.repository.conftest import Ask, lay


async def test_a_careless_recipe_fails_and_a_sound_one_passes(ask: Ask, tmp_path: Path) -> None:
    app = tmp_path / "app"
    lay(app, {"Dockerfile": 'FROM python:3.13-slim\nUSER 1000\nCMD ["python"]\n'})
    (finding,) = (await ask("build.image")).values()
    assert (finding.verdict, "Dockerfile" in finding.title) == (Verdict.PASS, True), finding
    lay(app, {"worker/Containerfile": "FROM python:latest\nRUN pip install flask\n"})
    (finding,) = (await ask("build.image")).values()
    assert (finding.subject, finding.verdict) == ("worker/Containerfile", Verdict.FAIL)
    assert "DL3007" in finding.evidence[0].text
    lay(app, {".hadolint.yaml": "ignored: [DL3007, DL3003, DL3004, DL3025, DL3042, DL3013]\n"})
    (finding,) = (await ask("build.image")).values()
    assert (finding.verdict, "did not find" in finding.cause) == (Verdict.NOT_MEASURED, True)


async def test_without_a_recipe_nothing_is_claimed(ask: Ask) -> None:
    (finding,) = (await ask("build.image")).values()
    assert (finding.verdict, "no Dockerfile" in finding.cause) == (Verdict.NOT_MEASURED, True)
