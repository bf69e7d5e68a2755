"""The schema's columns, keys and references, as PostgreSQL knows them once every migration is applied."""

from __future__ import annotations

from shipworthy.kernel.app import migrations_of
from shipworthy.kernel.db.catalogue import columns_after
from tests.kernel.toy import ROOM
from tests.support.postgres import fresh_cluster


async def test_keys_and_references_are_told() -> None:
    with fresh_cluster() as cluster:  # one of its own: the roles' passwords are made anew
        found = await columns_after(cluster.url("catalogue"), migrations_of((ROOM,)))
    by_name = {(column["table"], column["name"]): column for column in found}
    assert by_name["tenant", "tenant_id"]["is_key"]
    assert by_name["tenant", "realm_id"] | {"type": "uuid"} == by_name["tenant", "realm_id"]
    assert by_name["tenant", "realm_id"]["refers_to"] == "realm"
    assert not [column for column in found if column["table"].startswith("pgqueuer")]
