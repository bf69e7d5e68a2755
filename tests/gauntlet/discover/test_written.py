"""The file that is written says what was seen, and is one that the gauntlet reads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential, RouteSection, Target
from shipworthy.gauntlet.discover.draft import Draft, Seen
from shipworthy.gauntlet.discover.written import written
from shipworthy.gauntlet.targetfile import load_target_file

WHOLE = Draft(
    name=Seen("Shop", "package.json: name"),
    start=Seen("npx next start --port {port}", "package.json: next"),
    health=Seen("/healthz", "it answers"),
    database=Seen("postgresql://me:pw@localhost/shop", ".env"),
    login=Seen(
        Login(route="POST /login", form={"mail": "{email}", "p[w]": "{password}"}, page="/login"), "the form"
    ),
    routes=Seen(
        (
            RouteSection(path="/api/a"),
            RouteSection(path="/api/me", auth="session"),
            RouteSection(
                method="POST", path="/api/a", json={"x": [1, {"y": None, "z": True}]}, expect=(201,)
            ),
        ),
        "openapi.json",
    ),
    pages=Seen(("/", "/about"), "links"),
    sitemap=Seen("/sitemap.xml", "it answers"),
    notes=("Build it first.",),
)


def read(text: str) -> Target:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gauntlet.toml"
        path.write_text(text, encoding="utf-8")
        return load_target_file(path)


def test_all_that_was_seen_is_read_back() -> None:
    people = [
        Credential(email=f"{name}@x.example", password='a"b\\c', tenant=name) for name in ("ann", "bob")
    ]
    target = read(written(WHOLE, people))
    manifest = target.manifest
    assert target.start == ("npx", "next", "start", "--port", "{port}")
    assert target.credentials == tuple(people)
    assert manifest.login is not None
    assert manifest.login.form == {"mail": "{email}", "p[w]": "{password}"}
    assert manifest.login.page == "/login"
    assert 302 in manifest.login.ok
    assert {(route.method, route.path, route.auth) for route in manifest.routes} == {
        ("GET", "/api/a", "public"), ("GET", "/api/me", "session"), ("POST", "/api/a", "public"), ("GET", "/", "public"), ("GET", "/about", "public"),
    }  # fmt: skip
    assert {slo.name for slo in manifest.slos} == {"page", "api"}
    assert [load.kind for load in manifest.loads] == ["crawl"]
    assert {journey.name: len(journey.steps) for journey in manifest.journeys} == {"pages": 2, "api": 1}


def test_a_database_address_and_the_reason_of_each_line_stand_in_the_file() -> None:
    text = written(WHOLE)
    assert 'start = "npx next start --port {port}"  # package.json: next' in text
    assert "# - Build it first." in text
    assert "# [[credential]]" in text


def test_what_little_is_known_is_a_file_too() -> None:
    target = read(written(Draft(url=Seen("http://127.0.0.1:3000", "as given"))))
    assert target.url == "http://127.0.0.1:3000"
    assert not target.manifest.routes


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
_BODY: Any = st.dictionaries(
    _TEXT, st.none() | st.booleans() | st.integers(-9, 9) | _TEXT | st.lists(_TEXT, max_size=2), max_size=3
)


@given(name=_TEXT, where=_TEXT, path=_TEXT, body=_BODY)
def test_no_name_path_or_body_breaks_the_file(name: str, where: str, path: str, body: dict[str, Any]) -> None:
    """They come from other people's files and pages."""
    routes = (RouteSection(method="POST", path="/" + path, json=body),)
    draft = Draft(
        name=Seen(name, where),
        url=Seen("http://127.0.0.1:1", where),
        routes=Seen(routes, where),
        notes=(where,),
    )
    target = read(written(draft))
    assert target.name == name
    assert target.manifest.routes[0].path == "/" + path
    assert target.manifest.routes[0].example == {k: v for k, v in body.items() if v is not None}
