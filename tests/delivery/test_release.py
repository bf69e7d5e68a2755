"""A release is the folder as it was: changed content is another one, and half a copy is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.delivery.release import forget_all_but, found, take


@pytest.fixture
def app(tmp_path: Path) -> Path:
    home = tmp_path / "app"
    (home / "journeys").mkdir(parents=True)
    (home / "app.toml").write_text("[app]\n")
    (home / "journeys" / "a.py").write_text("pass\n")
    (home / ".shipworthy").mkdir()
    (home / ".shipworthy" / "secrets.json").write_text("{}")
    return home


def test_the_same_folder_is_the_same_release_and_a_changed_one_is_another(app: Path, tmp_path: Path) -> None:
    into = tmp_path / "releases"
    first = take(app, into=into)
    assert take(app, into=into) == first
    (app / "journeys" / "a.py").write_text("pass  # changed\n")
    second = take(app, into=into)
    assert second.id != first.id
    assert (first.folder / "journeys" / "a.py").read_text() == "pass\n"
    assert take(first.folder, into=tmp_path / "elsewhere").id == first.id


def test_another_python_is_another_release(app: Path, tmp_path: Path) -> None:
    into = tmp_path / "releases"
    assert take(app, into=into).id != take(app, into=into, python="/opt/new/bin/python").id


def test_state_and_secrets_are_not_copied_and_do_not_count(app: Path, tmp_path: Path) -> None:
    first = take(app, into=tmp_path / "releases")
    assert not (first.folder / ".shipworthy").exists()
    (app / ".shipworthy" / "secrets.json").write_text('{"new": 1}')
    assert take(app, into=tmp_path / "releases") == first


def test_a_copy_that_was_broken_off_is_no_release_and_is_made_again(app: Path, tmp_path: Path) -> None:
    into = tmp_path / "releases"
    release = take(app, into=into)
    (release.folder / ".release.json").unlink()
    (release.folder / "app.toml").unlink()
    assert found(release.id, into=into) is None
    assert take(app, into=into) == release
    assert (release.folder / "app.toml").exists()
    assert found(release.id, into=into) == release


def test_what_nothing_runs_is_forgotten(app: Path, tmp_path: Path) -> None:
    into = tmp_path / "releases"
    old = take(app, into=into)
    (app / "app.toml").write_text("[app]\nname='b'\n")
    new = take(app, into=into)
    forget_all_but({new.id}, into=into)
    assert found(old.id, into=into) is None
    assert found(new.id, into=into) == new
