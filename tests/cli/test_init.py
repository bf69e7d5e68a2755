"""`shipworthy init`: what it writes, what it refuses, and that it writes over nothing."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipworthy.cli.init import command
from shipworthy.gauntlet.targetfile import load_target_file

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"


def init(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(APP)
    return tmp_path


def test_a_folder_becomes_a_file_that_says_where_each_line_is_from(repo: Path) -> None:
    done = init("--repo", str(repo))
    assert done.exit_code == 0, done.output
    assert "python3 -m uvicorn main:app --port {port}" in done.output
    assert "Still to say" in done.output
    target = load_target_file(repo / "gauntlet.toml")
    assert target.kind == "command"


def test_nothing_is_written_over_unless_it_is_asked_for(repo: Path) -> None:
    (repo / "gauntlet.toml").write_text("mine")
    refused = init("--repo", str(repo))
    assert refused.exit_code == 2
    assert "--force" in refused.output
    assert (repo / "gauntlet.toml").read_text() == "mine"
    printed = init("--repo", str(repo), "--print")
    assert printed.exit_code == 0
    assert "[target]" in printed.output
    assert (repo / "gauntlet.toml").read_text() == "mine"
    assert init("--repo", str(repo), "--force").exit_code == 0
    assert "[target]" in (repo / "gauntlet.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("--url", f"https://{'a' * 64}.example"),
            "is not known",
        ),  # longer than a label may be: no resolver is asked
        (("--url", "127.0.0.1:3000"), "is an address like"),
        (("--url", "http://127.0.0.1:1"), "Is the app running?"),
    ],
)
def test_an_address_that_cannot_be_examined_is_refused_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    refused = init(*arguments, "--output", str(tmp_path / "g.toml"))
    assert refused.exit_code != 0
    assert says in refused.output
    assert not (tmp_path / "g.toml").exists()


def test_a_folder_nobody_knows_says_what_to_do(tmp_path: Path) -> None:
    refused = init("--repo", str(tmp_path))
    assert refused.exit_code == 1
    assert "shipworthy init --url" in refused.output


def test_a_file_that_names_a_database_is_for_its_owner_alone(repo: Path) -> None:
    (repo / ".env").write_text("DATABASE_URL=postgresql://me:between-us@localhost/shop\n")
    done = init("--repo", str(repo))
    assert done.exit_code == 0
    assert "between-us" not in done.output, "a password is not shown"
    assert stat.S_IMODE((repo / "gauntlet.toml").stat().st_mode) == 0o600


SERVER = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<title>Shop</title><a href=/about>About</a>" if self.path in ("/", "/about") else b"no"
        self.send_response(200 if self.path in ("/", "/about") else 404)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_an_app_that_is_started_shows_its_pages_and_is_stopped_again(tmp_path: Path) -> None:
    repo, kept = tmp_path / "shop", tmp_path / "kept"
    repo.mkdir()
    kept.mkdir()
    (repo / "server.py").write_text(SERVER)
    (repo / "Procfile").write_text(f"web: {sys.executable} server.py $PORT\n")
    done = init("--repo", str(repo), "--start", "--output", str(kept / "gauntlet.toml"))
    assert done.exit_code == 0, done.output
    target = load_target_file(kept / "gauntlet.toml")
    assert (target.kind, target.name, target.workdir) == ("command", "shop", str(repo))
    assert {route.path for route in target.manifest.routes} == {"/", "/about"}


def test_a_command_of_ones_own_is_started_looked_at_and_written(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    run = f"{sys.executable} server.py {{port}}"
    refused = init("--repo", str(tmp_path), "--run", f"{sys.executable} server.py")
    assert refused.exit_code == 2
    assert "{port}" in refused.output
    done = init("--repo", str(tmp_path), "--run", run)
    assert done.exit_code == 0, done.output
    target = load_target_file(tmp_path / "gauntlet.toml")
    assert target.start == (sys.executable, "server.py", "{port}")
    assert {route.path for route in target.manifest.routes} == {"/", "/about"}


MEMBERS = """
import http.server, sys

FORM = b"<form method=post action=/login><input name=user><input type=password name=word></form>"

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/login":
            return self.answer(200, FORM)
        if self.path == "/desk" and "sid" in self.headers.get("cookie", ""):
            return self.answer(200, b"<title>Desk</title>")
        self.answer(302, location="/login") if self.path in ("/", "/desk") else self.answer(404)

    def do_POST(self):
        form = self.rfile.read(int(self.headers["content-length"]))
        if form == b"user=ann%40shop.example&word=river":
            return self.answer(302, location="/desk", set_cookie="sid=1")
        self.answer(200, FORM)

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_who_may_sign_in_is_let_in_once_and_what_lies_behind_the_door_is_written(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(MEMBERS)
    command = ("--repo", str(tmp_path), "--run", f"{sys.executable} server.py {{port}}")
    done = init(*command, "--person", "ann@shop.example", "river", "--person", "bob@shop.example", "sea")
    assert done.exit_code == 0, done.output
    assert "river" not in done.output
    target = load_target_file(tmp_path / "gauntlet.toml")
    assert target.manifest.login is not None
    assert (target.manifest.login.ok, target.manifest.login.refused) == ((302,), (200,))
    assert ("/desk", "session") in {(route.path, route.auth) for route in target.manifest.routes}
    assert [person.email for person in target.credentials] == ["ann@shop.example", "bob@shop.example"]
    assert stat.S_IMODE((tmp_path / "gauntlet.toml").stat().st_mode) == 0o600
    wrong = init(*command, "--person", "ann@shop.example", "lake", "--force")
    assert "so is a wrong password" in wrong.output
    assert load_target_file(tmp_path / "gauntlet.toml").manifest.login is None


def test_an_app_that_does_not_start_says_why_and_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text(f"web: {sys.executable} -c 'raise SystemExit(\"no licence\")' $PORT\n")
    refused = init("--repo", str(tmp_path), "--start")
    assert refused.exit_code == 1
    assert "no licence" in refused.output
    assert "--no-start" in refused.output
    assert not (tmp_path / "gauntlet.toml").exists()
