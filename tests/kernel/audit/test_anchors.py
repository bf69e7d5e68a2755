"""Anchors: what the database cannot take back. Every way to tamper is found, also where all hashes are made anew.

Covers: anchors, verify.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from shipworthy.kernel.audit.anchors import anchor_heads, anchor_object
from shipworthy.kernel.audit.keys import AuditKeys
from shipworthy.kernel.audit.verify import tenants_in, verify_chain
from shipworthy.kernel.errors import Upstream
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.audit.scene import Trail, new_trail
from tests.kernel.toy import ROOM
from tests.support.app import app_running

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What somebody does to a trail of nine rows, and the first row that no longer holds. Anchors vouch for rows 3 and 7.
TAMPERING = {
    "flip": ("update audit set action = 'note.deleted' where seq = 5", 5, 4),
    "delete": ("delete from audit where seq = 5", 5, 4),
    "backdate": ("update audit set at = at - interval '1 day' where seq = 2", 2, 1),
    "reorder": (
        "update audit set seq = -seq where seq in (5, 6); update audit set seq = case seq when -5 then 6 else 5 end where seq < 0",
        5,
        4,
    ),
    "insert": (
        "update audit set seq = seq + 1000 where seq >= 5; update audit set seq = seq - 999 where seq > 1000;"
        " insert into audit select tenant_id, gen_random_uuid(), at, actor_id, action, object_type, object_id, detail,"
        " trace_id, 5, prev, hash from audit where seq = 4",
        5,
        4,
    ),
    "cut the tail": ("delete from audit where seq > 6", 7, 7),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trail(cluster: PostgresAddress, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trail]:
    """Nine sealed rows, anchored at three and at seven, and their copy beside them."""
    async with app_running(cluster, (ROOM,), tmp_path_factory.mktemp("state")) as app:
        made = await new_trail(app)
        await made.write(3)
        assert await made.anchor() == 1
        await made.write(4)
        assert await made.anchor() == 2
        await made.write(2)
        await app.admin("create table audit_copy as table audit")
        await app.admin("create table head_copy as table audit_head")
        yield made


async def test_an_honest_trail_holds_and_says_how_far_it_is_anchored(trail: Trail) -> None:
    report = await trail.verify()
    assert (report.sealed, report.unsealed, report.broken, report.anchored) == (9, 0, None, 7)
    anchors = await trail.anchors()
    assert (anchors.count, anchors.problems) == (2, ())


@pytest.mark.parametrize("name", TAMPERING)
@pytest.mark.parametrize("is_resealed", [False, True], ids=["left so", "sealed anew"])
async def test_each_way_of_tampering_is_found(trail: Trail, name: str, is_resealed: bool) -> None:
    sql, row, row_when_resealed = TAMPERING[name]
    for statement in sql.split(";"):
        await trail.app.admin(statement)
    if is_resealed:
        await trail.reseal()
    report = await trail.verify()
    await _put_back(trail)
    assert report.broken is not None, name
    assert report.broken.seq == (row_when_resealed if is_resealed else row), report.broken
    if is_resealed:
        assert "anchor" in report.broken.reason
    assert (await trail.verify()).broken is None


async def test_without_its_anchors_a_trail_sealed_anew_would_pass(trail: Trail) -> None:
    """The counter-example: what the anchors are for."""
    await trail.app.admin("delete from audit where seq = 5")
    await trail.reseal()
    async with trail.app.role("auditor") as database:
        report = await verify_chain(database, trail.scope)
    await _put_back(trail)
    assert report.broken is None


async def test_a_whole_trail_that_is_gone_is_missed(trail: Trail) -> None:
    await trail.app.admin("delete from audit")
    await trail.app.admin("delete from audit_head")
    anchors = await trail.anchors()
    async with trail.app.role("auditor") as database:
        assert await tenants_in(database, trail.app.runtime.realm_id, anchors) == [trail.tenant_id]
    report = await trail.verify()
    await _put_back(trail)
    assert report.broken is not None
    assert (report.broken.seq, "cut off" in report.broken.reason) == (1, True)


async def test_an_anchor_that_was_tampered_with_or_taken_away_is_a_problem(trail: Trail) -> None:
    runtime = trail.app.runtime
    first, second = (anchor_object(runtime.realm_id, number) for number in (1, 2))
    kept = {name: await runtime.files.get(name) for name in (first, second)}
    told = json.loads(kept[second])
    seq = told["heads"][0][1]
    other = {**told, "heads": [[told["heads"][0][0], seq - 1, told["heads"][0][2]]]}
    found = {}
    for what, name, body in (
        ("heads", second, json.dumps(other).encode()),
        ("time", second, json.dumps({**told, "at": "2020-01-01T00:00:00Z"}).encode()),
        ("no JSON", second, b"{"),
        ("another number", second, kept[first]),
    ):
        await runtime.files.put(name, body)
        found[what] = (await trail.anchors()).problems
        await runtime.files.put(name, kept[name])
    for what, name in (("first gone", first), ("second gone", second)):
        await runtime.files.delete(name)
        found[what] = (await trail.anchors()).problems
        await runtime.files.put(name, kept[name])
    assert {what: len(problems) for what, problems in found.items()} == dict.fromkeys(found, 1)
    said = {what: problems[0] for what, problems in found.items()}
    assert "not those that were signed" in said["heads"]
    assert "signature is wrong" in said["time"]
    assert "cannot be read" in said["no JSON"]
    assert "anchor 1 is missing" in said["first gone"]
    assert "anchor 2 is missing" in said["second gone"]
    assert (await trail.anchors()).problems == ()


async def test_after_a_rotation_old_anchors_are_proven_by_the_public_half_of_their_key(trail: Trail) -> None:
    runtime = trail.app.runtime
    old = runtime.audit_keys
    new = b"another key of thirty-two letters"
    try:
        runtime.audit_keys = AuditKeys((new,))
        assert all("unknown key" in problem for problem in (await trail.anchors()).problems)
        runtime.audit_keys = AuditKeys((new,), trusted=old.own)
        assert (await trail.anchors()).problems == ()
        runtime.audit_keys = AuditKeys((new, b"tests"))
        assert (await trail.anchors()).problems == ()
    finally:
        runtime.audit_keys = old


async def test_an_anchor_is_made_when_it_is_due_and_something_grew_and_by_one_of_many(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path) as app:
        made, other = await new_trail(app), await new_trail(app, tenant="Globex")
        assert await made.anchor() is None  # there is nothing to anchor
        await made.write(2)
        await other.write(1)
        async with app.role("worker") as worker:
            runtime = app.runtime
            runtime.database = worker
            numbers = await asyncio.gather(
                *(anchor_heads(runtime, older_than=timedelta(0)) for _ in range(4))
            )
            assert sorted(n for n in numbers if n) == [1]
            assert await anchor_heads(runtime, older_than=timedelta(0)) is None  # no chain grew
            await made.write(1)
            assert await anchor_heads(runtime, older_than=timedelta(hours=1)) is None  # not due
        assert (await other.verify()).anchored == 1
        assert (await made.verify()).anchored == 2


async def test_a_database_that_was_taken_back_writes_over_no_anchor(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path) as app:
        made = await new_trail(app)
        await made.write(1)
        assert await made.anchor() == 1
        await app.admin("create table audit_before as table audit")
        await made.write(2)
        assert await made.anchor() == 2
        for sql in (
            "delete from audit", "insert into audit table audit_before", "delete from audit_anchor where number = 2",
            "update audit_head set seq = 1, hash = (select hash from audit)",
            "update audit_tip set seq = 1, hash = (select hash from audit)",
        ):  # fmt: skip
            await app.admin(sql)
        made.written = 10
        await made.write(1)
        assert await made.anchor() == 3
        assert (await made.anchors()).problems == ()
        report = await made.verify()
        assert report.broken is not None
        assert (report.broken.seq, "anchor 2" in report.broken.reason) == (3, True)


async def test_an_anchor_that_cannot_be_stored_is_not_noted_either(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    async with app_running(cluster, (ROOM,), tmp_path) as app:
        made = await new_trail(app)
        await made.write(1)

        class Full:
            async def names(self, folder: str) -> list[str]:
                return []

            async def put(self, key: str, body: bytes) -> None:
                raise Upstream("files.unavailable", "The file store could not take the file.")

        files, app.runtime.files = app.runtime.files, Full()  # type: ignore[assignment]
        with pytest.raises(Upstream):
            await made.anchor()
        app.runtime.files = files
        assert (await made.anchors()).problems == ()
        assert await made.anchor() == 1


@pytest.mark.parametrize("role", ["app", "reader"])
async def test_only_the_worker_writes_anchors_and_sees_the_ends_of_all_chains(
    trail: Trail, role: str
) -> None:
    async with trail.app.role(role) as database:
        for sql in (
            "select * from audit_tip",
            "delete from audit_anchor",
            "update audit_anchor set number = 7",
        ):
            with pytest.raises(Exception, match="permission denied|read-only"):
                async with database.begin(replace(trail.scope, tenant_id=None)) as tx:
                    await tx.raw(sql)


async def _put_back(trail: Trail) -> None:
    for table, copy in (("audit", "audit_copy"), ("audit_head", "head_copy")):
        await trail.app.admin(f"delete from {table}")
        await trail.app.admin(f"insert into {table} table {copy}")
