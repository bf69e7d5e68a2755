"""What Docker Compose is told holds against its published schema, and no service has more than it needs."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from shipworthy.delivery.compose import Machine, compose_of
from shipworthy.delivery.yaml import written

MACHINE = Machine(app="shop", port=8000, has_valkey=True)
SCHEMA = Draft7Validator(json.loads((Path(__file__).parent / "schemas" / "compose.json").read_text()))
OURS = ("migrate", "web", "worker")


def services(machine: Machine = MACHINE) -> dict[str, Any]:
    made: dict[str, Any] = compose_of(machine)["services"]
    return made


@pytest.mark.parametrize("machine", [MACHINE, replace(MACHINE, image="shop:v7", has_valkey=False)])
def test_it_holds_against_the_published_schema_and_is_read_back_the_same(machine: Machine) -> None:
    told = compose_of(machine)
    assert [f"{error.json_path}: {error.message}" for error in SCHEMA.iter_errors(told)] == []
    assert yaml.safe_load(written([told])) == told


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "web", "read_onyl"), True),
        (("services", "web", "depends_on", "migrate", "condition"), "done"),
        (("services", "database", "healthcheck", "test"), 1),
        (("services", "web", "ports", 0), {"publish": 1}),
    ],
)
def test_the_schema_is_not_blind(path: tuple[Any, ...], value: object) -> None:
    wrong = copy.deepcopy(compose_of(MACHINE))
    *way, last = path
    place: Any = wrong
    for step in way:
        place = place[step]
    place[last] = value
    assert list(SCHEMA.iter_errors(wrong))


def test_what_is_ours_runs_as_nobody_and_can_write_nowhere_but_where_it_must() -> None:
    for name in OURS:
        service = services()[name]
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["user"] == "10001:10001" and service["security_opt"] == ["no-new-privileges:true"], (
            name
        )
        assert "volumes" not in service and len(service["tmpfs"]) == 2, name


def test_the_database_and_the_sessions_are_reached_from_inside_only() -> None:
    told = compose_of(MACHINE)
    assert told["networks"]["inside"] == {"internal": True}
    for name in ("database", "sessions", "migrate"):
        assert told["services"][name]["networks"] == ["inside"]
        assert "ports" not in told["services"][name]
    assert told["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_only_what_migrates_knows_the_administrators_address() -> None:
    assert {name: "admin.env" in services()[name]["env_file"] for name in OURS} == {
        "migrate": True,
        "web": False,
        "worker": False,
    }


def test_nothing_serves_before_the_database_is_ready_and_every_named_volume_is_there() -> None:
    for name in ("web", "worker"):
        assert services()[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "sessions": {"condition": "service_healthy"},
        }
    assert services()["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in services()["database"]
    told = compose_of(MACHINE)
    used = {
        volume.partition(":")[0] for one in told["services"].values() for volume in one.get("volumes", [])
    }
    assert used == set(told["volumes"]) == {"database", "sessions"}
    assert set(compose_of(replace(MACHINE, has_valkey=False))["volumes"]) == {"database"}
