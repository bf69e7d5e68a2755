"""`shipworthy new` makes a whole app that reads back, or writes nothing and says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import assert_refused, shipworthy

ROOMS = ("--rooms", "invoicing")


@pytest.mark.parametrize("name", ["Größe & Söhne", 'He said "hi" \\ $port', "{{ name }}", "日本", "-"])
def test_an_app_with_any_printable_name_can_be_described(tmp_path: Path, name: str) -> None:
    assert shipworthy("new", "app", *ROOMS, f"--name={name}", cwd=tmp_path).returncode == 0
    described = shipworthy("describe", "--json", cwd=tmp_path / "app")
    assert json.loads(described.stdout)["app"] == name


@pytest.mark.parametrize("name", ["a\x7fb", "a\nb", b"\xff", " ", "x" * 81])
def test_a_name_that_cannot_be_printed_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str | bytes
) -> None:
    assert_refused(shipworthy("new", "app", *ROOMS, "--name", name, cwd=tmp_path), "printable characters")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["bü", "x/..", "sub/.hidden", "a b", "x" * 64, f"{'y' * 300}/z"])
def test_a_folder_that_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path, folder: str) -> None:
    assert_refused(shipworthy("new", *ROOMS, "--", folder, cwd=tmp_path), "Error: ")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "mine").write_text("mine", encoding="utf-8")
    assert_refused(shipworthy("new", "app", *ROOMS, cwd=tmp_path), "nothing was written")
    assert [path.name for path in tmp_path.rglob("*")] == ["app", "mine"]


def test_a_file_in_the_way_is_called_a_file(tmp_path: Path) -> None:
    (tmp_path / "app").write_text("mine", encoding="utf-8")
    assert_refused(shipworthy("new", "app", *ROOMS, cwd=tmp_path), "is a file")
    assert_refused(shipworthy("new", "app/x", *ROOMS, cwd=tmp_path), "cannot be written")


def test_an_unknown_room_names_the_nearest_one(tmp_path: Path) -> None:
    assert_refused(shipworthy("new", "app", "--rooms", "invoicng", cwd=tmp_path), "did you mean 'invoicing'?")
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_writes_nothing_and_the_plan_is_what_a_run_writes(tmp_path: Path) -> None:
    planned = shipworthy("new", "app", *ROOMS, "--dry-run", "--json", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert shipworthy("new", "app", *ROOMS, cwd=tmp_path).returncode == 0
    written = (p.relative_to(tmp_path / "app") for p in (tmp_path / "app").rglob("*") if p.is_file())
    assert sorted(json.loads(planned.stdout)["files"]) == sorted(map(str, written))
