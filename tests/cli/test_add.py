"""`add`, `eject` and `upgrade` as a person types them. Covers: add, eject, upgrade."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import assert_refused, shipworthy

FIELDS = (
    *("--field", "guest=text,required,personal"),
    *("--field", "starts_on=date,required"),
    *("--field", "payer=reference,to=customers"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("apps")
    assert shipworthy("new", "inn", "--rooms", "invoicing", cwd=folder).returncode == 0
    done = shipworthy("add", "room", "bookings", *FIELDS, cwd=folder / "inn")
    assert done.returncode == 0, done.stderr
    return folder / "inn"


def test_a_room_is_part_of_the_app_and_declares_what_ours_declare(made: Path) -> None:
    described = json.loads(shipworthy("describe", "--json", cwd=made).stdout)
    assert described["rooms"] == ["auth", "invoicing", "bookings"]
    routes = [route for route in described["routes"] if route["room"] == "bookings"]
    assert len(routes) == 11
    assert all(route["queries_max"] and route["permission"] and route["source"] for route in routes)
    assert {route["source"].rpartition(":")[0] for route in routes} == {
        "rooms/bookings/web.py",
        "rooms/bookings/screens.py",
    }
    assert all((route["audit"] and route["example"] is not None) or route["method"] == "DELETE"
               for route in routes if route["effect"] != "read")  # fmt: skip
    assert {"name": "booking", "scope": "tenant", "column": "tenant_id"} in described["tables"]
    assert "guest" in described["personal"]


def test_a_name_that_is_taken_is_refused_and_nothing_changes(made: Path) -> None:
    before = {
        path: path.read_bytes()
        for path in made.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert_refused(shipworthy("add", "room", "bookings", cwd=made), "there is a room 'bookings' already")
    refused = shipworthy("add", "room", "cars", "--field", "plate=txt", cwd=made)
    assert_refused(refused, "room.cars.fields.plate.kind")
    assert {path: path.read_bytes() for path in before} == before


def test_a_dry_run_prints_every_file_and_writes_none(made: Path) -> None:
    done = shipworthy("add", "room", "cars", "--field", "plate=text,required", "--dry-run", cwd=made)
    assert "rooms/cars/migrations/0001_pre_cars.up.sql" in done.stdout
    assert not (made / "rooms" / "cars").exists()
    assert "cars" not in (made / "app.toml").read_text()


def test_a_room_that_comes_before_what_it_refers_to_is_refused(made: Path) -> None:
    text = (made / "app.toml").read_text()
    (made / "app.toml").write_text(text.replace('"invoicing", "bookings"', '"bookings", "invoicing"'))
    assert_refused(shipworthy("describe", cwd=made), "name 'invoicing' before it")
    (made / "app.toml").write_text(text)


def test_a_room_of_ours_becomes_the_apps_own_and_the_app_stays_the_same(tmp_path: Path) -> None:
    assert shipworthy("new", "shop", "--rooms", "invoicing", cwd=tmp_path).returncode == 0
    home = tmp_path / "shop"
    before = json.loads(shipworthy("describe", "--json", cwd=home).stdout)
    assert_refused(
        shipworthy("eject", "site", cwd=home), "this app has no room 'site' of ours; it has: auth, invoicing"
    )
    done = shipworthy("eject", "invoicing", "--json", cwd=home)
    assert json.loads(done.stdout)["led"] == ["tests/test_invoicing.py"], done.stderr
    after = json.loads(shipworthy("describe", "--json", cwd=home).stdout)
    assert without_places(after) == without_places(before)
    assert any(route["source"].startswith("rooms/invoicing/") for route in after["routes"])


def without_places(described: dict[str, object]) -> str:
    """Return a manifest as text without where its parts stand."""
    kept = json.loads(json.dumps(described))
    kept["migrations"]["files"] = len(kept["migrations"]["files"])
    for parts in kept.values():
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict):
                part.pop("source", None)
    return json.dumps(kept)


def test_an_upgrade_is_shown_asked_for_and_written(tmp_path: Path) -> None:
    assert shipworthy("new", "shop", "--rooms", "site", cwd=tmp_path).returncode == 0
    home = tmp_path / "shop"
    assert "Everything is as version" in shipworthy("upgrade", cwd=home).stdout
    record = json.loads((home / ".scaffold.json").read_text())
    now = record["files"]["README.md"]
    record["files"]["README.md"] = now.replace("Hosted CI", "Old CI")
    (home / ".scaffold.json").write_text(json.dumps(record))
    (home / "README.md").write_text(now.replace("Hosted CI", "My CI"))
    shown = shipworthy("upgrade", "--dry-run", cwd=home)
    assert (shown.returncode, "README.md:" in shown.stderr) == (1, True)
    assert_refused(shipworthy("upgrade", cwd=home), "give --yes")
    assert "<<<<<<<" not in (home / "README.md").read_text()
    assert shipworthy("upgrade", "--yes", cwd=home).returncode == 1
    assert "<<<<<<< yours\nMy CI" in (home / "README.md").read_text()
