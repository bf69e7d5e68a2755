"""Types are checked where the app says that it keeps to them, and by its own settings."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from tests.gauntlet.repository.conftest import Ask, lay

STRICT = {"pyproject.toml": "[tool.mypy]\nstrict = true\n"}
WRONG = {"shop.py": 'def total() -> int:\n    return "one"\n'}
PYTHON = (sys.executable, "shop.py")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return tmp_path / "app"


async def test_an_app_that_does_not_say_it_is_typed_is_not_measured(ask: Ask, app: Path) -> None:
    lay(app, WRONG)
    (finding,) = (await ask("code.types")).values()
    assert (finding.verdict, "[tool.mypy]" in finding.fix) == (Verdict.NOT_MEASURED, True)


async def test_a_type_error_is_named_with_its_line_and_sound_types_pass(ask: Ask, app: Path) -> None:
    lay(app, {**STRICT, **WRONG})
    (finding,) = (await ask("code.types", start=PYTHON)).values()
    assert (finding.verdict, finding.source) == (Verdict.FAIL, "shop.py:2")
    assert "return-value" in finding.title
    lay(app, {"shop.py": "def total() -> int:\n    return 1\n"})
    assert (await ask("code.types", start=PYTHON))["mypy"].verdict is Verdict.PASS


async def test_settings_that_ignore_every_error_make_it_blind(ask: Ask, app: Path) -> None:
    lay(app, {"mypy.ini": "[mypy]\nignore_errors = True\n", **WRONG})
    (finding,) = (await ask("code.types", start=PYTHON)).values()
    assert finding.verdict is Verdict.NOT_MEASURED
    assert "did not find the defect planted" in finding.cause


async def test_a_node_app_is_asked_by_its_own_compiler(ask: Ask, app: Path) -> None:
    """A stand-in that says in tsc's words what it finds by a look at the text: the real one needs the registry."""
    lay(
        app,
        {"tsconfig.json": "{}", "shop.ts": 'const total: number = "one";\n', "node_modules/.bin/tsc": _TSC},
    )
    program = app / "node_modules" / ".bin" / "tsc"
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (finding,) = (await ask("code.types")).values()
    assert (finding.subject, finding.verdict, finding.source) == ("shop.ts", Verdict.FAIL, "shop.ts:1")
    assert "TS2322" in finding.title
    lay(app, {"shop.ts": "const total: number = 1;\n"})
    assert (await ask("code.types"))["tsc"].verdict is Verdict.PASS


_TSC = """#!/usr/bin/env python3
import pathlib, sys
wrong = [path for path in pathlib.Path(".").glob("*.ts") if '"one"' in path.read_text()]
for path in wrong:
    print(f"{path}(1,7): error TS2322: Type 'string' is not assignable to type 'number'.")
sys.exit(2 if wrong else 0)
"""
