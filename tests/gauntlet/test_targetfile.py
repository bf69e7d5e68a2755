"""gauntlet.toml: what it makes, and that each mistake is told with its line and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.contract.strict import Undecodable
from shipworthy.gauntlet.targetfile import load_target_file

WHOLE = """
[target]
name = "Acme"
start = "python app.py --port {port}"
health = "/health"
database = "postgresql://acme@127.0.0.1/acme"
workdir = "app"

[login]
route = "POST /login"
form = { user = "{email}", pass = "{password}" }

[[slo]]
name = "list"
quantile = 0.95
threshold_ms = 200

[[journey]]
name = "list"
slo = "list"
rate_per_s = 5
steps = [{ method = "GET", path = "/items" }]

[[route]]
method = "POST"
path = "/items"
json = { title = "x" }
idempotency = "key"
expect = [201]

[[oauth]]
name = "acme"
start = "GET /sign-in/acme"
callback = "/sign-in/acme/callback"
session = "GET /me"
env = { ACME_ISSUER = "{issuer}" }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "gauntlet.toml"
    path.write_text(text)
    return path


def test_a_whole_file_becomes_a_target_with_a_small_manifest(tmp_path: Path) -> None:
    target = load_target_file(write(tmp_path, WHOLE))
    assert (target.kind, target.start) == ("command", ("python", "app.py", "--port", "{port}"))
    assert target.workdir == str(tmp_path / "app")
    (route,) = target.manifest.routes
    assert (route.name, route.statuses, route.example) == ("POST /items", (201,), {"title": "x"})
    assert target.manifest.journeys[0].steps[0].path == "/items"
    assert target.manifest.queries == ()
    assert target.manifest.oauth[0].env == {"ACME_ISSUER": "{issuer}"}


def test_an_instance_that_runs_already_needs_two_lines(tmp_path: Path) -> None:
    target = load_target_file(write(tmp_path, '[target]\nname = "A"\nurl = "http://127.0.0.1:8000"\n'))
    assert (target.kind, target.url) == ("url", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("health =", "helth =", 5, "did you mean 'health'"),
        ("quantile = 0.95", 'quantile = "p95"', 15, "must be a number"),
        ('slo = "list"', 'slo = "lists"', 20, "did you mean 'list'"),
        ('method = "POST"', 'method = "PSOT"', 25, "did you mean 'POST'"),
        ('path = "/items"\njson', 'path = "items"\njson', 26, "must begin with '/'"),
        ("--port {port}", "--port 8000", 4, "must say {port}"),
        ('start = "python', 'url = "http://x"\nstart = "python', 2, "either start"),
        ("[login]", "[login", 9, "not valid TOML"),
        ('"GET /sign-in/acme"', '"/sign-in/acme"', 33, "there is no start '/sign-in/acme'"),
        ('"GET /me"', '"GET me"', 35, "must begin with '/'"),
        ('callback = "/', 'callback = "', 34, "a path or an address"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in WHOLE
    with pytest.raises(Undecodable, match="gauntlet.toml") as refused:
        load_target_file(write(tmp_path, WHOLE.replace(old, new, 1)))
    assert words in str(refused.value)
    assert refused.value.line == line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('asgi = "main"', "is MODULE:NAME"),
        ('asgi = "main:app"\nwsgi = "main:app"', "needs either start"),
        ('wsgi = "main:app"\naddress = "127.0.0.1"', "there is no url"),
    ],
)
def test_an_app_to_import_is_named_so_that_it_can_be_found(tmp_path: Path, line: str, words: str) -> None:
    target = load_target_file(write(tmp_path, '[target]\nname = "A"\nwsgi = "shop.wsgi:make()"\n'))
    assert target.kind == "command"
    assert target.start is not None
    assert (target.start[0], target.start[-3:]) == ("{python}", ("wsgi", "shop.wsgi:make()", "{port}"))
    with pytest.raises(Undecodable, match=words):
        load_target_file(write(tmp_path, f'[target]\nname = "A"\n{line}\n'))


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Undecodable, match="must begin with http://"):
        load_target_file(write(tmp_path, '[target]\nname = "A"\nurl = "127.0.0.1:8000"\n'))


CRAWL = """
[[load]]
kind = "crawl"
rate_per_s = 2.0
slos = { page = "list" }

[load.publishing]
create = "POST /posts"
body = { title = "{mark}" }
id = "id"
address = "/blog/{id}"
unpublish = "DELETE /posts/{id}"
"""


def test_a_crawl_says_how_pages_are_published_and_mistakes_in_it_are_told(tmp_path: Path) -> None:
    (load,) = load_target_file(write(tmp_path, WHOLE + CRAWL)).manifest.loads
    assert load.publishing is not None
    assert (load.publishing.address, load.publishing.edit) == ("/blog/{id}", "")
    for old, new, words in (
        ('"POST /posts"', '"POTS /posts"', "did you mean 'POST'"),
        ('"DELETE /posts/{id}"', '"DELETE posts"', "must begin with '/'"),
        ("{ page =", "{ pages =", "did you mean 'page'"),
    ):
        with pytest.raises(Undecodable) as refused:
            load_target_file(write(tmp_path, WHOLE + CRAWL.replace(old, new)))
        assert words in str(refused.value)
        assert refused.value.line is not None
