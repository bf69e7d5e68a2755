"""`shipworthy flags`: the list, what the file says, and what fails a build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import assert_refused, shipworthy

NAME = "invoicing.customer_import"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.toml").write_text('[app]\nname = "Toy"\nrooms = ["invoicing"]\n')
    return folder


def test_flags_are_listed_with_what_the_file_says(app: Path) -> None:
    listed = shipworthy("flags", "--check", cwd=app)
    assert listed.returncode == 0, listed.stderr
    assert NAME in listed.stdout
    off = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    (app / "flags.json").write_text(json.dumps({"flags": {NAME: off}}))
    (row,) = [row for row in json.loads(shipworthy("flags", "--json", cwd=app).stdout)["flags"] if row["name"] == NAME]  # fmt: skip
    assert row["now"] == "off"
    assert row["owner"]


def test_a_flag_that_no_room_declares_fails_a_build_and_a_broken_file_is_refused(app: Path) -> None:
    off = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    (app / "flags.json").write_text(json.dumps({"flags": {"invoicing.customer_imports": off}}))
    checked = shipworthy("flags", "--check", cwd=app)
    assert checked.returncode == 1
    assert f"did you mean '{NAME}'" in checked.stderr
    (app / "flags.json").write_text('{"flags": {')
    assert_refused(shipworthy("flags", cwd=app), "flags.json")
