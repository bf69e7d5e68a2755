"""Operators: who is one, in words of the command line; their pages are tested in objectives/test_web.py."""

from __future__ import annotations

import uuid

from shipworthy.kernel.operators import end_operator, make_operator, operators
from tests.support.app import RunningApp


async def test_somebody_is_an_operator_from_when_they_are_named_until_they_are_not(toy: RunningApp) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    async with toy.role("worker") as worker:
        toy.runtime.database = worker
        ctx = toy.ctx()
        assert [await make_operator(ctx, person) for person in (first, second, first)] == [True, True, False]
        assert await operators(ctx) == [first, second]
        assert [await end_operator(ctx, person) for person in (first, first)] == [True, False]
        assert await operators(ctx) == [second]
    rows = await toy.admin("select action from realm_audit order by audit_id")
    assert [row["action"] for row in rows] == ["operator.added", "operator.added", "operator.removed"]
