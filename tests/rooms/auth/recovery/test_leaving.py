"""Deleting an account: shut at once, taken back by mail, erased when its time is over."""

from __future__ import annotations

import asyncio
import uuid

from shipworthy.rooms.auth.jobs import JOBS
from shipworthy.rooms.auth.recovery.leaving import ERASE_JOB
from tests.rooms.auth.conftest import AuthApp, add_owner
from tests.rooms.auth.recovery.conftest import link_mailed, token_in
from tests.support.client import Answer, Client

GRACE_S = 14 * 24 * 3600
ERASE = next(kind for kind in JOBS if kind.kind == ERASE_JOB)


async def leave(client: Client) -> Answer:
    return await client.post("/account/leave")


async def join(auth: AuthApp, user_id: uuid.UUID, *, role: str) -> None:
    """Let somebody join the owner's organisation."""
    await auth.running.admin(
        "insert into membership (realm_id, tenant_id, user_id, role, created_at) values ($1, $2, $3, $4, now())",
        auth.running.runtime.realm_id, auth.owner_tenant_id, user_id, role,
    )  # fmt: skip


async def test_leaving_shuts_the_account_at_once_and_erases_it_later(auth: AuthApp) -> None:
    here, there = await auth.signed_in(), await auth.signed_in()
    assert "Erased after 14 days" in (await here.get("/account/leave")).text
    answer = await leave(here)
    assert (answer.status, answer.header("location")) == (303, "/leaving")
    assert "Your account is closed" in (await here.get("/leaving")).text
    assert [(await client.get("/account")).status for client in (here, there)] == [303, 303]
    assert (await auth.sign_in()).status == 401
    await auth.work()
    assert "On 15 March 2026, 12:00 UTC it is erased" in auth.mails[-1].text

    auth.clock.move(GRACE_S - 1)
    assert await auth.work(ERASE) == 1  # too early, whatever the queue thinks
    assert (await auth.running.admin("select count(*) as n from app_user"))[0]["n"] == 1
    await auth.running.admin("update app_user set leaves_at = leaves_at - interval '1 second'")
    await run_erase(auth)
    await run_erase(auth)
    left = await _traces(auth)
    assert left == {"audit"}
    rows = await auth.running.admin(
        "select action, detail::text from audit where action like 'auth.%' order by audit_id"
    )
    assert [row["action"] for row in rows] == ["auth.leaving_asked", "auth.account_erased"]
    assert auth.owner.email not in str(rows) and "Acme Owner" not in str(rows)


async def run_erase(auth: AuthApp) -> None:
    """Queue the job again as the worker would find it, and run it."""
    ctx = auth.running.ctx(tenant_id=auth.owner_tenant_id)
    from shipworthy.kernel.queue.job import enqueue

    async with ctx.begin() as tx:
        await enqueue(ctx, ERASE_JOB, f"{auth.owner.user_id}/again", tx=tx)
    assert await auth.work(ERASE) == 1


async def _traces(auth: AuthApp) -> set[str]:
    """Return the tables in which the person, their address or their name still stand."""
    tables = await auth.running.admin(
        "select distinct c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname in ('realm_id', 'tenant_id')"
    )
    needles = (auth.owner.email, "Acme Owner", str(auth.owner.user_id))
    found = set()
    for table in tables:
        rows = await auth.running.admin(f"select t::text as row from {table['name']} t")
        if any(needle in row["row"] for row in rows for needle in needles[:2]):
            found.add(table["name"])
        if table["name"] not in ("session", "realm_audit") and any(needles[2] in row["row"] for row in rows):
            found.add(table["name"])  # an ended session keeps the id, which stands for nobody
    return found


async def test_the_mailed_link_takes_it_back(auth: AuthApp) -> None:
    await leave(await auth.signed_in())
    link = await link_mailed(auth, auth.owner.email, "/leaving/undo")
    await auth.client().post("/forgot", form={"email": auth.owner.email})
    again = await link_mailed(auth, auth.owner.email, "/leaving/undo")
    assert again != link  # whoever lost the mail asks for it as for a password
    for _ in range(2):
        assert (await auth.client().get(link)).status == 200
    assert (await auth.sign_in()).status == 401
    stay = await auth.client().post("/leaving/undo", form={"token": token_in(link)})
    assert (stay.status, stay.header("location")) == (303, "/login")
    assert (await auth.sign_in()).status == 303
    for gone in (link, again):
        assert (await auth.client().get(gone)).status == 404
    auth.clock.move(GRACE_S + 60)
    assert await auth.work(ERASE) == 1
    assert (await auth.sign_in()).status == 303


async def test_the_only_owner_of_others_stays_until_there_is_another(auth: AuthApp) -> None:
    _, other = await add_owner(auth.running, "Globex")
    await join(auth, other.user_id, role="member")
    here = await auth.signed_in()
    page = (await here.get("/account/leave")).text
    assert "You are its only owner" in page and "Acme" in page
    refused = await leave(here)
    assert refused.status == 409
    assert "You are the only owner of Acme, and one other person is in it." in refused.text
    assert (await auth.sign_in()).status == 303
    await auth.running.admin("update membership set role = 'owner' where user_id = $1", other.user_id)
    assert (await leave(here)).status == 303


async def test_of_two_owners_who_leave_at_once_one_stays(auth: AuthApp) -> None:
    _, other = await add_owner(auth.running, "Globex")
    _, third = await add_owner(auth.running, "Initech")
    await join(auth, other.user_id, role="owner")
    await join(auth, third.user_id, role="member")
    first, second = await auth.signed_in(), auth.client()
    await auth.sign_in(second, email=other.email)
    answers = await asyncio.gather(*(leave(client) for client in (first, second) for _ in range(3)))
    assert sorted({a.status for a in answers} - {401, 404}) == [303, 409]
    rows = await auth.running.admin("select count(*) filter (where status = 'active') as n from app_user")
    assert rows[0]["n"] == 2
