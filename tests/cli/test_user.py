"""`shipworthy user` beside a running app's database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.auth.room import ROOM
from tests.cli.conftest import assert_refused, shipworthy
from tests.rooms.auth.conftest import add_owner, auth_settings
from tests.support.app import RunningApp, app_running


@pytest.fixture
async def toy(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with app_running(cluster, (ROOM,), tmp_path / "state", settings=auth_settings()) as running:
        await add_owner(running)
        yield running


@pytest.fixture
def env(toy: RunningApp, home: Path) -> dict[str, str]:
    return {
        "SHIPWORTHY_REALM": str(toy.runtime.realm_id),
        "SHIPWORTHY_DB_URL_APP": toy.url("app"),
        "SHIPWORTHY_STATE": str(home),
        "SHIPWORTHY_SIGNING_KEY": "tests",
    }


async def test_a_person_is_an_operator_and_is_no_longer(
    toy: RunningApp, home: Path, env: dict[str, str]
) -> None:
    operator, owner = ("user", "operator"), "owner@acme.example"
    assert_refused(
        shipworthy(*operator, "add", owner, cwd=home, env=env), "SHIPWORTHY_DB_URL_WORKER is not set"
    )
    env |= {"SHIPWORTHY_DB_URL_WORKER": toy.url("worker")}
    said = [
        shipworthy(*operator, verb, owner, cwd=home, env=env).stdout
        for verb in ("add", "add", "remove", "remove", "add")
    ]
    assert said == [
        f"{owner} is an operator\n",
        f"{owner} is an operator already\n",
        f"{owner} is an operator no longer\n",
        f"{owner} was no operator\n",
        f"{owner} is an operator\n",
    ]
    (listed,) = json.loads(shipworthy(*operator, "list", "--json", cwd=home, env=env).stdout)
    assert listed["name"]
    assert_refused(shipworthy(*operator, "add", "no@acme.example", cwd=home, env=env), "no@acme.example")


async def test_a_person_is_shut_out_and_let_in_again(
    toy: RunningApp, home: Path, env: dict[str, str]
) -> None:
    done = shipworthy("user", "disable", "owner@acme.example", "--json", cwd=home, env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "disabled"
    shown = shipworthy("user", "enable", "owner@acme.example", cwd=home, env=env)
    assert "status   active" in shown.stdout and "sign-in  password, google" in shown.stdout
    assert_refused(shipworthy("user", "show", "no@acme.example", cwd=home, env=env), "no@acme.example")
    assert_refused(shipworthy("user", "show", "owner@acme.example", cwd=home), "SHIPWORTHY_REALM is not set")
    (home / "app.toml").write_text('[app]\nname = "Toy"\nrooms = ["auth"]\n[sessions]\nstore = "memory"\n')
    assert_refused(shipworthy("user", "disable", "a@b.example", cwd=home, env=env), "sessions.store")
