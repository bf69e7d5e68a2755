"""A planned app appears whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipworthy.builder.plan import PlannedFile
from shipworthy.builder.spec import SpecRefused
from shipworthy.builder.write import write

FILES = (PlannedFile("one", "1"), PlannedFile("two", "2"))


def test_a_new_folder_and_its_parents_appear_with_every_file(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    write(FILES, folder)
    assert {p.name: p.read_text() for p in folder.iterdir()} == {"one": "1", "two": "2"}
    assert [p.name for p in folder.parent.iterdir()] == ["b"]


def test_a_file_in_a_folder_of_its_own_brings_the_folder(tmp_path: Path) -> None:
    write((*FILES, PlannedFile(".deep/er/three", "3")), tmp_path / "app")
    assert (tmp_path / "app" / ".deep" / "er" / "three").read_text() == "3"


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path) -> None:
    """A shell that stands in it (`new .`) would otherwise stand in a folder that is gone."""
    folder = tmp_path / "here"
    folder.mkdir()
    before = folder.stat().st_ino
    write(FILES, folder)
    assert folder.stat().st_ino == before
    assert sorted(p.name for p in folder.iterdir()) == ["one", "two"]


def test_when_a_file_cannot_be_written_nothing_stays(tmp_path: Path) -> None:
    impossible = (*FILES, PlannedFile("one/below", "3"))
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (tmp_path / "new", empty):
        with pytest.raises(SpecRefused, match="cannot be written"):
            write(impossible, folder)
    assert [p.name for p in tmp_path.rglob("*")] == ["empty"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_another_user_is_refused_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SpecRefused, match="Permission denied"):
        write(FILES, tmp_path / "new")
