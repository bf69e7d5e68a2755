"""The audit chain: every way to tamper is named; honest rows hold. Covers: chain, record,
sealer, verify."""

from __future__ import annotations

from shipworthy.kernel.audit.sealer import seal_due
from shipworthy.kernel.audit.verify import verify_chain
from shipworthy.kernel.context import Scope
from tests.kernel.conftest import signed_in
from tests.support.app import RunningApp


async def _five_sealed_rows(app: RunningApp) -> Scope:
    client = await signed_in(app)
    for i in range(5):
        answer = await client.post(
            "/notes", json_body={"text": f"n{i}"}, headers={"idempotency-key": f"k{i}"}
        )
        assert answer.status == 201
    async with app.role("worker") as worker:
        assert await seal_due(worker) == 5
        assert await seal_due(worker) == 0
    tenant_id = (await app.admin("select tenant_id from audit limit 1"))[0]["tenant_id"]
    return Scope(app.runtime.realm_id, tenant_id)


async def test_an_untouched_chain_holds_and_carries_the_trace(toy: RunningApp) -> None:
    scope = await _five_sealed_rows(toy)
    report = await verify_chain(toy.runtime.database, scope)
    assert (report.sealed, report.unsealed, report.broken) == (5, 0, None)
    rows = await toy.admin("select action, object_type, trace_id, actor_id from audit")
    assert {r["action"] for r in rows} == {"note.created"}
    assert all(r["trace_id"] and r["actor_id"] for r in rows)


async def test_each_way_of_tampering_is_found_at_its_row(toy: RunningApp) -> None:
    scope = await _five_sealed_rows(toy)
    tampering = {
        "flip": ("update audit set action = 'note.deleted' where seq = 3", 3, "changed"),
        "delete": ("delete from audit where seq = 3", 3, "missing"),
        "backdate": ("update audit set at = at - interval '1 day' where seq = 2", 2, "changed"),
        "reorder": (
            "update audit set seq = -seq where seq in (2, 3); update audit set seq = case seq when -2 then 3 else 2 end where seq < 0",
            2,
            "follow",
        ),
        "cut the tail": ("delete from audit where seq = 5", 5, "cut off"),
        "insert": (
            "update audit set seq = seq + 1000 where seq >= 4; update audit set seq = seq - 999 where seq > 1000;"
            " insert into audit select tenant_id, gen_random_uuid(), at, actor_id, action, object_type, object_id, detail,"
            " trace_id, 4, prev, hash from audit where seq = 3",
            4,
            "follow",
        ),
    }
    await toy.admin("create table audit_copy as table audit")
    for name, (sql, seq, reason) in tampering.items():
        for statement in sql.split(";"):
            await toy.admin(statement)
        report = await verify_chain(toy.runtime.database, scope)
        assert report.broken is not None, name
        assert (report.broken.seq, reason in report.broken.reason) == (seq, True), (name, report.broken)
        await toy.admin("delete from audit")
        await toy.admin("insert into audit table audit_copy")
    assert (await verify_chain(toy.runtime.database, scope)).broken is None


async def test_the_app_cannot_edit_or_delete_its_own_trail(toy: RunningApp) -> None:
    import pytest

    scope = await _five_sealed_rows(toy)
    for sql in ("update audit set action = 'x'", "delete from audit", "update audit set hash = null"):
        with pytest.raises(Exception, match="permission denied"):
            async with toy.runtime.database.begin(scope) as tx:
                await tx.raw(sql)
