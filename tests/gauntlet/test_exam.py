"""The exam: sessions, scoped database access, samples, and healing that always happens.

Covers: db, samples.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shipworthy.contract.manifest import Sample
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.db import Database
from shipworthy.gauntlet.stages import ALL_CHECKS
from tests.support.ledger import ACME, BOOKS, GLOBEX, Ledger

CHECK = ALL_CHECKS[0]


async def test_a_session_is_signed_in_once_and_a_fresh_one_is_another(ledger: Ledger) -> None:
    exam = ledger.exam(CHECK)
    session = await exam.session(ACME)
    assert await exam.session(ACME) is session
    assert (await session.get("/me")).status == 200
    fresh = await exam.fresh_session(ACME)
    assert fresh.cookies["sid"] != session.cookies["sid"]
    await exam.forget()
    assert (await (await exam.session(ACME)).get("/me")).status == 200
    await exam.close()


async def test_what_several_checks_need_is_found_once_and_a_refusal_is_asked_again(ledger: Ledger) -> None:
    exam, asked = ledger.exam(CHECK), 0

    async def find() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise Undecided("not yet")
        return asked

    with pytest.raises(Undecided):
        await exam.once("it", find)
    assert [await exam.once("it", find) for _ in range(3)] == [2, 2, 2]
    await exam.close()


async def test_a_refused_sign_in_says_what_was_answered(ledger: Ledger) -> None:
    exam = ledger.exam(CHECK)
    with pytest.raises(Undecided, match=r"answered 401, not 204"):
        await exam.session(replace(ACME, password="wrong"))
    await exam.close()


async def test_people_are_one_of_each_tenant_and_samples_are_each_ones_own(ledger: Ledger) -> None:
    exam = ledger.exam(CHECK)
    assert exam.people == (ACME, GLOBEX)
    own, theirs = await exam.samples_for(ACME), await exam.samples_for(GLOBEX)
    assert own["book_id"] != theirs["book_id"]
    await exam.close()


async def test_a_sample_that_does_not_run_is_left_out_with_a_note(ledger: Ledger) -> None:
    samples = (
        Sample(name="bad", sql="select nothing"),
        Sample(name="none", sql="select null"),
        Sample(name="one", sql="select 1"),
    )
    exam = ledger.exam(CHECK, samples=samples)
    assert await exam.samples_for(ACME) == {"one": "1"}
    assert await exam.samples_for(ACME, fresh=True) == {"one": "1"}
    assert len(exam.notes) == 1
    assert "'bad' does not run" in exam.notes[0]
    await exam.close()


async def test_samples_are_looked_up_again_after_the_database_ended_every_session(ledger: Ledger) -> None:
    exam = ledger.exam(CHECK)
    before = await exam.samples_for(ACME)
    ours = (
        "from pg_stat_activity where datname = current_database() "
        "and application_name = 'shipworthy-gauntlet' and pid <> pg_backend_pid()"
    )
    async with asyncio.timeout(20):
        # The server takes a moment to see that somebody left.
        while len(await ledger.admin(f"select pid {ours}")) != 1:  # one connection serves every look-up
            await asyncio.sleep(0.02)
        await ledger.admin(f"select pg_terminate_backend(pid) {ours}")
        assert await exam.samples_for(ACME, fresh=True) == before
        await exam.forget()
        while await ledger.admin(f"select pid {ours}"):  # no connection outlives its check
            await asyncio.sleep(0.02)
    await exam.close()


async def test_a_scoped_transaction_sees_one_tenant_and_leaves_nothing_behind(ledger: Ledger) -> None:
    app = ledger.exam(CHECK).database("app")
    async with app.connection() as connection:
        async with app.within(connection, ACME):
            assert await connection.fetchval("select count(*) from book") == BOOKS[ACME.tenant_id]
            await connection.execute("delete from note")
        async with app.within(connection, None):
            assert await connection.fetchval("select count(*) from book") == 0
    async with app.scoped(GLOBEX, realm_only=True) as connection:
        assert await connection.fetchval("select count(*) from book") == 0
        assert await connection.fetchval("select count(*) from reader_card") == 1
    assert (await ledger.admin("select count(*) from note"))[0][0] == sum(BOOKS.values())


async def test_a_way_in_that_is_closed_or_unknown_cannot_decide(ledger: Ledger) -> None:
    exam = ledger.exam(CHECK)
    with pytest.raises(Undecided, match="'owner'"):
        exam.database("owner")
    wrong = exam.database("app").url.replace("app-password", "other-password")
    with pytest.raises(Undecided, match="did not let role app in"):
        await Database(wrong, role="app", scope=exam.manifest.scope).fetch("select 1")
    assert exam.database("app").user == "app"


async def test_healing_undoes_the_last_first_and_one_that_fails_stops_no_other(ledger: Ledger) -> None:
    exam = ledger.exam(CHECK)
    undone: list[str] = []

    async def undo(name: str) -> None:
        undone.append(name)

    async def fail() -> None:
        raise OSError("gone")

    exam.heal_later("first", lambda: undo("first"))
    exam.heal_later("broken", fail)
    exam.heal_later("last", lambda: undo("last"))
    (failed,) = await exam.heal()
    assert undone == ["last", "first"]
    assert "broken could not be undone" in failed
    assert await exam.heal() == []


async def test_a_finding_of_another_check_is_a_mistake(ledger: Ledger) -> None:
    exam = ledger.exam(CHECK)
    exam.tell(exam.finding("s", Verdict.PASS, "t"))
    with pytest.raises(AssertionError):
        exam.tell(replace(exam.told[0], check="another.check"))
