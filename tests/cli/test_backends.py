"""`shipworthy deploy --backend`: what systemd and a cluster are told, printed or written, and refused where it cannot be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

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
    files = sorted(path.name for path in (home / "k8s").glob("*.yaml"))
    assert files == ["10-expand.yaml", "20-web.yaml", "30-worker.yaml", "40-contract.yaml"]
    assert [Path(line).name for line in done.stdout.splitlines()] == [*files, "app.env", "admin.env"]
    _, job = yaml.safe_load_all((home / "k8s" / "10-expand.yaml").read_text())
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


def test_a_cluster_that_keeps_the_database_is_told_its_password_too(home: Path) -> None:
    image = ("--image", "registry.example:5000/toy:v7")
    done = typed(*CLUSTER, *image, "--database-gib", "20", "--write", "k8s")
    assert done.exit_code == 0, done.output
    (database,) = yaml.safe_load_all((home / "k8s" / "00-stores.yaml").read_text())
    assert database["spec"]["storage"] == {"size": "20Gi"}
    name, password = (home / "k8s" / "database.env").read_text().splitlines()
    assert name == "username=postgres"
    address = urlsplit((home / "k8s" / "admin.env").read_text().splitlines()[0].partition("=")[2])
    assert (address.hostname, f"password={address.password}") == ("toy-db-rw", password)


def test_compose_is_told_and_its_secrets_are_written_once_for_nobody_else(home: Path) -> None:
    first = typed("deploy", "--backend", "compose", "--write", "compose")
    assert first.exit_code == 0, first.output
    folder = home / "compose"
    told = yaml.safe_load((folder / "compose.yaml").read_text())
    assert told["services"]["web"]["build"] == {"context": ".."}
    used = {file for service in told["services"].values() for file in service["env_file"]}
    assert used == {path.name for path in folder.glob("*.env")} == {"app.env", "admin.env", "database.env"}
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.env")} == {0o600}
    assert (folder / ".gitignore").read_text() == "*.env\n"
    kept = {path.name: path.read_text() for path in folder.glob("*.env")}
    (folder / "admin.env").unlink()
    again = typed("deploy", "--backend", "compose", "--image", "toy:v8", "--write", "compose")
    assert again.exit_code == 0 and "kept:" in again.stderr
    assert {path.name for path in folder.glob("*.env")} == {"app.env", "database.env"}, "all of one making"
    assert all(path.read_text() == kept[path.name] for path in folder.glob("*.env"))
    assert yaml.safe_load((folder / "compose.yaml").read_text())["services"]["web"]["image"] == "toy:v8"


def test_printed_it_shows_no_secret() -> None:
    done = typed("deploy", "--backend", "compose")
    assert done.exit_code == 0, done.output
    assert "# compose.yaml" in done.stdout and "app.env" in done.stdout
    assert "postgresql://" not in done.output and "SIGNING_KEY" not in done.output


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
