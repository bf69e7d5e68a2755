"""`shipworthy new` makes a whole app that reads back, or writes nothing and says why."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import assert_refused, shipworthy
from tests.support.model import stub_model

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


INN = """[app]
name = "Harbour Inn"
rooms = ["bookings", "invoicing"]

[auth.providers.google]
kind = "google"
client_id = "to-be-set"

[slo]
page_p95_ms = 100

[room.bookings.fields]
guest = { kind = "text", required = true }
payer = { kind = "reference", to = "customers" }
"""


def test_a_file_says_everything_and_its_own_rooms_are_written(tmp_path: Path) -> None:
    (tmp_path / "inn.toml").write_text(INN)
    done = shipworthy("new", "inn", "--spec", "inn.toml", cwd=tmp_path)
    assert "set auth.providers.google.client_id" in done.stdout, done.stderr
    settings = json.loads(shipworthy("settings", "--json", cwd=tmp_path / "inn").stdout)
    assert settings["app"]["rooms"] == ["auth", "invoicing", "bookings"]  # what is referred to comes first
    assert (settings["slo"]["page_p95_ms"], settings["app"]["name"]) == (100, "Harbour Inn")
    assert (
        json.loads(shipworthy("describe", "--json", cwd=tmp_path / "inn").stdout)["rooms"][-1] == "bookings"
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("page_p95_ms", "page_p95", ("inn.toml:10", "did you mean 'page_p95_ms'")),
        ('"bookings", "invoicing"', '"bookings"', ("there is no 'customers' to refer to",)),
        ('"invoicing"', '"invoicng"', ("did you mean 'invoicing'",)),
        ('kind = "google"', 'kind = "google"\nissuer = "https://x.example"', ("leave it out",)),
        ("[app]", "[app", ("not valid TOML",)),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_and_nothing_is_written(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "inn.toml").write_text(INN.replace(old, new))
    assert_refused(shipworthy("new", "inn", "--spec", "inn.toml", cwd=tmp_path), *words)
    assert [path.name for path in tmp_path.iterdir()] == ["inn.toml"]


def test_a_sentence_without_a_model_says_what_to_set(tmp_path: Path) -> None:
    sentence = ("new", "app", "--from", "invoices for a plumber")
    assert_refused(shipworthy(*sentence, cwd=tmp_path), "SHIPWORTHY_MODEL_URL is not set")
    assert_refused(shipworthy(*sentence, "--rooms", "site", cwd=tmp_path), "say everything")
    assert list(tmp_path.iterdir()) == []


def test_a_sentence_becomes_an_app_through_an_endpoint(tmp_path: Path) -> None:
    spec = {
        "app": {"name": "Berlin Plumber", "rooms": ["invoicing"], "locale": "de"},
        "auth": {"providers": {"google": {"kind": "google", "client_id": "to-be-set"}}},
    }
    with stub_model(json.dumps({**spec, "http": {}}), json.dumps(spec)) as (url, asked):
        done = shipworthy(
            "new", "plumber", "--from", "invoices for a Berlin plumber, Google sign-in", cwd=tmp_path,
            env={"SHIPWORTHY_MODEL_URL": url},
        )  # fmt: skip
    assert "Berlin Plumber is in plumber: auth, invoicing" in done.stdout, done.stderr
    assert "not http" in asked[1]["messages"][-1]["content"]
    text = (tmp_path / "plumber" / "app.toml").read_text()
    assert '[auth.providers.google]\nkind = "google"' in text
    assert 'locale = "de"' in text


def test_in_a_terminal_it_asks(tmp_path: Path) -> None:
    ours, its = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "shipworthy", "new", "inn"], cwd=tmp_path, stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    os.write(ours, b"Harbour Inn\ny\nn\nde\n\n")
    assert asked.wait(timeout=60) == 0
    os.close(ours)
    text = (tmp_path / "inn" / "app.toml").read_text()
    assert 'name = "Harbour Inn"\nrooms = ["auth", "invoicing"]\nlocale = "de"' in text
