"""Rows are counted table by table, past row security."""

from __future__ import annotations

from shipworthy.kernel.db.inventory import table_rows
from tests.support.app import RunningApp


async def test_every_table_is_counted_whoever_its_rows_belong_to(toy: RunningApp) -> None:
    before = await table_rows(toy.url("admin"))
    assert {"realm", "tenant", "audit", "schema_migration"} <= set(before)
    await toy.add_tenant("Acme")
    await toy.add_tenant("Globex")
    after = await table_rows(toy.url("admin"))
    assert after == {**before, "tenant": before["tenant"] + 2}
