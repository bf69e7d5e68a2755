"""The schema's columns, keys and references, as PostgreSQL knows them once every migration is applied."""

from __future__ import annotations

import uuid

from shipworthy.kernel.app import migrations_of
from shipworthy.kernel.db.catalogue import columns_after
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.toy import ROOM


async def test_keys_and_references_are_told(cluster: PostgresAddress) -> None:
    found = await columns_after(cluster.url(f"catalogue_{uuid.uuid4().hex[:8]}"), migrations_of((ROOM,)))
    by_name = {(column["table"], column["name"]): column for column in found}
    assert by_name["tenant", "tenant_id"]["is_key"]
    assert by_name["tenant", "realm_id"] | {"type": "uuid"} == by_name["tenant", "realm_id"]
    assert by_name["tenant", "realm_id"]["refers_to"] == "realm"
    assert not [column for column in found if column["table"].startswith("pgqueuer")]
