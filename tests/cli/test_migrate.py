"""`shipworthy migrate plan` says what would run, when it may, and what taking it back would lose."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import pytest

from shipworthy.kernel.db.setup import prepare_database
from shipworthy.local.postgres import PostgresAddress
from tests.cli.conftest import shipworthy
from tests.support.app import PASSWORDS


@pytest.fixture
def env(cluster: PostgresAddress) -> dict[str, str]:
    """A database with the kernel's tables and none of a room's."""
    url = cluster.url(f"plan_{uuid.uuid4().hex[:8]}")
    asyncio.run(prepare_database(url, passwords=PASSWORDS, rooms=(), realm_id=uuid.uuid4(), realm_name="toy"))
    return {"SHIPWORTHY_DB_URL_ADMIN": url}


def test_the_plan_holds_both_ways_and_the_phase_of_each(home: Path, env: dict[str, str]) -> None:
    pending = json.loads(shipworthy("migrate", "plan", "--json", cwd=home, env=env).stdout)
    assert {one["label"].partition("/")[0] for one in pending} == {"auth"}
    first = pending[0]
    assert (first["phase"], first["applied"]) == ("expand", False)
    assert "create table app_user" in first["up"]
    assert "the table app_user with its rows" in first["loses"]

    back = shipworthy("migrate", "plan", "--back", cwd=home, env=env).stdout
    assert back.startswith("-- kernel/0003_pre_session_tenant\n-- expand: run it before the new release")
    assert "it loses nothing\ndrop index session_tenant_idx;" in back
    assert "it loses the column session.amr, the column session.proven_at" in back
    assert back.index("kernel/0002") < back.index("kernel/0001")


def test_when_all_is_applied_the_plan_says_so(home: Path, env: dict[str, str]) -> None:
    assert shipworthy("migrate", "up", cwd=home, env=env).returncode == 0
    planned = shipworthy("migrate", "plan", cwd=home, env=env)
    assert planned.stdout == "nothing to do: the database is up to date\n"
