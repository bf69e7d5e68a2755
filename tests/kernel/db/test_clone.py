"""A template nobody connects to, and clones of it."""

from __future__ import annotations

import asyncpg
import pytest

from shipworthy.kernel.db.clone import (
    clone_database,
    database_url,
    databases_like,
    drop_database,
    seal_template,
)
from shipworthy.local.postgres import PostgresAddress
from tests.support.postgres import run_sql


async def test_clones_hold_what_the_template_held_and_share_nothing(cluster: PostgresAddress) -> None:
    admin_url = cluster.url()
    run_sql(cluster, "create database building_ab")
    run_sql(cluster, "create table kept as select 7 as n", database="building_ab")
    await seal_template(admin_url, built="building_ab", template="template_ab")
    with pytest.raises(asyncpg.PostgresError, match="not currently accepting connections"):
        await asyncpg.connect(database_url(admin_url, "template_ab"))
    try:
        for name in ("clone_one", "clone_two"):
            await clone_database(admin_url, template="template_ab", name=name)
        run_sql(cluster, "update kept set n = 8", database="clone_one")
        assert run_sql(cluster, "select n from kept", database="clone_two") == "7"
        assert await databases_like(admin_url, "clone_", "template_ab") == [
            "clone_one",
            "clone_two",
            "template_ab",
        ]

        connected = await asyncpg.connect(database_url(admin_url, "clone_one"))
        await drop_database(admin_url, "clone_one")  # whoever is connected
        await connected.close()
        await drop_database(admin_url, "clone_one")  # and once more
        assert await databases_like(admin_url, "clone_") == ["clone_two"]
    finally:
        for name in ("clone_one", "clone_two", "template_ab"):
            await drop_database(admin_url, name)


@pytest.mark.parametrize("name", ['x"; drop database postgres; --', "", "Upper", "a-b", "a" * 64])
async def test_a_name_that_could_say_more_than_a_name_is_refused(cluster: PostgresAddress, name: str) -> None:
    with pytest.raises(ValueError, match="may hold lower-case letters"):
        await drop_database(cluster.url(), name)
