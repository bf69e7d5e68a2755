"""`shipworthy migrate plan` says what would run, when it may, and what taking it back would lose."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import asyncpg
import pytest

from shipworthy.cli.front import DELIVERY_FOLDER, ENVIRONMENT_FILE
from shipworthy.cli.migrate import refuse_while_others_run
from shipworthy.delivery.fleet import Fleet, Member, Place, Status, write
from shipworthy.delivery.release import identity
from shipworthy.kernel.db.migrate import MigrationRefused
from shipworthy.kernel.db.setup import prepare_database, role_url
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
    assert "-- kernel/0003_pre_session_tenant\n-- expand: run it before the new release" in back
    assert "it loses nothing\ndrop index session_tenant_idx;" in back
    assert "it loses the column session.amr, the column session.proven_at" in back
    assert back.index("kernel/0002") < back.index("kernel/0001")


def test_when_all_is_applied_the_plan_says_so(home: Path, env: dict[str, str]) -> None:
    assert shipworthy("migrate", "up", cwd=home, env=env).returncode == 0
    planned = shipworthy("migrate", "plan", cwd=home, env=env)
    assert planned.stdout == "nothing to do: the database is up to date\n"


@pytest.fixture
def new(cluster: PostgresAddress) -> dict[str, str]:
    """What an installation knows whose database nobody has made yet."""
    admin = cluster.url(f"new_{uuid.uuid4().hex[:8]}")
    return {
        "SHIPWORTHY_DB_URL_ADMIN": admin,
        "SHIPWORTHY_DB_URL_APP": role_url(admin, "app", PASSWORDS["app"]),
        "SHIPWORTHY_REALM": str(uuid.uuid4()),
    }


async def realms_in(url: str) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(url)
    try:
        return [(str(row["realm_id"]), row["name"]) for row in await connection.fetch("select * from realm")]
    finally:
        await connection.close()


def test_a_new_installation_is_prepared_in_two_phases_and_again_changes_nothing(
    home: Path, new: dict[str, str]
) -> None:
    prepare = ("migrate", "up", "--prepare")
    first = shipworthy(*prepare, "--phase", "pre", cwd=home, env=new)
    assert first.returncode == 0, first.stderr
    assert "applied  kernel/0001" in first.stdout
    assert asyncio.run(realms_in(new["SHIPWORTHY_DB_URL_ADMIN"])) == [(new["SHIPWORTHY_REALM"], "Toy")]
    asyncio.run(realms_in(new["SHIPWORTHY_DB_URL_APP"]))  # the role can sign in, with this password
    assert shipworthy(*prepare, "--phase", "post", cwd=home, env=new).returncode == 0
    again = shipworthy(*prepare, cwd=home, env=new)
    assert again.stdout == "nothing to do: the database is up to date\n"
    assert len(asyncio.run(realms_in(new["SHIPWORTHY_DB_URL_ADMIN"]))) == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"SHIPWORTHY_REALM": ""}, "SHIPWORTHY_REALM is not set"),
        ({"SHIPWORTHY_REALM": "mine"}, "must be an id"),
        ({"SHIPWORTHY_DB_URL_APP": ""}, "SHIPWORTHY_DB_URL_APP is not set"),
        ({"SHIPWORTHY_DB_URL_APP": "postgresql://postgres:secret@here/app"}, "must name the role app"),
        ({"SHIPWORTHY_DB_URL_APP": "postgresql://app@here/app"}, "and its password"),
        ({"SHIPWORTHY_DB_URL_APP": "postgresql://app:short@here/app"}, "16 or more URL-safe characters"),
    ],
)
def test_what_cannot_be_prepared_is_refused_in_one_sentence(
    home: Path, new: dict[str, str], changed: dict[str, str], words: str
) -> None:
    done = shipworthy("migrate", "up", "--prepare", cwd=home, env=new | changed)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and "short" not in done.stderr.replace("shorter", "")


def test_what_contracts_is_refused_while_another_release_serves_from_this_database(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    place = Place(home / ".shipworthy" / DELIVERY_FOLDER).ensure()
    write(place.root / ENVIRONMENT_FILE, {"SHIPWORTHY_DB_URL_ADMIN": "postgresql://here/app"})

    def serving(release: str) -> None:
        fleet = Fleet(serial=1, members=(Member(name="web-1", release=release),), stable="web-1")
        write(place.status, Status(pid=1, port=8000, serial=1, weight=0, fleet=fleet))

    serving("0ld")
    with pytest.raises(MigrationRefused, match="auth/0099_post_tidy: release 0ld still runs"):
        refuse_while_others_run(["auth/0099_post_tidy"], "postgresql://here/app")
    refuse_while_others_run([], "postgresql://here/app")
    refuse_while_others_run(["auth/0099_post_tidy"], "postgresql://elsewhere/app")
    serving(identity(home))
    refuse_while_others_run(["auth/0099_post_tidy"], "postgresql://here/app")
    place.status.unlink()
    refuse_while_others_run(["auth/0099_post_tidy"], "postgresql://here/app")
