"""Linters and formatters are asked by the app's own settings, and believed only if those do not silence them.

Covers: linted, told, source.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from tests.gauntlet.repository.conftest import Ask, lay

SOUND = {"shop.py": "def total() -> int:\n    return 1\n"}
RUFF = {"pyproject.toml": "[tool.ruff]\nline-length = 100\n"}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return tmp_path / "app"


async def test_sound_source_passes_and_a_defect_is_named_with_its_line(ask: Ask, app: Path) -> None:
    lay(app, SOUND)
    assert (await ask("code.lint"))["ruff"].verdict is Verdict.PASS
    lay(
        app,
        {
            "shop.py": "import os\n\n\ndef total() -> int:\n    return amuont\n",
            ".venv/theirs.py": "import os\n",
        },
    )
    (finding,) = (await ask("code.lint")).values()
    assert (finding.subject, finding.verdict, finding.source) == ("shop.py", Verdict.FAIL, "shop.py:1")
    assert "1 more in this file" in finding.title
    assert "shop.py:5  F821" in finding.evidence[0].text


async def test_settings_that_silence_the_linter_make_it_blind_not_content(ask: Ask, app: Path) -> None:
    lay(app, {**SOUND, "ruff.toml": 'lint.select = ["W"]\n'})
    (finding,) = (await ask("code.lint")).values()
    assert finding.verdict is Verdict.NOT_MEASURED
    assert "did not find the defect planted" in finding.cause
    assert "settings not silence it" in finding.fix


async def test_the_formatter_is_the_one_the_app_keeps_to(ask: Ask, app: Path) -> None:
    lay(app, SOUND)
    (finding,) = (await ask("code.format")).values()
    assert (finding.verdict, "which formatter" in finding.cause) == (Verdict.NOT_MEASURED, True)
    lay(app, RUFF)
    assert (await ask("code.format"))["ruff"].verdict is Verdict.PASS
    lay(app, {"crooked.py": "totals = {  'one':1 }\n"})
    (finding,) = (await ask("code.format")).values()
    assert (finding.subject, finding.verdict) == ("crooked.py", Verdict.FAIL)


async def test_a_formatter_that_is_not_there_is_not_measured(ask: Ask, app: Path) -> None:
    lay(app, {**SOUND, "pyproject.toml": "[tool.black]\n"})
    (finding,) = (await ask("code.format")).values()
    assert (finding.verdict, "pip install black" in finding.fix) == (Verdict.NOT_MEASURED, True)


async def test_a_node_app_is_asked_by_its_own_eslint(ask: Ask, app: Path) -> None:
    """A stand-in that reads files as ESLint does and says so in its words: the real one needs the registry."""
    lay(app, {"package.json": '{"name": "shop"}', "shop.js": "debugger;\n"})
    (finding,) = (await ask("code.lint")).values()
    assert (finding.verdict, "npm install" in finding.fix) == (Verdict.NOT_MEASURED, True)
    _eslint(app, finds="debugger")
    (finding,) = (await ask("code.lint")).values()
    assert (finding.subject, finding.verdict, finding.source) == ("shop.js", Verdict.FAIL, "shop.js:1")
    _eslint(app, finds="nothing at all")
    (finding,) = (await ask("code.lint")).values()
    assert finding.verdict is Verdict.NOT_MEASURED


def _eslint(app: Path, *, finds: str) -> None:
    program = app / "node_modules" / ".bin" / "eslint"
    lay(app, {"node_modules/.bin/eslint": _ESLINT.replace("FINDS", json.dumps(finds))})
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


_ESLINT = """#!/usr/bin/env python3
import json, pathlib
row = {"line": 1, "ruleId": "no-debugger", "severity": 2, "message": "Unexpected 'debugger' statement."}
found = [
    {"filePath": str(path.resolve()), "messages": [row] if FINDS in path.read_text() else []}
    for path in pathlib.Path(".").glob("*.js")
]
print(json.dumps(found))
"""


async def test_a_broken_pyproject_is_said(ask: Ask, app: Path) -> None:
    lay(app, {**SOUND, "pyproject.toml": "[tool\n"})
    (finding,) = (await ask("code.format")).values()
    assert "pyproject.toml cannot be read" in finding.cause


async def test_an_app_without_source_is_not_measured(ask: Ask) -> None:
    (finding,) = (await ask("code.lint")).values()
    assert (finding.verdict, "[[code]]" in finding.fix) == (Verdict.NOT_MEASURED, True)
