"""A package's wheel is built by its own backend and opened; an empty one does not pass."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipworthy.contract.verdict import Verdict
from tests.gauntlet.repository.conftest import Ask, lay, names_in

PYTHON = (sys.executable, "shop.py")
# A backend of the app's own, so that none has to be installed: PEP 517 allows it.
BACKEND = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/shop-1-py3-none-any.whl", "w") as wheel:
        for name in NAMES:
            wheel.write(name)
        wheel.writestr("shop-1.dist-info/METADATA", "")
    return "shop-1-py3-none-any.whl"
"""
PROJECT = """
[project]
name = "shop"
[build-system]
requires = ["shop-builder"]
build-backend = "builder"
backend-path = ["."]
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    lay(folder, {"pyproject.toml": PROJECT, "shop.py": "", "builder.py": f"NAMES = ['shop.py']\n{BACKEND}"})
    return folder


async def test_a_wheel_that_builds_is_looked_into(ask: Ask, app: Path) -> None:
    (finding,) = (await ask("build.wheel", start=PYTHON)).values()
    assert (finding.verdict, finding.title) == (
        Verdict.PASS,
        "shop-1-py3-none-any.whl builds and holds 1 files",
    )
    assert names_in(app) == ["builder.py", "pyproject.toml", "shop.py"]
    lay(app, {"builder.py": f"NAMES = []\n{BACKEND}"})
    (finding,) = (await ask("build.wheel", start=PYTHON)).values()
    assert (finding.verdict, "holds no module" in finding.title) == (Verdict.FAIL, True)
    lay(app, {"builder.py": f"NAMES = ['gone.py']\n{BACKEND}"})
    (finding,) = (await ask("build.wheel", start=PYTHON)).values()
    assert (finding.verdict, "gone.py" in finding.cause) == (Verdict.FAIL, True)


async def test_a_backend_that_is_not_there_and_an_app_that_is_no_package_are_said(
    ask: Ask, app: Path
) -> None:
    lay(app, {"pyproject.toml": PROJECT.replace('"builder"', '"no_such_builder"')})
    (finding,) = (await ask("build.wheel", start=PYTHON)).values()
    assert (finding.verdict, finding.fix) == (Verdict.NOT_MEASURED, "Install it: pip install shop-builder.")
    lay(app, {"pyproject.toml": "[tool.ruff]\n"})
    (finding,) = (await ask("build.wheel", start=PYTHON)).values()
    assert (finding.verdict, "is no package" in finding.cause) == (Verdict.NOT_MEASURED, True)
