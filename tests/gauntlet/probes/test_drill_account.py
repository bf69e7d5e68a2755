"""The account of a drill: lost is what has no row, doubled what has more than one."""

from __future__ import annotations

import uuid

import asyncpg

from shipworthy.contract.manifest import Job
from shipworthy.gauntlet.probes.drill_account import Account, Timeline, rows_of
from tests.support.shop import Shop, shop_manifest


def test_lost_and_doubled_are_told_from_the_rows_of_each_source() -> None:
    account = Account(triggered=["a", "b", "c"], rows={"b": 1, "c": 2, "other": 9})
    assert account.lost == ["a"]
    assert account.doubled == ["c"]


async def test_rows_are_counted_by_source_and_only_those_of_the_jobs_own_kind(shop: Shop) -> None:
    (job,) = shop_manifest().jobs
    sources = [uuid.uuid4() for _ in range(3)]
    insert = "insert into receipt (tenant_id, kind, order_id) values ($1, $2, $3)"
    for kind, source in (
        ("bill", sources[0]),
        ("bill", sources[1]),
        ("bill", sources[1]),
        ("note", sources[2]),
    ):
        await shop.admin(insert, uuid.uuid4(), kind, source)
    named = [str(source) for source in sources]
    connection = await asyncpg.connect(shop.handle.database_urls["admin"])
    try:
        assert await (await rows_of(connection, job)).of(named) == {named[0]: 1, named[1]: 2}
        of_any_kind = Job(kind="x", room="shop", writes="receipt", source_column="order_id")
        assert await (await rows_of(connection, of_any_kind)).of(named) == {
            named[0]: 1,
            named[1]: 2,
            named[2]: 1,
        }
    finally:
        await connection.close()


def test_a_timeline_tells_what_happened_in_order() -> None:
    timeline = Timeline()
    first, second = timeline.mark("one"), timeline.mark("two")
    assert 0 <= first <= second <= timeline.now_s
    lines = timeline.evidence().text.splitlines()
    assert [line.partition("s  ")[2] for line in lines] == ["one", "two"]
