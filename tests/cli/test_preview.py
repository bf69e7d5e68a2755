"""Previews as people use them: up beside one another, ended by their time, and never anything left behind.

Covers: preview_host, preview_template.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shipworthy.cli.preview_template import key_of, runtime_of
from shipworthy.cli.project import load_project
from shipworthy.local.statedir import StateDir
from tests.cli.conftest import APP, assert_refused, shipworthy
from tests.support.disk import small_disk
from tests.support.postgres import open_directory
from tests.support.processes import processes_of, wait_for_none_of
from tests.support.product import Patch, patched_sources

END_TIMEOUT_S = 60.0
_FIRST_LINE = "create table app_user ("  # of the first migration of a room


@dataclass(frozen=True)
class App:
    """An app in a repository with branches."""

    home: Path

    def preview(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return shipworthy("preview", *arguments, cwd=self.home, env=env)

    def up(self, branch: str, *arguments: str) -> dict[str, Any]:
        done = self.preview("up", branch, "--json", *arguments)
        assert done.returncode == 0, done.stderr
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.preview("list", "--json").stdout)
        return found

    @property
    def left_on_disk(self) -> list[str]:
        running = self.home / ".shipworthy" / "previews" / "running"
        return [path.name for path in running.iterdir()] if running.is_dir() else []

    def ended(self) -> None:
        """Nothing of a preview is left: no process, no file."""
        wait_for_none_of(self.home, timeout_s=END_TIMEOUT_S)
        assert self.left_on_disk == []


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with open_directory() as folder:
        home = folder / "toy"
        home.mkdir()
        _git(home, "init", "-q", "-b", "main")
        _commit(home, {"app.toml": APP, ".gitignore": ".shipworthy/\n"})
        for branch, files in (
            ("feature/New_Name", {"app.toml": APP + "[http]\nport = 8123\n"}),
            ("broken", {"app.toml": APP + "[htp]\nport = 1\n"}),
            ("no-app", {"app.toml": None}),
        ):
            _git(home, "checkout", "-q", "-b", branch, "main")
            _commit(home, files)
        _git(home, "checkout", "-q", "main")
        found = App(home)
        try:
            yield found
        finally:
            found.preview("down", "--all")
            wait_for_none_of(home, timeout_s=END_TIMEOUT_S)


def test_branches_are_up_side_by_side_from_one_template_and_end_without_a_trace(app: App) -> None:
    first = app.up("feature/New_Name")
    second = app.up(".", "--name", "mine")
    try:
        assert first["template_built_in_s"] is not None  # the first of its schema
        assert second["template_built_in_s"] is None
        assert (first["name"], second["name"]) == ("feature-new-name", "mine")
        assert first["url"].startswith("http://feature-new-name.localhost:")
        assert first["commit"] == _git(app.home, "rev-parse", "feature/New_Name")
        person = first["people"][0]
        assert _signed_in(first["url"], person) and _signed_in(second["url"], person)
        assert not _signed_in(first["url"], {**person, "password": "wrong"})
        assert [p["name"] for p in app.listed()] == ["feature-new-name", "mine"]
        assert_refused(app.preview("up", "feature/New_Name"), "is up already", first["url"], "preview down")

        assert "ended: feature-new-name" in app.preview("down", "feature-new-name").stdout
        assert [p["name"] for p in app.listed()] == ["mine"]
        assert _signed_in(second["url"], person)
        assert app.left_on_disk == ["mine"]
        assert _git(app.home, "status", "--short") == ""
    finally:
        app.preview("down", "--all")
    app.ended()
    assert app.listed() == []


def test_three_that_ask_at_once_find_one_host_and_a_name_is_given_once(app: App) -> None:
    with ThreadPoolExecutor() as at_once:
        done = list(at_once.map(lambda name: app.preview("up", ".", "--name", name), ("a", "a", "b")))
    try:
        assert sorted(one.returncode for one in done) == [0, 0, 2], [one.stderr for one in done]
        assert_refused(next(one for one in done if one.returncode), "'a' is up already")
        assert sorted(p["name"] for p in app.listed()) == ["a", "b"]
    finally:
        app.preview("down", "--all")
    app.ended()


def test_what_cannot_come_up_is_said_in_a_sentence_and_leaves_nothing(app: App) -> None:
    assert_refused(app.preview("up", "feature/new_name"), "no branch", "Did you mean 'feature/New_Name'?")
    assert_refused(app.preview("up", "broken"), "app.toml:4", "htp", "http")
    assert_refused(app.preview("up", "no-app"), "no app.toml", "no-app")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_refused(app.preview("up", ".", "--port", port), f"Port {port}", "taken")
    for wrong in (
        ("--name", "No_Host"),
        ("--name", "-x"),
        ("--ttl", "0"),
        ("--ttl", "soon"),
        ("--ttl", "169h"),
    ):
        assert_refused(app.preview("up", ".", *wrong), wrong[0])
    for wrong in (("down",), ("down", "here", "--all"), ("down", "here")):
        assert_refused(app.preview(*wrong), "preview")
    app.ended()


def test_a_migration_that_fails_is_told_in_its_own_words_and_the_next_version_comes_up(
    app: App, tmp_path: Path
) -> None:
    migration = "rooms/auth/migrations/0001_pre_auth.up.sql"
    sources = patched_sources(
        tmp_path, [Patch(file=migration, old=_FIRST_LINE, new=f"creat table oops (\n{_FIRST_LINE}")]
    )
    refused = app.preview("up", ".", env={"PYTHONPATH": str(sources)})
    assert_refused(refused, "could not be made", "0001", "creat")
    app.ended()
    assert app.up(".", "--ttl", "1s")["name"] == "here"
    app.ended()  # by its time


def test_a_killed_command_takes_its_wish_back_and_a_killed_host_takes_everything_along(app: App) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "shipworthy", "preview", "up", "."],
        cwd=app.home, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    ) as asking:  # fmt: skip
        assert asking.stderr is not None
        assert any("web and worker: starting" in line for line in asking.stderr)
        asking.kill()
    app.ended()

    url = app.up(".")["url"]
    host = json.loads((app.home / ".shipworthy" / "previews" / "host.json").read_text())["pid"]
    os.kill(host, signal.SIGKILL)
    app.ended()
    assert not _answers(url)
    facts = app.up(".")  # on the same server, from the template that is still sound
    assert facts["template_built_in_s"] is None
    app.preview("down", "here")
    app.ended()


def test_a_full_disk_is_said_in_a_sentence(app: App) -> None:
    with open_directory() as folder, small_disk(folder, size_mb=20):
        home = folder / "toy"
        home.mkdir()
        (home / "app.toml").write_text(APP)
        assert_refused(shipworthy("preview", "up", ".", cwd=home), "The disk that holds", "is full")
        wait_for_none_of(home, timeout_s=END_TIMEOUT_S)
        assert list((home / ".shipworthy" / "previews" / "running").iterdir()) == []


def test_a_templates_key_is_what_it_is_made_of(tmp_path: Path) -> None:
    home = tmp_path / "toy"
    home.mkdir()
    (home / "app.toml").write_text(APP)
    project = load_project(home)
    assert runtime_of(home, {}).name == "shipworthy" and key_of(
        project, seed="demo", environment={}
    ) == key_of(project, seed="demo", environment={"HOME": "/elsewhere"})
    sources = patched_sources(tmp_path / "src", ())
    keys = {key_of(project, seed="demo", environment={}), key_of(project, seed="none", environment={})}
    assert key_of(project, seed="demo", environment={"PYTHONPATH": str(sources)}) in keys  # the same, copied
    for file in (
        "rooms/auth/migrations/0001_pre_auth.up.sql",
        "rooms/auth/seed.py",
        "kernel/db/bootstrap.sql",
    ):
        with (sources / "shipworthy" / file).open("a") as changed:
            changed.write("\n")
        keys.add(key_of(project, seed="demo", environment={"PYTHONPATH": str(sources)}))
    (sources / "shipworthy" / "rooms" / "auth" / "web.py").write_text("")  # no part of a database
    keys.add(key_of(project, seed="demo", environment={"PYTHONPATH": str(sources)}))
    assert len(keys) == 5
    shutil.move(sources / "shipworthy", home / "shipworthy")  # an app with a runtime of its own
    assert runtime_of(home, {"PYTHONPATH": str(sources)}) == home / "shipworthy"


def test_a_state_that_is_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.toml").write_text(APP)
    StateDir(tmp_path / ".shipworthy").ensure()
    (tmp_path / ".shipworthy" / "previews").write_text("a file")
    assert_refused(shipworthy("preview", "up", ".", cwd=tmp_path), "previews is in the way")
    assert processes_of(tmp_path) == {}


def _git(folder: Path, *arguments: str) -> str:
    own = ("-c", "user.name=A", "-c", "user.email=a@sample.example", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *own, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def _commit(home: Path, files: dict[str, str | None]) -> None:
    for name, text in files.items():
        (home / name).unlink() if text is None else (home / name).write_text(text)
    _git(home, "add", "--all")
    _git(home, "commit", "-q", "--allow-empty", "-m", "change")


def _signed_in(url: str, person: dict[str, str]) -> bool:
    """Sign in at the preview's own host name, which no resolver needs to know."""
    host = url.removeprefix("http://")
    body = f"email={person['email']}&password={person['password']}".encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{host.rpartition(':')[2]}/login", data=body, headers={"Host": host, "Origin": url}
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=20) as answer:
            return bool(answer.status == 303)
    except urllib.error.HTTPError as refused:
        return refused.code == 303


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _answers(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=2).close()
    except OSError:
        return False
    return True
