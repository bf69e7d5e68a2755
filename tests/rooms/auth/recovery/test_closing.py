"""Shutting somebody out. Covers: closing."""

from __future__ import annotations

import pytest

from shipworthy.kernel.errors import Conflict, Missing
from shipworthy.rooms.auth.recovery.closing import find, set_status
from tests.rooms.auth.conftest import AuthApp
from tests.rooms.auth.recovery.conftest import link_mailed, token_in
from tests.rooms.auth.recovery.test_leaving import leave


async def test_whoever_is_shut_out_is_out_everywhere_at_once_and_comes_back_by_their_password(
    auth: AuthApp,
) -> None:
    ctx, here = auth.running.ctx(), await auth.signed_in()
    await auth.client().post("/forgot", form={"email": auth.owner.email})
    link = await link_mailed(auth, auth.owner.email, "/reset")
    for _ in range(2):
        account = await set_status(ctx, auth.owner.email.upper(), "disabled")
        assert (account.status, account.has_password, account.providers) == ("disabled", True, ("google",))
    assert (await here.get("/account")).status == 303
    assert (await auth.sign_in()).status == 401
    form = {"token": token_in(link), "new": "nine loud drummers"}
    assert (await auth.client().post("/reset", form=form)).status == 404
    await auth.client().post("/forgot", form={"email": auth.owner.email})
    before = len(auth.mails)
    await auth.work()
    assert len(auth.mails) == before
    assert (await set_status(ctx, auth.owner.email, "active")).status == "active"
    assert (await here.get("/account")).status == 303  # what was ended stays so
    assert (await auth.sign_in()).status == 303
    rows = await auth.running.admin(
        "select action from realm_audit where action like 'auth.account_%' order by audit_id"
    )
    assert [row["action"] for row in rows] == [*["auth.account_disabled"] * 2, "auth.account_enabled"]


async def test_nobody_is_found_who_is_not_there_and_the_leaving_are_left_alone(auth: AuthApp) -> None:
    ctx = auth.running.ctx()
    for nobody in ("nobody@nowhere.example", "no address", ""):
        with pytest.raises(Missing):
            await find(ctx, nobody)
    await leave(await auth.signed_in())
    for status in ("active", "disabled"):
        with pytest.raises(Conflict, match="erased"):
            await set_status(ctx, auth.owner.email, status)
    assert (await find(ctx, auth.owner.email)).leaves_at is not None
