"""How often a network may ask: people hear 429, crawlers 503, and whoever is verified is not counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shipworthy.kernel.edge.crawlers import Standing
from shipworthy.kernel.edge.reading import newest
from shipworthy.kernel.edge.section import EdgeSection
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.edge.test_guard import written
from tests.kernel.toy import ROOM
from tests.support.app import RunningApp, app_running, make_settings

CRAWLER = {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)", "accept": "application/json"}


@pytest.fixture
async def few(cluster: PostgresAddress, tmp_path: Path) -> AsyncIterator[RunningApp]:
    edge = EdgeSection(network_requests_per_minute=1, network_requests_burst=2)
    async with app_running(cluster, (ROOM,), tmp_path, settings=make_settings((ROOM,), edge=edge)) as app:
        yield app


def known(app: RunningApp, standing: Standing) -> None:
    """Let it be known of everybody who says they are a crawler."""
    crawlers: Any = app.runtime.edge.crawlers
    crawlers._known[("google", "203.0.113.7")] = (standing, float("inf"))


@pytest.mark.parametrize("standing", [Standing.UNVERIFIED, Standing.SPOOFED])
async def test_who_only_says_so_has_everybodys_limit_and_is_told_to_come_back(
    few: RunningApp, standing: Standing
) -> None:
    known(few, standing)
    client = few.client(address="203.0.113.7")
    answers = [await client.get("/hello", headers=CRAWLER) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 503, 503]
    assert (answers[-1].json["code"], answers[-1].header("retry-after")) == ("edge.busy", "60")
    assert (
        await client.get("/robots.txt", headers=CRAWLER)
    ).status == 404  # the toy has none; it was not counted
    assert (await client.get("/hello")).status == 429


async def test_who_is_verified_is_not_counted(few: RunningApp) -> None:
    known(few, Standing.VERIFIED)
    client = few.client(address="203.0.113.7")
    assert {(await client.get("/hello", headers=CRAWLER)).status for _ in range(9)} == {200}


async def test_a_trap_makes_suspect_and_shuts_nobody_out(few: RunningApp) -> None:
    now_s = few.runtime.now().timestamp()
    client, suspicion = few.client(address="203.0.113.7"), few.runtime.edge.suspicion
    assert (await few.client().get("/.env")).status == 404
    assert suspicion.level("127.0.0.0/24", now_s, is_known=False) == 0
    assert (await client.get("/.env")).status == 404
    assert (await client.get("/hello")).status == 200
    assert suspicion.level("203.0.113.0/24", now_s, is_known=False) == 1
    [told] = newest(await written(few), most=9)
    assert (told.rule, told.is_refused, told.request) == ("trap.address", False, "GET /.env")
