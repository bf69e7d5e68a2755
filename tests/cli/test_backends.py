"""`shipworthy deploy --backend`: what systemd and a cluster are told, printed or written, and refused where it cannot be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from shipworthy.cli import backends
from shipworthy.cli.backends import label_of, verified
from shipworthy.cli.project import load_project
from tests.cli.inside import assert_refused_inside, typed

CLUSTER = ("deploy", "--backend", "kubernetes", "--host", "toy.example")


@pytest.fixture(autouse=True)
def inside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


def test_a_cluster_is_told_in_files_in_their_order(home: Path) -> None:
    done = typed(*CLUSTER, "--image", "registry.example:5000/toy:v7", "--write", "k8s")
    assert done.exit_code == 0, done.output
    files = sorted(path.name for path in (home / "k8s").iterdir())
    assert files == ["10-expand.yaml", "20-web.yaml", "30-worker.yaml", "40-contract.yaml"]
    assert [Path(line).name for line in done.stdout.splitlines()] == files
    (job,) = yaml.safe_load_all((home / "k8s" / "10-expand.yaml").read_text())
    assert job["metadata"]["name"] == "toy-expand-v7"
    printed = typed(*CLUSTER, "--image", "registry.example:5000/toy:v7").stdout
    assert all(f"# {name}" in printed for name in files)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (CLUSTER, "--image"),
        ((*CLUSTER, "--image", "toy"), "tag or digest"),
        ((*CLUSTER, "--image", "registry.example:5000/toy"), "tag or digest"),
        (("deploy", "--backend", "kubernetes", "--image", "toy:v7"), "--host"),
        (("deploy", "--backend", "nomad"), "nomad"),
    ],
)
def test_what_a_cluster_cannot_be_told_is_refused(arguments: tuple[str, ...], words: str) -> None:
    assert_refused_inside(typed(*arguments), words)


def test_a_folder_that_cannot_be_written_is_said(home: Path) -> None:
    (home / "taken").write_text("")
    done = typed("deploy", "--backend", "systemd", "--write", "taken/units")
    assert (done.exit_code, "could not be written" in done.output) == (1, True)


def test_units_are_printed_and_what_verifies_them_is_said() -> None:
    done = typed("deploy", "--backend", "systemd")
    assert done.exit_code == 0, done.output
    assert "# toy.service" in done.stdout and "serve --deployable" in done.stdout
    measured = "finds nothing" if shutil.which("systemd-analyze") else "NOT MEASURED"
    assert measured in done.stderr


def test_what_systemd_complains_of_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "systemd-analyze"
    tool.write_text('#!/bin/sh\nshift 2; grep -l Typo "$@" && echo "Unknown key Typo" && exit 1\nexit 0\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert verified({"a.service": "[Unit]\nTypo=1\n"}).endswith("Unknown key Typo")
    assert verified({"a.service": "[Unit]\n"}) == "units: systemd-analyze finds nothing"
    monkeypatch.setattr(backends.shutil, "which", lambda _name: None)
    assert "NOT MEASURED" in verified({})


def test_names_are_labels_whatever_the_app_is_called(home: Path) -> None:
    for name, label in (
        ("Café Zürich & Söhne", "caf-z-rich-s-hne"),
        ("7 Dwarfs", "toy"),
        ("x" * 60, "x" * 40),
    ):
        (home / "app.toml").write_text(f'[app]\nname = "{name}"\nrooms = ["auth"]\n')
        assert label_of(load_project(home)) == label
